"""The commands around dead letters."""

from __future__ import annotations

import json

import click

from functions.cli.firm import Firm
from functions.cli.tables import table

pass_firm = click.make_pass_decorator(Firm, ensure=True)
HEAD = ("id", "topic", "subject", "attempts", "error", "at")


@click.group(invoke_without_command=True)
@click.pass_context
def deadletters(ctx: click.Context) -> None:
    """Show what was given up, and put it back to work."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_letters)


@deadletters.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write rows as the API does.")
@pass_firm
def list_letters(firm: Firm, as_json: bool = False) -> None:
    """List all, the oldest first."""
    rows = firm.letters.all()
    if as_json:
        click.echo(json.dumps({"deadletters": rows}, ensure_ascii=False, indent=2))
    elif rows:
        click.echo(table(HEAD, [[row[name] for name in HEAD] for row in rows]))
    else:
        click.echo("none")


@deadletters.command()
@click.argument("letter")
@pass_firm
def show(firm: Firm, letter: str) -> None:
    """Show one, with the parties that it may mean."""
    for name, value in firm.letters.show(letter).items():
        click.echo(f"{name:<10} {value}")


@deadletters.command()
@click.argument("letter", required=False)
@click.option("--all", "everything", is_flag=True, help="Put all of them back to work.")
@click.option("--betnr", type=click.IntRange(min=1), help="The party that is meant, where there are several.")
@pass_firm
def redrive(firm: Firm, letter: str | None, everything: bool, betnr: int | None) -> None:
    """Put one, or all, back to work."""
    if bool(letter) == everything or (everything and betnr):
        raise click.UsageError("name one dead letter, or say --all")
    for name in [str(row["id"]) for row in firm.letters.all()] if everything else [str(letter)]:
        answer = firm.letters.redrive(name, betnr)
        click.echo(f"{answer['id']}: back to work ({answer['topic']})")
