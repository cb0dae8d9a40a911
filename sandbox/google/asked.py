"""Hold one checked call and say what carries it out."""

from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any] | None
NO_ANSWER: None = None


@dataclass(frozen=True)
class Asked:
    """Hold one checked call."""

    identity: str
    path: dict[str, str]
    params: dict[str, Any]
    body: dict[str, Any]
    if_match: str | None
    if_none_match: str | None
    uri: str
