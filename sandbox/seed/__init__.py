"""Invent a German law firm, always the same one for the same seed."""

from sandbox.seed.clients import clients
from sandbox.seed.firm import firm
from sandbox.seed.people import people

__all__ = ["clients", "firm", "people"]
