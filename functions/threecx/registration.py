"""Have the phone system tell us: register the webhook where it can be registered, else say what to do by hand."""

from __future__ import annotations

from collections.abc import Iterator

from functions.threecx.deps import Deps
from functions.threecx.receiving import LOOKUP, REPORT
from shared.errors import NotConfiguredError
from shared.threecx.rest import RestProvider

WEBHOOK = "/threecx/webhook"


def register(deps: Deps) -> Iterator[str]:
    """Register our webhook and say so, or give the steps for a phone system that knows no webhooks."""
    if not deps.public_url:
        raise NotConfiguredError("missing settings: PUBLIC_BASE_URL")
    provider = deps.provider
    if isinstance(provider, RestProvider):
        provider.register(deps.public_url + WEBHOOK)
        yield f"Registered {deps.public_url}{WEBHOOK} for call.started, call.ended and call.transferred."
        return
    yield "A 3CX v20 has no webhooks. It calls us by its CRM template, and the bridge tells calls as they happen."
    yield "1. Admin Console > Settings > CRM: upload deploy/threecx/bitbylaw-crm.xml (needs the PRO edition)."
    yield f"2. Service URL: {deps.public_url}   API key: the value of THREECX_TEMPLATE_KEY"
    yield f"   It opens only {LOOKUP} and {REPORT}; administrators of the phone system can read it."
    yield '3. Set "Match exactly" for numbers, and query the CRM always, also for numbers in the phone book.'
    yield "4. Switch call journaling on, press Test with a known number, then call from a mobile phone."
    yield "5. For pops at the first ring: Integrations > API > add a second client with Call Control only, list every"
    yield "   extension, and run python -m functions.threecx.bridge with it (Enterprise edition)."
