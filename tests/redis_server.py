"""The real Redis of the tests is the one of the demo."""

from sandbox.embedded_redis import RedisServer, executable, free_port, running

__all__ = ["RedisServer", "executable", "free_port", "running"]
