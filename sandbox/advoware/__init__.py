"""A double of Advoware over HTTP, with a person's hands and faults on request."""

from sandbox.advoware.api import Paths
from sandbox.advoware.double import Advoware
from sandbox.advoware.extras import pattern
from sandbox.advoware.tokens import Account, fresh_body
from sandbox.advoware.visitor import Visitor

__all__ = ["Account", "Advoware", "Paths", "Visitor", "fresh_body", "pattern"]
