"""The commands around leads: what only a person may decide."""

from __future__ import annotations

import json

import click

from functions.cli.firm import Firm

pass_firm = click.make_pass_decorator(Firm, ensure=True)


@click.group()
def leads() -> None:
    """Decide about leads: release one that is held, erase what we hold of a person."""


@leads.command()
@click.argument("lead")
@pass_firm
def release(firm: Firm, lead: str) -> None:
    """Let a lead go on that was taken for spam, or that waits because of a conflict of interest."""
    answer = firm.leads.release(lead)
    click.echo(f"{answer['id']}: released ({answer['freigegeben']})")


@leads.command()
@click.option("--email", help="The person's address.")
@click.option("--phone", help="The person's number.")
@pass_firm
def erase(firm: Firm, email: str | None, phone: str | None) -> None:
    """Erase what we hold of a person, here and in EspoCRM, and report as JSON what was erased where."""
    click.echo(json.dumps(firm.leads.erase(email=email, phone=phone), ensure_ascii=False, indent=2))
