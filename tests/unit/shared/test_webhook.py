"""What a shared secret or a signature over timestamp and body proves, and what it does not."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from shared.webhook import is_fresh, is_ours, is_secret, is_signed, secrets_of, sign

NOW, RAW = 1_795_000_000, b'{"a":1}'


def test_what_is_signed_is_the_timestamp_a_dot_and_the_body() -> None:
    expected = hmac.new(b"geheim", b"1795000000." + RAW, hashlib.sha256).hexdigest()
    assert sign(RAW, "geheim", NOW) == f"sha256={expected}"


def test_a_signature_counts_only_while_it_is_fresh_and_only_if_it_is_ours() -> None:
    signature = sign(RAW, "geheim", NOW)
    assert is_signed(RAW, str(NOW), signature, ["alt", "geheim"], NOW + 300)
    assert not is_signed(RAW, str(NOW), signature, ["alt", "geheim"], NOW + 301)
    assert not is_signed(RAW, str(NOW), signature, ["alt"], NOW)


def test_blanks_around_a_signature_and_capital_letters_do_not_matter() -> None:
    digest = sign(RAW, "geheim", NOW).removeprefix("sha256=")
    assert is_ours(RAW, str(NOW), f"  sha256={digest.upper()} ", ["geheim"])
    assert is_ours(RAW, str(NOW), digest, ["geheim"])


@pytest.mark.parametrize("strange", ["€", "\udcff", "", "sha256="])
def test_what_no_header_can_say_is_no_signature_no_timestamp_and_no_secret(strange: str) -> None:
    assert not is_ours(RAW, str(NOW), strange, ["geheim"])
    assert not is_ours(RAW, strange, sign(RAW, "geheim", NOW), ["geheim"])
    assert not is_secret(strange, ["geheim"])
    assert not is_fresh(strange, NOW)


@pytest.mark.parametrize("shown", ["geheím€", "geheím€".encode().decode("latin-1")])
def test_a_secret_counts_in_both_spellings_of_a_header(shown: str) -> None:
    assert is_secret(shown, ["alt", "geheím€"])
    assert not is_secret(shown, ["geheim"])


@pytest.mark.parametrize("odd", ["abc", "²", "1e9", "-5", "1795000000.0", f"{NOW:016}", f"{NOW:017}"])
def test_a_timestamp_is_a_few_plain_digits(odd: str) -> None:
    assert not is_fresh(odd, NOW)
    assert is_fresh(f"{NOW:015}", NOW)


@pytest.mark.parametrize(
    ("setting", "secrets"),
    [(None, ()), ("", ()), (" , ", ()), ("neu", ("neu",)), (" neu , alt ,", ("neu", "alt"))],
)
def test_a_setting_may_hold_two_secrets(setting: str | None, secrets: tuple[str, ...]) -> None:
    assert secrets_of(setting) == secrets
