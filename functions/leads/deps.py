"""Everything that works leads off, made once per process; receiving needs the least of it."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from functions.leads.envelope import Reader
from functions.leads.office import Office
from shared.clock import utc_now
from shared.errors import NotConfiguredError
from shared.events import topics
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import missing
from shared.settings.common import CommonSettings, EventSettings, RedisSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.leads import LeadSettings, OfficeSettings

if TYPE_CHECKING:
    from functions.leads.admin import Admin
    from functions.leads.advoware import Firm
    from functions.leads.calling import Caller
    from functions.leads.consents import Consents
    from functions.leads.crm import LeadCrm
    from functions.leads.crm_steps import CrmSteps
    from functions.leads.direct import Direct
    from functions.leads.mail import Mailer
    from functions.leads.maintenance import Maintenance
    from functions.leads.newsletter import Newsletter
    from functions.leads.subscriber import Intake
    from shared.crypto import Vault
    from shared.events.bus import Bus
    from shared.state.leads import LeadStore

RAW_DAYS = 30
ADVOWARE_AT_MOST_S = 10.0


@dataclass(frozen=True)
class Settings:
    """The settings of the leads function, part by part."""

    common: CommonSettings
    redis: RedisSettings
    events: EventSettings
    leads: LeadSettings
    office: OfficeSettings
    espocrm: EspoCrmSettings
    advoware: AdvowareSettings


class Deps:
    """Makes each part on first use."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.settings, self.bus = settings, bus
        leads = settings.leads
        self.office = Office.of(settings.office)
        self.reader = Reader(json.loads(leads.form_maps) if leads.form_maps else {}, frozenset(leads.site_hosts))
        self.rules: list[dict[str, Any]] = json.loads(leads.routes) if leads.routes else []

    @functools.cached_property
    def vault(self) -> Vault:
        """Give the encryption; without a key nothing is taken."""
        from shared.crypto import Vault

        key = self.settings.leads.encryption_key
        if key is None:
            raise NotConfiguredError("missing settings: LEAD_ENCRYPTION_KEY")
        return Vault.of(key.get_secret_value())

    @functools.cached_property
    def store(self) -> LeadStore:
        """Give the store."""
        from shared.state.leads import LeadStore

        days = max(RAW_DAYS, self.settings.leads.retention_spam_days)
        outbox = self.bus.transport != "redis"
        replicas = self.settings.redis.wait_replicas
        return LeadStore(self.bus.client(0), self.vault, outbox=outbox, replicas=replicas, kept_s=days * 86_400)

    def hand_off(self, lead_id: str) -> None:
        """Tell the subscriber at once where it reads no stream; what it does not take the relay sends again."""
        if self.bus.transport == "redis":
            return
        from shared.events.outbox import OutboxPublisher

        publisher = self.bus.publisher
        if isinstance(publisher, OutboxPublisher):
            queue = self.bus.queue(topics.LEADS_QUEUE)
            publisher.hand_over(queue, [("intake", lead_id)], 1.0)

    def enqueue(self, lead_id: str) -> None:
        """Ask for another run of a lead."""
        self.bus.publisher.publish(topics.LEAD_RECEIVED, lead_id)

    @functools.cached_property
    def crm(self) -> LeadCrm:
        """Give EspoCRM."""
        from functions.leads.crm import LeadCrm
        from shared.espocrm.pause import Pause
        from shared.http import HttpClient

        http = HttpClient("espocrm", self.settings.espocrm.timeout_s, answered=self.bus.evidence.note)
        return LeadCrm(self.settings.espocrm, http, Pause(self.bus.client(1)))

    def steps(self, crm: LeadCrm) -> CrmSteps:
        """Give the steps of one lead in EspoCRM."""
        from functions.leads.crm_steps import CrmSteps

        return CrmSteps(crm, self.office, self.rules, self.settings.espocrm.default_user_id, utc_now)

    @functools.cached_property
    def direct(self) -> Direct:
        """Give the way to EspoCRM without a store."""
        from functions.leads.crm import LeadCrm
        from functions.leads.direct import Direct, LocalPause
        from shared.http import HttpClient, new_session

        session, pause = new_session(), LocalPause()

        def make(timeout_s: float) -> LeadCrm:
            http = HttpClient("espocrm", timeout_s, session=session, get_retries=0)
            crm = LeadCrm(self.settings.espocrm, http, pause)
            crm.own_fields_unasked()
            return crm

        return Direct(make, self.steps)

    @functools.cached_property
    def firm(self) -> Firm | None:
        """Give Advoware, where it is configured."""
        if missing([self.settings.advoware]):
            return None
        from functions.leads.advoware import Firm
        from shared.advoware.client import AdvowareClient
        from shared.espocrm.links import PartyLinks
        from shared.http import HttpClient
        from shared.state.token import TokenCache, TokenKeys

        advoware = self.settings.advoware
        http = HttpClient("advoware", min(advoware.timeout_s, ADVOWARE_AT_MOST_S), answered=self.bus.evidence.note)
        client = AdvowareClient(advoware, http, TokenCache(self.bus.client(1), TokenKeys.advoware()))
        return Firm(client, advoware, PartyLinks(self.bus.client(1)))

    @functools.cached_property
    def mailer(self) -> Mailer | None:
        """Give the mail server, where one is configured."""
        from functions.leads.mail import Mailer, sender_of

        leads = self.settings.leads
        if leads.smtp_url is None:
            return None
        url = leads.smtp_url.get_secret_value()
        return Mailer(url, sender_of(url, leads.mail_from, self.settings.common.public_base_url))

    @functools.cached_property
    def newsletter(self) -> Newsletter:
        """Give the double opt-in."""
        from functions.leads.newsletter import Newsletter

        base, target = self.settings.common.public_base_url, self.settings.leads.target_list_id
        mailer, consents = self.mailer, self.consents
        return Newsletter(lambda: self.store, self.crm, consents, mailer, base, target, self.enqueue, utc_now)

    @functools.cached_property
    def consents(self) -> Consents:
        """Give the proofs of consent."""
        from functions.leads.consents import Consents

        return Consents(lambda: self.store, utc_now)

    def caller(self) -> Caller | None:
        """Give the telephone, where calls are wanted and its address is known."""
        from functions.leads.calling import Caller

        events = self.settings.events.base_url or ""
        base = self.settings.common.public_base_url or events.removesuffix("/events")
        if not self.settings.leads.auto_call or not urlsplit(base).hostname:
            return None
        secret = self.settings.common.gateway_secret
        return Caller(f"{base.rstrip('/')}/threecx/calls", secret.get_secret_value() if secret else None)

    @functools.cached_property
    def intake(self) -> Intake:
        """Give the subscriber."""
        from functions.leads.followup import FollowUp
        from functions.leads.subscriber import Intake

        leads = self.settings.leads
        follow_up = FollowUp(
            self.crm,
            self.firm,
            self.newsletter,
            self.mailer,
            leads.auto_reply,
            self.caller(),
            Office.of(self.settings.office, self.settings.office.call_hours),
            utc_now,
            self.settings.advoware.write_enabled,
        )
        return Intake(
            lambda: self.store,
            self.reader,
            self.office,
            self.steps(self.crm),
            follow_up,
            self.newsletter,
            leads.retention_spam_days,
            2 * self.settings.espocrm.timeout_s,
            self.admin.finish_erasure,
        )

    @functools.cached_property
    def maintenance(self) -> Maintenance:
        """Give what the clock asks for."""
        from functions.leads.escalation import Escalation
        from functions.leads.maintenance import Maintenance

        user, days = self.settings.espocrm.default_user_id, self.settings.leads.retention_lead_days
        person = self.settings.leads.escalate_to
        escalation = Escalation(lambda: self.store, self.crm, self.office, person, utc_now)
        return Maintenance(lambda: self.store, self.crm, self.enqueue, self.office, user, days, utc_now, escalation)

    @functools.cached_property
    def admin(self) -> Admin:
        """Give what persons decide."""
        from functions.leads.admin import Admin

        target = self.settings.leads.target_list_id
        return Admin(lambda: self.store, self.crm, self.enqueue, self.consents, target, self.firm)
