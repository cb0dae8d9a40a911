"""The commands around calendars: sync, plan, audit, status, unlock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from functions.cli.failures import UNKNOWN, USAGE, Failure, wrong
from functions.cli.firm import Firm
from functions.cli.tables import RUN_HEAD, held_text, run_cells, table

pass_firm = click.make_pass_decorator(Firm, ensure=True)


def _one_or_all(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Read ALL, the API's word for everybody, as no name."""
    return None if value == "ALL" else value


kuerzel_argument = click.argument("kuerzel", required=False, callback=_one_or_all)
mode_option = click.option(
    "--full/--anonymous", "full", default=None, help="Show events in full or anonymously, for this run only."
)


@click.command()
@kuerzel_argument
@mode_option
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--wait", is_flag=True, help="Run here and now if nobody else does, and show how it went.")
@click.option("--release", metavar="HASH", help="Let the held plan with this hash pass, once.")
@pass_firm
def sync(firm: Firm, kuerzel: str | None, full: bool | None, dry_run: bool, wait: bool, release: str | None) -> None:  # noqa: PLR0913, PLR0917 - its options
    """Bring the calendars of one employee, or of everybody, in step."""
    from functions.cli.runs import ask, run_and_wait

    if release is not None and dry_run:
        raise Failure("--release lets a run pass; it does not go with --dry-run", USAGE)
    if release is not None:
        _release(firm, kuerzel, release)
    if dry_run:
        _show_plans(firm, kuerzel, full, as_json=False)
        return
    names = firm.names(kuerzel)
    if not wait:
        for name in names if kuerzel else ["ALL"]:
            click.echo(f"{name}: run asked for (event {ask(firm, name, full)})")
        return
    rows = run_and_wait(firm, names, full)
    _show_rows(rows)
    if any(row["state"] != "ok" for row in rows):
        wrong()


def _release(firm: Firm, kuerzel: str | None, mark: str) -> None:
    if kuerzel is None:
        raise Failure("a held plan belongs to one employee: bitbylaw sync KUERZEL --release HASH", USAGE)
    firm.names(kuerzel)
    if not firm.deps.memory.release(kuerzel, mark):
        raise Failure(f"no plan of {kuerzel} waits under this hash [hold-unknown]", UNKNOWN)


@click.command()
@kuerzel_argument
@mode_option
@click.option("--json", "as_json", is_flag=True, help="Write the plan as the API does, with field names only.")
@pass_firm
def plan(firm: Firm, kuerzel: str | None, full: bool | None, as_json: bool) -> None:
    """Show what a run would do, like a diff: + created, ~ changed, - deleted, ! held, = left alone."""
    _show_plans(firm, kuerzel, full, as_json=as_json)


def _show_plans(firm: Firm, kuerzel: str | None, full: bool | None, *, as_json: bool) -> None:
    from functions.calendar_sync.handler import Order
    from functions.calendar_sync.plan_text import as_text
    from functions.calendar_sync.preview import make_plan, preview

    names = firm.names(kuerzel)
    if as_json:
        rows = [preview(Order(name, full), firm.deps) for name in names]
        _show_json(rows[0] if kuerzel else {"employees": rows})
        return
    for name in names:
        click.echo(as_text(make_plan(Order(name, full), firm.deps)))


@click.command()
@kuerzel_argument
@click.option("--json", "as_json", is_flag=True, help="Write the result as the API does.")
@click.option("--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a report (German).")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a table (German).")
@pass_firm
def audit(firm: Firm, kuerzel: str | None, as_json: bool, html_file: Path | None, csv_file: Path | None) -> None:
    """Compare both calendars apart from the sync; exit code 1 when they are out of step."""
    from functions.calendar_sync.audit_report import as_csv, as_html, lines_of
    from functions.calendar_sync.audit_run import audit_employee

    names = firm.names(kuerzel)
    found = [audit_employee(name, firm.deps) for name in names]
    if html_file:
        html_file.write_text(as_html(found, firm.deps.clock()), encoding="utf-8")
    if csv_file:
        csv_file.write_text(as_csv(found), encoding="utf-8", newline="")
    if as_json:
        rows = [each.row() for each in found]
        _show_json(rows[0] if kuerzel else {"employees": rows})
    else:
        for each in found:
            click.echo(f"{each.kuerzel}: {'in step' if each.in_sync else 'OUT OF STEP'}, {each.compared} compared")
            for line in lines_of(each):
                click.echo("  " + "  ".join(cell for cell in line.cells()[1:] if cell))
    if not all(each.in_sync for each in found):
        wrong()


@click.command()
@kuerzel_argument
@click.option("--history", is_flag=True, help="Show the last 50 runs.")
@click.option("--json", "as_json", is_flag=True, help="Write rows as the API does.")
@pass_firm
def status(firm: Firm, kuerzel: str | None, history: bool, as_json: bool) -> None:
    """Show the last run of everybody, or with --history the last 50 of each; asks neither Advoware nor Google."""
    from functions.calendar_sync.report import empty_row
    from shared.state.calendar_history import last_runs

    deps = firm.deps
    rows = deps.memory.statuses()
    names = [kuerzel] if kuerzel else sorted({*rows, *deps.employees.remembered()})
    if kuerzel and kuerzel not in {*rows, *deps.employees.remembered()}:
        raise Failure("no such employee", UNKNOWN)
    if not names:
        click.echo('{"employees": []}' if as_json else "nobody is known yet: bitbylaw sync, or POST /calendar/cron")
        return
    if not history:
        shown = [rows.get(name) or empty_row(name) for name in names]
        _show_json({"employees": shown}) if as_json else _show_rows(shown)
        return
    runs = {name: last_runs(deps.state, name) for name in names}
    if as_json:
        _show_json({"employees": [{"kuerzel": name, "runs": each} for name, each in runs.items()]})
        return
    for name, each in runs.items():
        click.echo(f"{name}: {len(each)} runs")
        click.echo(table([*RUN_HEAD, ""], [[*run_cells(row), held_text(row)] for row in each]))


@click.command()
@kuerzel_argument
@click.option("--all", "everybody", is_flag=True, help="Free the locks of everybody.")
@pass_firm
def unlock(firm: Firm, kuerzel: str | None, everybody: bool) -> None:
    """Free a stuck lock; a run that still holds it notices and stops before its next write."""
    from functions.cli.runs import locked

    if bool(kuerzel) == everybody:
        raise Failure("name one employee, or say --all", USAGE)
    locks = firm.deps.locks
    if kuerzel:
        if not locks.force_release(kuerzel):
            raise Failure(f"there is no lock of {kuerzel}", UNKNOWN)
        click.echo(f"{kuerzel}: freed")
        return
    freed = [name for name in locked(firm.deps.state) if locks.force_release(name)]
    click.echo(f"{len(freed)} freed" + (f": {', '.join(freed)}" if freed else ""))


def _show_rows(rows: list[dict[str, Any]]) -> None:
    cells = [[row["kuerzel"], *run_cells(row), held_text(row)] for row in rows]
    click.echo(table(["", *RUN_HEAD, ""], cells))


def _show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
