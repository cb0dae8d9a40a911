"""The commands around 3CX."""

from __future__ import annotations

import click


@click.group()
def threecx() -> None:
    """Set the phone system up."""


@threecx.command()
def register() -> None:
    """Have the phone system tell us about calls; where it has no webhooks, say what to do by hand."""
    from functions.threecx.main import deps
    from functions.threecx.registration import register as tell

    for line in tell(deps()):
        click.echo(line)
