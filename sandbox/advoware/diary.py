"""Keep everybody's Termine, and let a person's hands change them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from zoneinfo import ZoneInfo

from sandbox.advoware import termin
from sandbox.advoware.answers import Json, Refused, encode

BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS = (datetime.min, datetime.max)  # noqa: DTZ901  (wall-clock times of Berlin carry no zone)


def now() -> datetime:
    """Say what time it is."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Row:
    """One stored Termin, with its place in time and its JSON at hand."""

    fields: Json
    placed: tuple[datetime, datetime]
    body: bytes

    @classmethod
    def of(cls, fields: Json) -> "Row":
        """Check the fields and keep them."""
        whole = termin.check(fields)
        return cls(whole, termin.span(whole), encode(whole))

    @property
    def anwalt(self) -> str:
        """Say whose it is."""
        return str(self.fields["anwalt"])


class Diary:
    """All Termine of the firm: what the API and a person at the desk both work on."""

    def __init__(self, employees: dict[str, Json], clock: Callable[[], datetime] = now) -> None:
        self.employees, self.clock = employees, clock
        self.visible_after = timedelta()  # how long a new Termin is missing from lists
        self._rows: dict[int, Row] = {}
        self._rows_of: dict[str, dict[int, Row]] = {}
        self._seen_from: dict[int, datetime] = {}
        self._last = 4710
        self._lock = RLock()

    def create(self, kuerzel: str, **fields: object) -> int:
        """Enter a Termin and say its number; only seeded and derived ones bring their own."""
        with self._lock:
            fr_nr = self._number(fields.pop("frNr", None))
            stamp = fields.pop("zuletztGeaendertAm", None) or self._stamp()
            self._keep(fr_nr, {**fields, "frNr": fr_nr, "anwalt": kuerzel, "zuletztGeaendertAm": stamp})
            if self.visible_after:
                self._seen_from[fr_nr] = self.clock() + self.visible_after
            return fr_nr

    def edit(self, fr_nr: int, **fields: object) -> None:
        """Change some fields of a Termin, as a person at the desk would."""
        with self._lock:
            self.replace(fr_nr, {**self.get(fr_nr), **fields})

    def replace(self, fr_nr: int, fields: Mapping[str, object]) -> None:
        """Put a whole object in the place of another; what it leaves out is gone."""
        with self._lock:
            self._row(fr_nr)
            self._keep(fr_nr, {**fields, "frNr": fr_nr, "zuletztGeaendertAm": self._stamp()})

    def move(self, fr_nr: int, kuerzel: str) -> None:
        """Give a Termin to somebody else."""
        self.edit(fr_nr, anwalt=kuerzel)

    def delete(self, fr_nr: int) -> None:
        """Strike out a Termin; its number is never used again."""
        with self._lock:
            del self._rows_of[self._row(fr_nr).anwalt][fr_nr]
            del self._rows[fr_nr]

    def get(self, fr_nr: int) -> Json:
        """Read one Termin."""
        return dict(self._row(fr_nr).fields)

    def body(self, fr_nr: int) -> bytes:
        """Give one Termin as JSON."""
        return self._row(fr_nr).body

    def appointments(self, kuerzel: str | None = None) -> list[Json]:
        """List somebody's Termine, or all of them."""
        with self._lock:
            return [dict(row.fields) for row in self._belonging(kuerzel).values()]

    def listing(self, kuerzel: str | None, window: tuple[datetime, datetime] = ALWAYS) -> bytes:
        """Give the Termine inside a window as a JSON array."""
        with self._lock:
            moment = self.clock()
            hidden = {fr_nr for fr_nr, since in self._seen_from.items() if since > moment}
            rows = [row for fr_nr, row in self._belonging(kuerzel).items() if fr_nr not in hidden]
        found = [row.body for row in rows if termin.overlaps(row.placed, *window)]
        return b"[" + b",".join(found) + b"]"

    def _belonging(self, kuerzel: str | None) -> dict[int, Row]:
        """Give what appears in somebody's list: the own Termine and those of everybody."""
        if kuerzel is None:
            return self._rows
        names = dict.fromkeys((kuerzel, *termin.EVERYBODY))
        return {fr_nr: row for name in names for fr_nr, row in self._rows_of.get(name, {}).items()}

    def _keep(self, fr_nr: int, fields: Json) -> None:
        row = Row.of(fields)
        if row.anwalt not in termin.EVERYBODY and row.anwalt not in self.employees:
            raise Refused(422, f"anwalt: {row.fields['anwalt']!r} is not an employee")
        before = self._rows.get(fr_nr)
        if before and before.anwalt != row.anwalt:
            del self._rows_of[before.anwalt][fr_nr]
        self._rows[fr_nr] = self._rows_of.setdefault(row.anwalt, {})[fr_nr] = row

    def _row(self, fr_nr: int) -> Row:
        row = self._rows.get(fr_nr)
        if row is None:
            raise Refused(404, f"appointment {fr_nr} does not exist")
        return row

    def _number(self, wanted: object) -> int:
        if not isinstance(wanted, int):
            self._last += 1
            return self._last
        if wanted in self._rows:
            raise ValueError(f"frNr {wanted} is taken")
        self._last = max(self._last, wanted)
        return wanted

    def _stamp(self) -> str:
        return self.clock().astimezone(BERLIN).replace(tzinfo=None).isoformat(timespec="seconds")
