"""What is read from the environment."""

from __future__ import annotations

import pytest

from shared.settings.base import SettingsError, read
from shared.settings.parties import FieldSettings


def test_an_unknown_field_is_named_at_the_start():
    with pytest.raises(SettingsError, match="ESPOCRM_BETEILIGTE_FIELDS"):
        read(FieldSettings, {"ESPOCRM_BETEILIGTE_FIELDS": "shoe_size=cShoe"})


def test_a_known_one_is_taken():
    assert read(FieldSettings, {"ESPOCRM_BETEILIGTE_FIELDS": "title=cTitel"}).names == {"title": "cTitel"}
