"""Register our webhooks with EspoCRM and say what to put into the settings."""

from __future__ import annotations

from dataclasses import dataclass

from shared.espocrm.client import EspoCrmClient

ACTIONS = ("create", "update", "delete")


@dataclass(frozen=True)
class Registered:
    """The webhooks by event, each with its id and secret."""

    webhooks: dict[str, tuple[str, str]]

    @property
    def secrets_line(self) -> str:
        """Write the line for the settings."""
        return "ESPOCRM_WEBHOOK_SECRETS=" + ",".join(f"{name}:{secret}" for name, secret in self.webhooks.values())


def register(base_url: str, client: EspoCrmClient, entity: str) -> Registered:
    """Make sure of one webhook per action at its own address; those that are there already are kept.

    EspoCRM tells neither event nor entity in a delivery, so each event needs an address of its own.
    """
    there = {(row.get("event"), row.get("url")): row for row in client.find("Webhook", select=_FIELDS)}
    found = {}
    for action in ACTIONS:
        event, url = f"{entity}.{action}", f"{base_url.rstrip('/')}/vmh/webhook/beteiligte/{action}"
        webhook = there.get((event, url)) or client.register_webhook(event, url)
        found[event] = (str(webhook["id"]), str(webhook["secretKey"]))
    return Registered(found)


_FIELDS = ("id", "event", "url", "secretKey")
