"""`bitbylaw`: the command line of whoever looks after the machine."""

from __future__ import annotations

import io
import sys

import click

from functions.cli.calendar import audit, plan, status, sync, unlock
from functions.cli.doctor import doctor
from functions.cli.espocrm import espocrm
from functions.cli.failures import EPILOG, Careful
from functions.cli.leads import leads
from functions.cli.letters import deadletters
from functions.cli.threecx import threecx


@click.group(cls=Careful, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose", is_flag=True, help="Write the log's JSON lines to stderr.")
def main(verbose: bool) -> None:
    """Look after bitbylaw: run, preview, compare, mend. Works in this process, with the settings of the app."""
    from shared import log

    log.set_up("INFO" if verbose else "CRITICAL")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no arrow still gets the rest


for command in (sync, plan, audit, status, unlock, deadletters, doctor, leads, espocrm, threecx):
    main.add_command(command)
