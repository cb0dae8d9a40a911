"""The commands around 3CX."""

from __future__ import annotations

import json

import click

from functions.cli.firm import Firm


@click.group()
def threecx() -> None:
    """Set the phone system up; erase what we hold of a number."""


@threecx.command()
def register() -> None:
    """Have the phone system tell us about calls; where it has no webhooks, say what to do by hand."""
    from functions.threecx.main import deps
    from functions.threecx.registration import register as tell

    for line in tell(deps()):
        click.echo(line)


@threecx.command()
@click.option("--phone", required=True, help="The person's number.")
@click.make_pass_decorator(Firm, ensure=True)
def erase(firm: Firm, phone: str) -> None:
    """Erase calls of a number, here, in EspoCRM and at the phone system, and report as JSON what was erased where."""
    click.echo(json.dumps(firm.phones.erasure.erase(phone), ensure_ascii=False, indent=2))
