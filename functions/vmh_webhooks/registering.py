"""Register our webhooks from the settings of this process, for the command line."""

from __future__ import annotations

from shared.espocrm.client import EspoCrmClient
from shared.espocrm.pause import Pause
from shared.espocrm.registration import Registered, register
from shared.http import HttpClient
from shared.settings.base import read
from shared.settings.common import RedisSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.state.connection import connect


def register_here(base_url: str) -> Registered:
    """Register the three webhooks below our public address; `secrets_line` goes into the settings."""
    settings = read(EspoCrmSettings)
    pause = Pause(connect(read(RedisSettings).url, 1))
    client = EspoCrmClient(settings, HttpClient("espocrm", settings.timeout_s), pause)
    return register(base_url, client, settings.beteiligte_entity)
