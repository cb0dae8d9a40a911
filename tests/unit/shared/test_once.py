"""What is made once is made once, however many ask first."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.once import once


def test_fifty_first_calls_at_once_make_one():
    made = []

    @once
    def slow() -> list[int]:
        time.sleep(0.05)
        made.append(1)
        return made

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: slow(), range(50)))
    assert made == [1]
    assert all(answer is made for answer in answers)


def test_a_failure_is_not_remembered():
    tries = []

    @once
    def shaky() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("down")
        return 7

    with pytest.raises(OSError, match="down"):
        shaky()
    assert shaky() == 7
