"""The command that looks at everything and says how to mend what it finds."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from functions.cli.failures import wrong
from functions.cli.findings import Check, carried_out
from functions.cli.firm import Firm


@click.command()
@click.option("--probe-advoware", is_flag=True, help="Also show facts about this Advoware; reads only.")
@click.option("--json", "as_json", is_flag=True, help="Write findings as JSON.")
@click.make_pass_decorator(Firm, ensure=True)
def doctor(firm: Firm, probe_advoware: bool, as_json: bool) -> None:
    """Check settings, Redis, upstreams and clock; exit code 1 when something has to be mended."""
    found = []
    for what, check in _checks(probe_advoware).items():
        for finding in carried_out(what, check, firm):
            found.append(finding)
            if not as_json:
                click.echo(finding.text())
    if as_json:
        click.echo(json.dumps({"findings": [asdict(each) for each in found]}, ensure_ascii=False, indent=2))
    if any(each.level == "bad" for each in found):
        wrong()


def _checks(probe_advoware: bool) -> dict[str, Check]:
    from functions.cli import checks, checks_upstreams, probe

    found: dict[str, Check] = {
        "settings": checks.settings,
        "redis": checks.redis,
        "clock": checks.clock,
        "queues": checks.queues,
        "advoware": checks_upstreams.advoware,
        "google": checks_upstreams.google,
        "push": checks.push,
        "espocrm": checks_upstreams.espocrm,
        "threecx": checks_upstreams.threecx,
    }
    return found | ({"probe": probe.advoware} if probe_advoware else {})
