"""A mail server of our own that keeps what it is given."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.message import Message


class MailBox:
    """What arrived; `refusing` makes the server turn everything away."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refusing = False
        self.port = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def text(self, number: int = -1) -> str:
        return str(self.mails[number].get_payload(decode=True).decode())


@contextmanager
def mail_box() -> Iterator[MailBox]:
    box = MailBox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 box")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "QUIT":
                    return self._say("221 bye")
                if verb == "DATA":
                    self._say("354 go")
                    self._take()
                self._say("451 later" if box.refusing and verb == "MAIL" else "250 ok")
            return None

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline().decode()) != ".\r\n":
                lines.append(line)
            box.mails.append(message_from_string("".join(lines)))

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    box.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
