"""Everything the phone functions work with, made once per process and on first use."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.threecx.directory import Directory
from functions.threecx.links import Links
from functions.threecx.lookup import Crowd, Lookup
from functions.threecx.receiving import Proof, Receiver
from functions.threecx.telling import Dialect
from shared.advoware.client import AdvowareClient
from shared.advoware.parties import Parties
from shared.espocrm.client import EspoCrmClient
from shared.espocrm.pause import Pause
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.common import CommonSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.leads import OfficeSettings
from shared.settings.threecx import ThreeCxSettings
from shared.startup import Parts
from shared.state.token import TokenCache, TokenKeys
from shared.threecx.provider import ME, Provider
from shared.threecx.seal import Sealer, base_key
from shared.threecx.store import LOCK_S, CallStore

if TYPE_CHECKING:
    from functions.threecx.calls import Calls
    from functions.threecx.erasure import Erasure
    from functions.threecx.journal import Journal
    from functions.threecx.matter_notes import MatterNotes
    from functions.threecx.person import People
    from functions.threecx.reconcile import Reconcile
    from functions.threecx.screenpop import ScreenPop
    from shared.events.bus import Bus

PHONE_TIMEOUT_S = 1.15  # while a phone rings nobody waits longer for an upstream
RATE = "threecx:window"  # ZSET call -> ms; one minute


@dataclass
class Deps:
    """Makes each part when it is first needed; a webhook needs no client of any upstream."""

    parts: Parts
    bus: Bus
    crowd: Crowd = field(default_factory=Crowd)

    def __post_init__(self) -> None:
        self.common, self.settings = self.parts[CommonSettings], self.parts[ThreeCxSettings]
        self.espo_settings, self.advo_settings = self.parts[EspoCrmSettings], self.parts[AdvowareSettings]
        self.office = self.parts[OfficeSettings]
        self.key = base_key(self.common, self.settings)
        self.sealer = Sealer(self.key)
        self.dialect = Dialect.of(self.settings)
        self.public_url = (self.common.public_base_url or "").rstrip("/")
        self.links = Links(self.key, self.public_url)

    @property
    def receiver(self) -> Receiver:
        """Take what the phone system sends."""
        proof = Proof.of(self.settings, strict=self.common.production)
        ways = (lambda: self.store, lambda: self.bus.publisher, lambda: self.lookup)
        return Receiver(proof, self.dialect, *ways, self.links, self.settings.unknown_contact)

    @property
    def calls(self) -> Calls:
        """Place calls and look after them."""
        from functions.threecx.calls import Calls
        from shared.office_hours import OfficeHours
        from shared.threecx.limits import DialLimits

        return Calls(
            lambda: self.provider,
            lambda: self.espocrm,
            lambda: self.store,
            lambda: DialLimits(self.bus.client(0), self.sealer),
            self.dialect,
            OfficeHours.read(self.office.call_hours, self.office.state, self.office.closed),
            self.settings.automatic_extension or "",
            self.settings.automatic_per_hour,
        )

    @property
    def screenpop(self) -> ScreenPop:
        """Show who is calling."""
        from functions.threecx.screenpop import ScreenPop

        return ScreenPop(self.links, self.dialect, lambda: self.store, lambda: self.lookup, lambda: self.people)

    @functools.cached_property
    def store(self) -> CallStore:
        """Give the calls in Redis."""
        lock_s = min(LOCK_S, self.bus.queue_settings.lease_s)  # the work of a dead worker waits for its lease anyway
        return CallStore(self.bus.client(0), self.sealer, self.settings.retention_call_days, lock_s)

    @functools.cached_property
    def espocrm(self) -> EspoCrmClient:
        """Give EspoCRM with the patience of somebody who writes."""
        http = HttpClient("espocrm", self.espo_settings.timeout_s, answered=self.bus.evidence.note)
        return EspoCrmClient(self.espo_settings, http, Pause(self.bus.client(1)))

    @functools.cached_property
    def provider(self) -> Provider:
        """Give the phone system in the dialect that is configured."""
        from shared.state.window import Window

        http = HttpClient(ME, self.settings.timeout_s, answered=self.bus.evidence.note)
        window = Window(self.bus.client(0), RATE, self.settings.rate_per_minute)
        if self.settings.provider == "v20":
            from shared.threecx.v20 import V20Provider

            return V20Provider(self.settings, http, window.take, self.bus.client(0))
        from shared.threecx.rest import RestProvider

        return RestProvider(self.settings, http, window.take)

    @functools.cached_property
    def journal(self) -> Journal:
        """Write calls into EspoCRM."""
        from functions.threecx.journal import Journal
        from functions.threecx.owners import Owners
        from functions.threecx.recordings import Recordings
        from functions.threecx.tasks import Tasks
        from shared.office_hours import OfficeHours

        hours = OfficeHours.read(self.office.hours, self.office.state, self.office.closed)
        return Journal(
            self.store,
            self.espocrm,
            self._directory(self.espocrm, self._advoware(self.advo_settings.timeout_s)),
            Tasks(self.espocrm, hours, self.sealer.mark),
            Recordings(self.store, lambda: self.provider, self.public_url),
            Owners(self.settings.extensions, self.espocrm, self._agents, self.espo_settings.default_user_id or ""),
            self._notes,
        )

    @property
    def _notes(self) -> MatterNotes | None:
        from functions.threecx.matter_notes import MatterNotes

        if not self.settings.matter_notes:
            return None
        advoware = self._advoware(self.advo_settings.timeout_s)
        return MatterNotes(self.espocrm, self._people(self._directory(self.espocrm, advoware), advoware).matters)

    @functools.cached_property
    def _agents(self) -> Callable[[], dict[str, str]]:
        from functions.threecx.owners import Remembered

        return Remembered(self.provider.agents)

    @functools.cached_property
    def reconcile(self) -> Reconcile:
        """Find calls that nobody told, and people for calls that belonged to nobody."""
        from functions.threecx.reconcile import Reconcile
        from functions.threecx.strangers import Strangers

        directory, days = self.journal.directory, self.settings.retention_call_days
        strangers = Strangers(self.espocrm, directory, self.journal, days)
        return Reconcile(self.store, self.journal, lambda: self.provider, lambda: self.bus.publisher, strangers)

    @property
    def erasure(self) -> Erasure:
        """Erase what we hold of a number."""
        from functions.threecx.erasure import Erasure

        return Erasure(lambda: self.store, self.espocrm, lambda: self.provider, self.dialect)

    @functools.cached_property
    def lookup(self) -> Lookup:
        """Find people for a ringing phone."""
        return Lookup(self._quick_directory, self.crowd, self.sealer, lambda: self.bus.client(0))

    @functools.cached_property
    def people(self) -> People:
        """Find out about a person for a ringing phone."""
        return self._people(self._quick_directory, self._quick_advoware)

    def _people(self, directory: Directory, advoware: AdvowareClient) -> People:
        from functions.threecx.owners import Remembered
        from functions.threecx.person import People

        espo, employees = self.espo_settings, Remembered(advoware.employees)
        paths = self.advo_settings.matters_path, espo.beteiligte_entity, espo.betnr_field
        return People(directory, advoware, self.crowd, *paths, employees)

    @functools.cached_property
    def _quick_advoware(self) -> AdvowareClient:
        return self._advoware(PHONE_TIMEOUT_S, get_retries=0)

    @functools.cached_property
    def _quick_directory(self) -> Directory:
        http = HttpClient("espocrm", PHONE_TIMEOUT_S, answered=self.bus.evidence.note, get_retries=0)
        espocrm = EspoCrmClient(self.espo_settings, http, Pause(self.bus.client(1)))
        return self._directory(espocrm, self._quick_advoware)

    def _advoware(self, timeout_s: float, get_retries: int = 2) -> AdvowareClient:
        state = self.bus.client(1)
        http = HttpClient("advoware", timeout_s, answered=self.bus.evidence.note, get_retries=get_retries)
        return AdvowareClient(self.advo_settings, http, TokenCache(state, TokenKeys.advoware()))

    def _directory(self, espocrm: EspoCrmClient, advoware: AdvowareClient) -> Directory:
        site = str(self.espo_settings.api_base_url or "").partition("api/v1")[0]
        return Directory(espocrm, Parties(advoware, self.advo_settings.parties_path), site)
