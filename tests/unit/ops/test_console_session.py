"""The console's cookie and the token of its forms: believed only when they are ours, whole, and of this session."""

import pytest

from functions.ops.session import LOGIN_S, Signer, is_password
from shared.settings.base import read
from shared.settings.common import CommonSettings

NOW = 1_800_000_000.0


def signer(**environ: str) -> Signer:
    return Signer.of(settings(**environ))


def settings(**environ: str) -> CommonSettings:
    return read(CommonSettings, {"OPS_PASSWORD": "geheim", "SIGNING_KEY": "k", **environ})


def test_a_ticket_is_read_as_it_was_issued_until_it_ends():
    ours = signer()
    ticket = ours.issue(NOW, logged_in=True)
    cookie = ours.written(ticket)
    assert ours.read(cookie, NOW) == signer().read(cookie, NOW + LOGIN_S - 1) == ticket
    assert ours.read(cookie, NOW + LOGIN_S) is None


def test_a_form_s_ticket_cannot_be_made_a_login():
    ours = signer()
    cookie = ours.written(ours.issue(NOW, logged_in=False))
    assert ours.read(cookie, NOW).logged_in is False
    assert ours.read("a" + cookie[1:], NOW) is None


@pytest.mark.parametrize("place", range(3))
def test_no_part_of_a_cookie_can_be_changed(place):
    ours = signer()
    parts = ours.written(ours.issue(NOW, logged_in=True)).split(".")
    parts[place] = "9" + parts[place][1:]
    assert ours.read(".".join(parts), NOW) is None


@pytest.mark.parametrize("cookie", ["", ".", "a.1.x", "a.1.x.", "ä.1.x.ö", "a" * 9000])
def test_nonsense_is_no_ticket(cookie):
    assert signer().read(cookie, NOW) is None


@pytest.mark.parametrize("other", [{"OPS_PASSWORD": "neu"}, {"SIGNING_KEY": "neu"}])
def test_another_password_or_key_ends_all_sessions(other):
    ours = signer()
    assert signer(**other).read(ours.written(ours.issue(NOW, logged_in=True)), NOW) is None


def test_a_form_token_belongs_to_its_ticket():
    ours = signer()
    mine, yours = ours.issue(NOW, logged_in=True), ours.issue(NOW, logged_in=True)
    assert ours.is_form_token(mine, ours.form_token(mine))
    for wrong in (ours.form_token(yours), "", "ö"):
        assert not ours.is_form_token(mine, wrong)


def test_only_the_password_is_the_password():
    assert is_password("geheim", settings())
    for wrong in ("", "Geheim", "geheim ", "ö" * 5000, "\udcff"):
        assert not is_password(wrong, settings())
    assert not is_password("", settings(OPS_PASSWORD=""))
