"""A 3CX for tests and the demo: the gateway contract, and a v20 with XAPI and Call Control."""

from sandbox.threecx.double import ThreeCx
from sandbox.threecx.v20 import ThreeCxV20

__all__ = ["ThreeCx", "ThreeCxV20"]
