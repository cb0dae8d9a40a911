"""The dead letters of all four queues and of the cloud under one list of ids; of people only their ids are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from shared.clock import iso
from shared.errors import ConflictError, FieldProblem, InvalidRequestError, NotFoundError, UpstreamUnavailableError
from shared.events import topics

if TYPE_CHECKING:
    from shared.events.cloud_letters import CloudLetters
    from shared.state.choices import Choices
    from shared.state.queue import DeadLetter, WorkQueue

MOST_PER_QUEUE = 500


class AmbiguousIdError(ConflictError):
    """Several queues have a dead letter of this id; with the queue's name before it, it is one."""

    slug, title = "ambiguous-id", "Several dead letters have this id"


@dataclass(frozen=True)
class Letter:
    """One dead letter and its queue; `id` is that of the stream, with the queue's name where it is not alone."""

    id: str
    queue: WorkQueue
    letter: DeadLetter

    def row(self) -> dict[str, Any]:
        """Write it as the contract shows it."""
        letter = self.letter
        moment = datetime.fromtimestamp(letter.at_ms / 1000, tz=UTC)
        return {
            "id": self.id,
            "topic": self._topic(),
            "subject": letter.item,
            "attempts": letter.attempts,
            "error": letter.error,
            "at": iso(moment),
        }

    def _topic(self) -> str:
        name = self.queue.spec.name
        try:
            return topics.of_item(name, self.letter.item, self.letter.ops).name
        except IndexError:
            return name


@dataclass(frozen=True)
class Letters:
    """Lists, shows and redrives dead letters."""

    queue_of: Callable[[str], WorkQueue]
    choices_of: Callable[[str], Choices]
    cloud: Callable[[], CloudLetters | None] = lambda: None

    def all(self) -> list[dict[str, Any]]:
        """List all, the oldest first; 503 when the cloud does not tell its own."""
        cloud = self.cloud()
        return sorted(self.own() + (cloud.all() if cloud else []), key=lambda row: str(row["at"]))

    def seen(self) -> tuple[list[dict[str, Any]], bool]:
        """List what can be seen now, and tell whether that is all."""
        try:
            return self.all(), True
        except UpstreamUnavailableError:
            return self.own(), False

    def own(self) -> list[dict[str, Any]]:
        """List those in Redis, the oldest first."""
        return [letter.row() for letter in sorted(self._letters(), key=lambda each: each.letter.at_ms)]

    def show(self, name: str) -> dict[str, Any]:
        """Show one, with the parties that it may mean where there are several."""
        if _is_of_cloud(name):
            return self._show_of_cloud(name)
        found = self._find(name)
        candidates = self._choices(found).candidates(found.letter.item)
        return found.row() | ({"candidates": candidates} if candidates else {})

    def redrive(self, name: str, chosen: int | None = None) -> dict[str, Any]:
        """Put one back to work, with the party that a person chose."""
        if _is_of_cloud(name):
            return self._redrive_of_cloud(name, chosen)
        found = self._find(name)
        if chosen is not None:
            self._choose(found, chosen)
        if not found.queue.redrive(found.letter.id):
            _gone()
        return {"id": found.id, "topic": found.row()["topic"], "redriven": True}

    def _show_of_cloud(self, name: str) -> dict[str, Any]:
        cloud = self.cloud()
        row = cloud.show(name) if cloud else None
        if row is None:
            _gone()
        return row

    def _redrive_of_cloud(self, name: str, chosen: int | None) -> dict[str, Any]:
        if chosen is not None:
            raise _no_candidate()
        cloud = self.cloud()
        if not cloud or not cloud.redrive(name):
            _gone()
        return {"id": name, "topic": name.partition(":")[0], "redriven": True}

    def _choices(self, found: Letter) -> Choices:
        return self.choices_of(found.queue.spec.name)

    def _choose(self, found: Letter, number: int) -> None:
        """Take a person's choice; of a record that is a party itself also one that nobody offered."""
        choices, item = self._choices(found), found.letter.item
        candidates = choices.candidates(item)
        is_party = found.queue.spec.name == topics.PARTIES_QUEUE
        if number not in candidates and (candidates or not is_party):
            raise _no_candidate()
        choices.choose(item, number)

    def _letters(self) -> Iterator[Letter]:
        found = [
            (queue, letter)
            for queue in map(self.queue_of, topics.QUEUES)
            for letter in queue.dead(count=MOST_PER_QUEUE)
        ]
        seen = [letter.id for _, letter in found]
        for queue, letter in found:
            alone = seen.count(letter.id) == 1
            yield Letter(letter.id if alone else f"{queue.spec.name}:{letter.id}", queue, letter)

    def _find(self, name: str) -> Letter:
        prefix, _, stream_id = name.rpartition(":")
        queues = [prefix] if prefix else list(topics.QUEUES)
        hits = [
            (queue, letter)
            for queue in map(self.queue_of, (each for each in queues if each in topics.QUEUES))
            if (letter := queue.dead_letter(stream_id)) is not None
        ]
        if not hits:
            _gone()
        if len(hits) > 1:
            raise AmbiguousIdError("Name the queue before the id: " + ", ".join(q.spec.name for q, _ in hits))
        return Letter(name, *hits[0])


def _is_of_cloud(name: str) -> bool:
    """Tell ids that begin with a topic from those of our own queues."""
    return name.partition(":")[0] in topics.TOPICS


def _gone() -> NoReturn:
    raise NotFoundError("There is no such dead letter (any more).")


def _no_candidate() -> InvalidRequestError:
    problem = FieldProblem("betNr", "unknown", "is none of the candidates")
    return InvalidRequestError("This is none of the candidates.", fields=[problem])
