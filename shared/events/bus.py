"""Wire a process to its events: clients, queues, transport and runners, each opened on first use."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared import metrics
from shared.errors import NotConfiguredError
from shared.events import topics
from shared.events.cloudevent import Event
from shared.events.publisher import Publisher
from shared.events.runner import AGAIN, Outcome, Runner
from shared.events.task import Subscriber
from shared.settings.base import Settings, read
from shared.settings.common import CommonSettings, EventSettings, QueueSettings, RedisSettings

if TYPE_CHECKING:
    from redis import Redis

    from shared.events.arguments import Arguments
    from shared.events.cloud_letters import CloudLetters
    from shared.events.outbox import Send
    from shared.state.choices import Choices
    from shared.state.queue import Evidence, WorkQueue

MODELS: tuple[type[Settings], ...] = (CommonSettings, RedisSettings, QueueSettings, EventSettings)
_DB_OF = {topics.LEADS_QUEUE: 0, topics.CALLS_QUEUE: 0, topics.PARTIES_QUEUE: 1, topics.EMPLOYEES_QUEUE: 1}


@functools.cache
def _client(url: str, db: int) -> Redis:
    from shared.state.connection import connect

    return connect(url, db)


class Bus:
    """Everything with which a target publishes events and works them off."""

    def __init__(self, target: str) -> None:
        """Read the settings; nothing is opened yet."""
        self.target = target
        self._common, self._redis = read(CommonSettings), read(RedisSettings)
        self.queue_settings, self.events = read(QueueSettings), read(EventSettings)
        self.transport = self.events.transport or "http"
        self._trusted = not self._common.production or self._redis.durability == "managed"
        self._queues: dict[str, WorkQueue] = {}

    def client(self, db: int) -> Redis:
        """Give the client of one database; in production only of a Redis that keeps what it acknowledges."""
        client = _client(self._redis.url, db)
        if not self._trusted:
            self._check(client)
        return client

    def state(self) -> Redis:
        """Give an unchecked client for /ready, which does the checking itself."""
        return _client(self._redis.url, 1)

    def queue(self, name: str) -> WorkQueue:
        """Give one of the four queues by its name."""
        from shared.state import queue as state

        if name not in self._queues:
            specs = {spec.name: spec for spec in (state.PARTIES, state.EMPLOYEES, state.LEADS, state.CALLS)}
            self._queues[name] = state.WorkQueue(
                self.client(_DB_OF[name]),
                specs[name],
                lease_s=self.queue_settings.lease_s,
                outbox=self.transport != "redis",
                replicas=self._redis.wait_replicas,
            )
        return self._queues[name]

    def choices(self, queue: str) -> Choices:
        """Give what persons may choose for the dead letters of one queue."""
        from shared.state.choices import Choices

        return Choices(self.client(_DB_OF[queue]), queue)

    @functools.cached_property
    def evidence(self) -> Evidence:
        """Give what all processes know about each upstream's last good answer; clients note it there."""
        from shared.state.queue import Evidence

        return Evidence(self.client(1))

    @functools.cached_property
    def arguments(self) -> Arguments:
        """Give the explicit arguments of calendar runs."""
        from shared.events.arguments import Arguments

        return Arguments(self.client(1))

    @functools.cached_property
    def publisher(self) -> Publisher:
        """Give the publisher of the configured transport."""
        if self.transport == "redis":
            from shared.events.redis import RedisPublisher

            return RedisPublisher(self.queue, lambda: self.arguments)
        from shared.events.outbox import OutboxPublisher

        return OutboxPublisher(self.target, self.queue, lambda: self.arguments, self._send())

    def _send(self) -> Send:
        if self.transport == "sqs":
            from shared.events.sqs import SqsTransport

            return SqsTransport()
        if self.transport == "pubsub":
            from shared.events.pubsub import PubSubTransport

            return PubSubTransport(self._project())
        from shared.events.http import HttpTransport

        secret = self._common.gateway_secret
        return HttpTransport(self.events.base_url, secret.get_secret_value() if secret else None)

    def unsendable(self, *sent: str) -> list[str]:
        """Name the settings without which events of these topics never leave this process."""
        from shared.events.addresses import missing

        return missing(self.events, sent)

    def cloud_letters(self) -> CloudLetters | None:
        """Give what the cloud itself put aside; our own transports put nothing aside outside Redis."""
        from shared.events.cloud_letters import CloudLetters

        if self.transport == "sqs":
            from shared.events.sqs_letters import SqsLetters

            return CloudLetters(SqsLetters())
        if self.transport == "pubsub":
            from shared.events.pubsub_letters import PubSubLetters

            return CloudLetters(PubSubLetters(self._project()))
        return None

    def _project(self) -> str:
        if not self.events.pubsub_project:
            raise NotConfiguredError("EVENT_PUBSUB_PROJECT is missing.")
        return self.events.pubsub_project

    def runner(self, queue: str, subscribers: Mapping[str, Subscriber]) -> Runner:
        """Give a runner for one queue."""
        arguments = self.arguments if queue == topics.EMPLOYEES_QUEUE else None
        return Runner(self.queue(queue), subscribers, self.queue_settings, evidence=self.evidence, arguments=arguments)

    def relay(self) -> dict[str, int]:
        """Care for all queues and send again what no subscriber has taken; streams are read by the worker."""
        from shared.events.care import care
        from shared.events.outbox import OutboxPublisher

        queues = [self.queue(name) for name in topics.QUEUES]
        for queue in queues:
            care(queue, self.client(1), sweep=True)
            metrics.measure_queue(queue.spec.name, queue.stats())
        publisher = self.publisher
        return publisher.relay(queues) if isinstance(publisher, OutboxPublisher) else {"relayed": 0, "unsent": 0}

    def deliver(self, subscribers: Mapping[str, Subscriber], event: Event, topic: str | None = None) -> None:
        """Work an event off inside the request: returns when done or a duplicate, else raises what to answer."""
        from shared.events.delivery import deliver

        deliver(self, subscribers, event, topic)

    def _check(self, client: Redis) -> None:
        from redis import RedisError

        from shared.web.readiness import weak_durability

        try:
            client.ping()
        except RedisError:
            return  # whoever uses the client will see
        if problems := weak_durability(client):
            raise NotConfiguredError("; ".join(problems))
        self._trusted = True


__all__ = ["AGAIN", "MODELS", "Bus", "Outcome"]
