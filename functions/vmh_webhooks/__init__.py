"""EspoCRM's webhooks and the party sync."""
