"""`make bench`: every benchmark, one after the other; ratios against references measured in the same run.

`--only NAME` runs some of them; `--write` also puts what was found into `benchmarks/RESULTS.md`, the rest of it stays.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import calendar_sync, cold_start, leads, lookup, memory, proxy, webhooks
from benchmarks.table import Bar, Line, show

HERE = Path(__file__).parent
NOTE = """Written by `python -m benchmarks --write`. Everything is a ratio against a reference that was measured in the
same run, in alternating rounds; how far the reference's own rounds lie apart is the noise of the machine.
How it is measured: [docs/performance.md](../docs/performance.md).
"""
PLOT = "\n![Cold starts as multiples of hello world; the red mark is the limit](starts.svg)\n"


def starts(bars: list[Bar]) -> Iterable[Line]:
    """Measure the starts, and keep their bars for the plot."""
    rows, found = cold_start.report()
    bars += found
    return rows


def svg(bars: Iterable[Bar]) -> str:
    """Draw bars with the mark that each must not pass."""
    all_bars, scale, parts = list(bars), 110, []
    for number, bar in enumerate(all_bars):
        y = 24 * number + 6
        parts.append(f'<text x="200" y="{y + 13}" text-anchor="end">{bar.name}</text>')
        parts.append(f'<rect x="208" y="{y}" width="{bar.value * scale:.0f}" height="16" fill="#4a78b5"/>')
        parts.append(f'<text x="{214 + bar.value * scale:.0f}" y="{y + 13}">{bar.value:.2f}</text>')
        if bar.limit is not None:
            x = 208 + bar.limit * scale
            parts.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{y - 3}" y2="{y + 19}" stroke="#b00" stroke-width="2"/>')
    size = f'width="640" height="{24 * len(all_bars) + 10}"'
    style = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "\n".join(parts) + "\n</svg>\n"


def measured(title: str, measure: Callable[[], Iterable[Line]]) -> str:
    """Measure one part; tell when, and how busy the machine was before and after."""
    before, cores = os.getloadavg()[0], os.cpu_count() or 1
    table, after = show(title, measure()), os.getloadavg()[0]
    busy = " The machine was busy with other work: times say little, and ratios less than usual."
    when = f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {before:.1f} to {after:.1f} on {cores} cores."
    return f"{table}\n{when}{busy if max(before, after) > 2 * cores else ''}\n"


def write(titles: Iterable[str], pages: dict[str, str], bars: list[Bar]) -> None:
    """Put the parts into the page of results; parts that were not measured stay as they were."""
    page = HERE / "RESULTS.md"
    old = page.read_text() if page.exists() else ""
    kept = {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in old.split("\n## ")[1:]}
    found = kept | pages
    page.write_text("\n".join([f"# Benchmarks\n\n{NOTE}", *(found[each] for each in titles if each in found)]))
    if bars:
        HERE.joinpath("starts.svg").write_text(svg(bars))


def main() -> None:
    """Measure, print, and write if asked to."""
    bars: list[Bar] = []
    parts: dict[str, tuple[str, Callable[[], Iterable[Line]]]] = {
        "starts": ("Cold start", lambda: starts(bars)),
        "memory": ("Memory", memory.report),
        "webhooks": ("Webhook", webhooks.report),
        "leads": ("Receiver of leads", leads.report),
        "lookup": ("Lookup while a phone rings", lookup.report),
        "proxy": ("Proxy", proxy.report),
        "calendar": ("Calendar sync", calendar_sync.report),
    }
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    for name in chosen.only:
        title, measure = parts[name]
        page = measured(title, measure) + (PLOT if name == "starts" else "")
        print(page, flush=True)
        if chosen.write:
            write([each for each, _ in parts.values()], {title: page}, bars)


if __name__ == "__main__":
    main()
