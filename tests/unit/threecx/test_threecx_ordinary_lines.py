"""Only fixed and mobile lines are dialled, whatever else is a valid number."""

import pytest

from functions.threecx.dialling import PremiumError, check_number
from shared.threecx.number import read_number


@pytest.mark.parametrize("text", ["0800 1234567", "032 12345678", "+43 800 123456", "+41 800 123456"])
def test_what_is_neither_fixed_nor_mobile_is_not_dialled(text):
    with pytest.raises(PremiumError):
        check_number(read_number(text))


@pytest.mark.parametrize("text", ["0511 1234567", "0170 1234567", "+43 1 5341234", "+41 44 123 45 67"])
def test_fixed_and_mobile_lines_are_dialled(text):
    check_number(read_number(text))
