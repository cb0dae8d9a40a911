"""The predecessor's way, kept so that the chaos test can fail: read the set, add what is new, emit, remove later."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import redis

from shared.mapping.beteiligte import Names, changes, from_entity, new_beteiligte

SETS = "vmh:beteiligte:{}_pending"


def connect() -> redis.Redis:
    """Connect as the library does by itself."""
    return redis.Redis.from_url(os.environ["REDIS_URL"], db=1, decode_responses=True)


def receive(client: redis.Redis, action: str, raw: bytes) -> int:
    """Dedup in two steps, emit in a third."""
    key, ids = SETS.format(action), {item["id"] for item in json.loads(raw)}
    try:
        existing = client.smembers(key)
        new = ids - existing
        if new:
            client.sadd(key, *new)
            client.rpush("naive:events", *(json.dumps([action, each]) for each in sorted(new)))
    except redis.RedisError:
        return 503
    return 200


def work() -> None:
    """Take an event, bring the record over, remove its id; what fails is tried again a few times."""
    from functions.vmh_webhooks.main import deps

    client, sync = connect(), deps().sync
    while True:
        try:
            event = client.blpop("naive:events", timeout=1)
        except redis.RedisError:
            time.sleep(0.05)
            continue
        if not event:
            continue
        action, record_id = json.loads(event[1])
        for _ in range(8):
            try:
                bring(sync, record_id)
                client.srem(SETS.format(action), record_id)
                break
            except Exception:  # noqa: BLE001 - as it was
                time.sleep(0.02)


def bring(sync: Any, record_id: str) -> None:
    """Create without a look, or update."""
    record = sync.espocrm.read(sync.entity, record_id)
    party, number = from_entity(record, Names()), record.get("betnr")
    if number is None:
        created = sync.parties.create(new_beteiligte(party))
        sync.espocrm.update(sync.entity, record_id, {"betnr": created["betNr"]})
        return
    row = sync.parties.read(number)
    sync.parties.replace(number, {**row, **changes(party, row, list(row))})
