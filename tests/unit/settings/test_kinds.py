"""Every kind of setting: what it takes, and that a refusal does not repeat the value."""

from __future__ import annotations

import pytest

from shared.settings import kinds
from shared.settings.base import Settings, SettingsError, env, read
from shared.settings.kinds import UnreadableError


class Toy(Settings):
    """A model with one of each trouble."""

    count: int = env("TOY_COUNT", 3, kinds.whole(1, 10))
    word: str | None = env("TOY_WORD", None, kinds.text, needed=True)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (kinds.whole(0), " 7 ", 7),
        (kinds.whole(1, 7), "7", 7),
        (kinds.whole(1, 7), "1", 1),
        (kinds.above_zero, "0.5", 0.5),
        (kinds.share, "0", 0.0),
        (kinds.share, "1", 1.0),
        (kinds.switch, "TRUE", True),
        (kinds.switch, "off", False),
        (kinds.one_of("a", "b"), "b", "b"),
        (kinds.comma_list, " a, ,b ", ("a", "b")),
        (kinds.pairs, "a=1=2, b = x", {"a": "1=2", "b": "x"}),
        (kinds.secrets, "id:s:t", {"id": kinds.SecretStr("s:t")}),
        (kinds.folder_url, "https://a.example/v1", "https://a.example/v1/"),
        (kinds.base64_secret, "Z2VoZWlt", kinds.SecretStr("Z2VoZWlt")),
        (kinds.json_text(list, "list"), "[1]", "[1]"),
    ],
)
def test_a_good_value_is_read(kind, given, value):
    assert kind(given) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (kinds.whole(1), "0"),
        (kinds.whole(1, 7), "8"),
        (kinds.whole(0), "-1"),
        (kinds.whole(0), "1.5"),
        (kinds.whole(0), "1_0"),
        (kinds.whole(0), "٣"),
        (kinds.whole(0), "9" * 5000),
        (kinds.above_zero, "0"),
        (kinds.above_zero, "nan"),
        (kinds.above_zero, "inf"),
        (kinds.above_zero, "1e999"),
        (kinds.share, "1.01"),
        (kinds.share, "-0.1"),
        (kinds.switch, "maybe"),
        (kinds.one_of("a", "b"), "c"),
        (kinds.pairs, "a="),
        (kinds.pairs, "=a"),
        (kinds.secrets, "id"),
        (kinds.matching(kinds.ADDRESS), "https://a.example/ b"),
        (kinds.matching(kinds.ADDRESS), "https://a.example\n"),
        (kinds.folder_url, "https://a.example/?x=1"),
        (kinds.base64_secret, "§§"),
        (kinds.json_text(list, "list"), "{}"),
        (kinds.json_text(list, "list"), "[9871"),
    ],
)
def test_a_bad_value_is_refused_and_not_repeated(kind, given):
    with pytest.raises(UnreadableError) as raised:
        kind(given)
    assert len(given) < 4 or given not in str(raised.value)


def test_a_secret_does_not_show():
    hidden = kinds.SecretStr("hunter2")
    assert "hunter2" not in f"{hidden} {hidden!r} {[hidden]}"
    assert hidden.get_secret_value() == "hunter2"


def test_settings_are_frozen_and_known_by_their_variables():
    toy = read(Toy, {"TOY_COUNT": "4", "OTHER": "x"})
    assert (toy.count, toy.word) == (4, None)
    with pytest.raises(AttributeError):
        toy.count = 5
    assert repr(toy) == "Toy(count=4, word=None)"


def test_every_unreadable_one_is_named():
    class Two(Settings):
        first: int = env("TOY_FIRST", 1, kinds.whole(1))
        second: bool = env("TOY_SECOND", True, kinds.switch)

    with pytest.raises(SettingsError, match=r"TOY_FIRST \(.*\), TOY_SECOND \("):
        read(Two, {"TOY_SECOND": "perhaps", "TOY_FIRST": "none"})
