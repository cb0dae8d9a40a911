"""Name every Redis key of ours and say how long it lives."""

DB_LEADS = 0  # leads, calls, outbox and their queues
DB_STATE = 1  # caches, locks, pending sets, the queues of parties and employees
DB_RATE = 2  # the rate limit towards Google

# STRING, at most 53 min, see token.lifetime_s
ADVOWARE_TOKEN = "advoware_access_token"  # noqa: S105 - a name
# STRING, epoch seconds when it was asked for; lives and dies with the token
ADVOWARE_TOKEN_TIMESTAMP = "advoware_token_timestamp"  # noqa: S105 - a name
GOOGLE_BUCKET = "google_calendar_api_tokens"  # HASH tokens, ts; twice the fill time + 1 s

BETEILIGTE = "vmh:beteiligte"
CALENDAR_SYNC = "calendar_sync"
LEAD = "lead"
THREECX = "threecx"

BETEILIGTE_CREATE = "vmh:beteiligte:create_pending"  # SETs of ids that need a run: no expiry,
BETEILIGTE_UPDATE = "vmh:beteiligte:update_pending"  # an id leaves when a worker claims it
BETEILIGTE_DELETE = "vmh:beteiligte:delete_pending"  # or when it becomes a dead letter
CALENDAR_PENDING = "calendar_sync:sync_pending"  # as above, of kuerzel
LEAD_PENDING = "lead:intake_pending"
CALL_PENDING = "threecx:journal_pending"

EVIDENCE = "upstream:answered"  # HASH upstream -> ms of its last good answer; no expiry, one field each
FAILURES = "upstream:failed"  # HASH upstream -> why|ms of its last failure; no expiry, one field each

DIRTY_PREFIX = "calendar_sync:dirty:"

QUEUE_GROUP = "workers"  # the one consumer group of each queue

# Each queue's helper keys, in the order in which its scripts receive them. None expires by itself.
QUEUE_SUFFIXES = (
    "queue",  # STREAM of ids to run; an entry goes when its message is acknowledged
    "processing",  # ZSET id -> end of its lease in ms; until DONE, FAIL or REAP
    "owner",  # HASH id -> token|fence|ops; as above
    "fence",  # counter of claims; for ever
    "attempts",  # HASH id -> count|first failure ms|last failure ms; until DONE or dead
    "delayed",  # ZSET id -> when it is due in ms; until claimed or due
    "dead",  # STREAM of dead letters; until redriven or discarded
    "unsent",  # ZSET op|id -> µs; until the transport has it or a worker claims it
    "since",  # ZSET id -> ms since when it waits; until DONE or dead
)


def queue_keys(name: str) -> list[str]:
    """List a queue's helper keys in the order of its scripts."""
    return [f"{name}:{suffix}" for suffix in QUEUE_SUFFIXES]


def employee_lock(kuerzel: str) -> str:
    """Name the lock of one employee's sync: STRING, CALENDAR_LOCK_SECONDS (5 min), renewed while at work."""
    return f"calendar_sync:lock:{kuerzel}"


def dirty(kuerzel: str) -> str:
    """Name the mark of a trigger that met a held lock: STRING, until the next run clears it."""
    return f"{DIRTY_PREFIX}{kuerzel}"


def fence(kuerzel: str) -> str:
    """Name the counter that numbers an employee's lock holders: STRING, for ever."""
    return f"calendar_sync:fence:{kuerzel}"


def google_access_token(subject_hash: str) -> str:
    """Name a Google access token by the hash of its subject: STRING, shorter than the token's life."""
    return f"google_access_token:{subject_hash}"
