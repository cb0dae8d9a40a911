"""What the doctor finds: how it is, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from functions.cli.firm import Firm

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """One finding; `mend` says what to do about it."""

    level: Level
    what: str
    detail: str
    mend: str = ""

    def text(self) -> str:
        """Write it as one line, and a second one on how to mend it."""
        line = f"{self.level:<4} {self.what:<9} {self.detail}"
        return f"{line}\n     {'':<9} → {self.mend}" if self.mend else line


_CORRECT: Final = "correct what is named; .env.example shows good values"
Check = Callable[["Firm"], Iterator[Finding]]


def carried_out(what: str, check: Check, firm: Firm) -> Iterator[Finding]:
    """Run a check; whatever it raises is a finding too."""
    from functions.cli.failures import translated

    try:
        yield from check(firm)
    except SystemExit as end:  # a part that refuses to start says why in its one line
        yield Finding("bad", what, str(end.code).removeprefix("bitbylaw: "), _CORRECT)
    except Exception as error:  # noqa: BLE001 - a doctor goes on
        failure = translated(error)
        yield Finding("bad", what, failure.message, mend_of(error))


def mend_of(error: Exception) -> str:
    """Say what usually helps against an error."""
    from shared.errors import (
        NotConfiguredError,
        UpstreamAuthenticationError,
        UpstreamMalformedError,
        UpstreamUnavailableError,
    )

    match error:
        case NotConfiguredError():
            return "set what is named; .env.example says what each setting means"
        case UpstreamAuthenticationError():
            return "check the user, password and key of this upstream, and whether the account is locked"
        case UpstreamMalformedError():
            return "something else than the upstream answers there; check its address and what stands between"
        case UpstreamUnavailableError():
            return "check the address, name resolution, firewall and whether the upstream works; then try again"
    return "see the message; --verbose shows the log"
