"""Where the public reaches the leads; by itself, so that a start need not load what answers there."""

CONFIRM = "/api/leads/newsletter/confirm"
