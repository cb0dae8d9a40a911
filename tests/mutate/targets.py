"""What must not be wrong, and the quick tests that guard it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import lua, python
from .mutant import Mutant


@dataclass(frozen=True)
class Part:
    """Files, and the tests that guard them, the quickest first."""

    files: tuple[str, ...]
    tests: tuple[str, ...]

    def mutants(self, root: Path) -> list[Mutant]:
        """List every small change of these files."""
        found = []
        for name in self.files:
            source = (root / name).read_text("utf-8")
            found += (lua if name.endswith(".lua") else python).mutants(name, source)
        return found


def _state(*names: str) -> tuple[str, ...]:
    return tuple(f"shared/state/{name}" for name in names)


def _scripts(prefix: str, names: str) -> tuple[str, ...]:
    return _state(*(f"{prefix}_{name}.lua" for name in names.split()))


_CONTRACT = "tests/contract/state/test_state_"
_PLANNER = ("tests/system/calendar/test_calendar_round_trips.py", "tests/property/test_calendar_planner.py")
_SENT_TWICE = f"{_CONTRACT}sent_twice.py"

TARGETS: dict[str, tuple[Part, ...]] = {
    "dedup": (
        Part(
            (
                *_state("queue.py", "queue_base.py", "deliveries.py", "dead_letters.py", "queue.lua"),
                *_scripts("queue", "ack add claim done fail reap redrive renew sent stats sweep unsent"),
            ),
            (
                f"{_CONTRACT}queue.py",
                f"{_CONTRACT}queue_edges.py",
                _SENT_TWICE,
                f"{_CONTRACT}deliveries_edges.py",
                f"{_CONTRACT}deliveries.py",
                "tests/property/test_state_queue_machine.py",
            ),
        ),
        Part(
            _state("leads_accept.lua"),
            ("tests/unit/leads/test_leads_store_edges.py", "tests/unit/leads/test_leads_store.py"),
        ),
        Part(
            ("functions/vmh_webhooks/payload.py",),
            ("tests/unit/vmh/test_vmh_payload.py", "tests/entries/test_vmh_webhooks.py"),
        ),
    ),
    "lock": (
        Part(
            (*_state("lock.py"), *_scripts("lock", "acquire clear release renew")),
            (
                f"{_CONTRACT}lock_edges.py",
                _SENT_TWICE,
                f"{_CONTRACT}lock.py",
                "tests/property/test_state_lock_machine.py",
            ),
        ),
        Part(("shared/events/lease.py",), ("tests/unit/events/test_lease.py", "tests/unit/events/test_runner.py")),
    ),
    "token": (
        Part(
            (*_state("token.py", "token_store.py"), *_scripts("token", "invalidate lock put read unlock")),
            (
                f"{_CONTRACT}token_edges.py",
                _SENT_TWICE,
                f"{_CONTRACT}token.py",
                "tests/property/test_state_token_machine.py",
            ),
        ),
        Part(("shared/advoware/auth.py",), ("tests/unit/advoware/test_advoware_auth.py",)),
    ),
    "signature": (
        Part(("shared/webhook.py",), ("tests/unit/shared/test_webhook.py", "tests/unit/leads/test_leads_proof.py")),
        Part(
            ("shared/espocrm/signature.py",),
            ("tests/unit/espocrm/test_espocrm_signature.py", "tests/entries/test_vmh_webhooks.py"),
        ),
        Part(("shared/advoware/signature.py",), ("tests/unit/advoware/test_advoware_signature.py",)),
    ),
    "planner": (
        Part(
            tuple(f"functions/calendar_sync/{name}.py" for name in ("planner", "plan", "merge", "pairing")),
            (
                "tests/unit/calendar_sync/test_planner_edges.py",
                "tests/unit/calendar_sync",
                "tests/system/calendar/test_calendar_tombstones.py",
                *_PLANNER,
            ),
        ),
        Part(
            ("functions/calendar_sync/guard.py",),
            ("tests/unit/calendar_sync/test_planner_edges.py", "tests/system/calendar/test_calendar_guard.py"),
        ),
    ),
    "proxy path": (
        Part(
            ("functions/advoware_proxy/passage.py", "functions/advoware_proxy/target.py"),
            ("tests/unit/advoware_proxy/test_proxy_edges.py", "tests/unit/advoware_proxy"),
        ),
    ),
}
