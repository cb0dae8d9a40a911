"""The commands around EspoCRM."""

from __future__ import annotations

import re
from typing import Final

import click

from functions.cli.firm import Firm

_BASE: Final = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


def _base_url(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Take only what a webhook can be posted to: EspoCRM before 9.3 keeps any text as an address."""
    if not _BASE.fullmatch(value):
        raise click.BadParameter("expected an address such as https://api.example.org")
    return value


@click.group()
def espocrm() -> None:
    """Set EspoCRM up."""


@espocrm.command()
@click.option(
    "--base-url", required=True, callback=_base_url, help="Where EspoCRM reaches us, such as https://api.example.org"
)
@click.make_pass_decorator(Firm, ensure=True)
def register(firm: Firm, base_url: str) -> None:
    """Make sure of the webhooks that tell us about parties, and print the line with their secrets for the settings."""
    from shared.espocrm.registration import register as make_sure
    from shared.settings.base import read
    from shared.settings.espocrm import EspoCrmSettings

    found = make_sure(base_url, firm.espocrm, read(EspoCrmSettings).beteiligte_entity)
    for event in found.webhooks:
        click.echo(f"# {event}: registered")
    click.echo(found.secrets_line)
