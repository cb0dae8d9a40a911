"""Everything the party sync works with, made once per process; nothing here is needed to receive a webhook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.vmh_webhooks.newcomer import SETTLE_S, Newcomers
from functions.vmh_webhooks.party_sync import PartySync
from functions.vmh_webhooks.reconcile import Reconcile
from shared.advoware.client import AdvowareClient
from shared.advoware.parties import Parties
from shared.espocrm.client import EspoCrmClient
from shared.espocrm.links import PartyLinks
from shared.espocrm.pause import Pause
from shared.events.topics import PARTIES_QUEUE
from shared.http import HttpClient
from shared.mapping.beteiligte import Names
from shared.settings.advoware import AdvowareSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.parties import FieldSettings
from shared.state.token import TokenCache, TokenKeys

if TYPE_CHECKING:
    from shared.events.bus import Bus

DEAD_LOOKED_AT = 1000


@dataclass(frozen=True)
class Settings:
    """The settings of the party sync, part by part."""

    espocrm: EspoCrmSettings
    advoware: AdvowareSettings
    fields: FieldSettings


@dataclass(frozen=True)
class Deps:
    """What the subscriber and the reconcile use."""

    sync: PartySync
    reconcile: Reconcile


def make_deps(settings: Settings, bus: Bus, *, settle_s: float = SETTLE_S) -> Deps:
    """Wire the clients and the state; nothing is called yet."""
    state = bus.client(1)
    answered = bus.evidence.note
    http = HttpClient("advoware", settings.advoware.timeout_s, answered=answered)
    advoware = AdvowareClient(settings.advoware, http, TokenCache(state, TokenKeys.advoware()))
    espocrm_http = HttpClient("espocrm", settings.espocrm.timeout_s, answered=answered)
    parties, links = Parties(advoware, settings.advoware.parties_path), PartyLinks(state)
    newcomers = Newcomers(
        parties,
        links,
        settings.advoware.content_key,
        settings.advoware.timeout_s,
        write_enabled=settings.advoware.write_enabled,
        settle_s=settle_s,
    )
    sync = PartySync(
        EspoCrmClient(settings.espocrm, espocrm_http, Pause(state)),
        parties,
        links,
        newcomers,
        settings.espocrm.beteiligte_entity,
        settings.espocrm.betnr_field,
        Names.of(settings.fields.names),
        settings.advoware.delete_parties,
        lambda record_id: forget_older(bus, record_id),
    )
    return Deps(sync, Reconcile(sync, lambda: bus.publisher, lambda: dead_letters(bus)))


def dead_letters(bus: Bus) -> dict[str, datetime]:
    """Tell since when which records wait for a person."""
    letters = bus.queue(PARTIES_QUEUE).dead(count=DEAD_LOOKED_AT)
    return {letter.item: datetime.fromtimestamp(letter.at_ms / 1000, UTC) for letter in letters}


def forget_older(bus: Bus, record_id: str) -> None:
    """Discard a record's earlier dead letters: one is about to be written that says how things are now."""
    queue = bus.queue(PARTIES_QUEUE)
    for letter in queue.dead(count=DEAD_LOOKED_AT):
        if letter.item == record_id:
            queue.discard(letter.id)
