"""The commands around leads: what only a person may decide."""

from __future__ import annotations

import json

import click

from functions.cli.firm import Firm

PURPOSES = ("newsletter", "werbung_telefon", "weitergabe_kanzlei", "datenschutzhinweis")

pass_firm = click.make_pass_decorator(Firm, ensure=True)


@click.group()
def leads() -> None:
    """Decide about leads: look at one and its conflicts, release one that is held, erase a person, end a consent."""


@leads.command()
@click.argument("lead")
@pass_firm
def show(firm: Firm, lead: str) -> None:
    """Tell as JSON how far a lead has come, and when."""
    _print(firm.leads.show(lead))


@leads.command()
@click.argument("lead")
@pass_firm
def conflicts(firm: Firm, lead: str) -> None:
    """List as JSON the matters that a lead's conflict check hits: asked of Advoware anew, written nowhere."""
    _print(firm.leads.conflicts(lead))


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
    _print(firm.leads.erase(email=email, phone=phone))


@leads.command()
@click.option("--purpose", type=click.Choice(PURPOSES), default="newsletter", show_default=True)
@click.option("--email", help="The person's address.")
@click.option("--phone", help="The person's number.")
@pass_firm
def withdraw(firm: Firm, purpose: str, email: str | None, phone: str | None) -> None:
    """Note that somebody has taken a consent back; the newsletter ends at once."""
    _print(firm.leads.withdraw(purpose, email=email, phone=phone))


@leads.command()
@click.option("--email", help="The person's address.")
@click.option("--phone", help="The person's number.")
@pass_firm
def consents(firm: Firm, email: str | None, phone: str | None) -> None:
    """List as JSON what a person has agreed to and taken back, word for word: the proof."""
    _print(firm.leads.consents.listed(email=email, phone=phone))


def _print(answer: object) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
