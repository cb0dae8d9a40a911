"""The Call Control socket of the v20 double, and hands that play a ring group, a queue and a transfer."""

import contextlib
import json
import socket
import threading
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from sandbox.threecx.v20 import ThreeCxV20

UPSERT, REMOVE = 0, 1


class ControlSocket:
    """Tells everybody who listens when a leg changes; `drop` cuts all connections."""

    def __init__(self, pbx: ThreeCxV20) -> None:
        self.pbx, self._listeners = pbx, set[ServerConnection]()
        self._ids, self._sequence = 100, 0
        self._server: Server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/callcontrol/ws"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def ring(self, dn: str, callid: int, number: str, **more: Any) -> str:
        """Let a phone ring."""
        self._ids += 1
        leg = {"id": self._ids, "callid": callid, "dn": dn, "status": "Ringing", "party_caller_id": number}
        leg |= {"party_dn_type": "Wexternalline", "party_dn": "10000", "originated_by_dn": "10000"}
        self.pbx.lines.setdefault(dn, []).append({**leg, **more})
        self._tell(UPSERT, dn, self._ids)
        return str(self._ids)

    def answer(self, dn: str, leg_id: str) -> None:
        """Let somebody pick up."""
        for leg in self.pbx.lines[dn]:
            if str(leg["id"]) == leg_id:
                leg["status"] = "Connected"
        for _ in range(2):  # the same news comes more than once
            self._tell(UPSERT, dn, int(leg_id))

    def leave(self, dn: str, leg_id: str, *, silent: bool = False) -> None:
        """Let a leg go."""
        self.pbx.lines[dn] = [leg for leg in self.pbx.lines[dn] if str(leg["id"]) != leg_id]
        if not silent:
            self._tell(REMOVE, dn, int(leg_id))

    @property
    def listeners(self) -> int:
        """Count who listens."""
        return len(self._listeners)

    def drop(self) -> None:
        """Cut all connections."""
        while self._listeners:
            with contextlib.suppress(OSError, KeyError):
                self._listeners.pop().socket.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        if request is None or request.headers.get("Authorization") != f"Bearer {self.pbx.token}":
            connection.close(1008)
            return
        self._listeners.add(connection)
        try:
            for _ in connection:
                pass
        except (ConnectionClosed, OSError):
            pass
        finally:
            self._listeners.discard(connection)

    def _tell(self, kind: int, dn: str, leg_id: int) -> None:
        self._sequence += 1
        event = {"event_type": kind, "entity": f"/callcontrol/{dn}/participants/{leg_id}", "attached_data": None}
        for each in list(self._listeners):
            with contextlib.suppress(ConnectionClosed):
                each.send(json.dumps({"sequence": self._sequence, "event": event}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()
        self._server.shutdown()
