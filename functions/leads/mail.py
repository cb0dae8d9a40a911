"""Send mails by SMTP, and say what is in them."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from shared.domain.lead import TENANT
from shared.errors import UpstreamUnavailableError
from shared.last_look import look

TIMEOUT_S = 10.0
SUBJECT = "Ihre Anfrage bei den Vermieterhelden"
OPT_IN_SUBJECT = "Bitte bestätigen Sie Ihre Anmeldung zum Newsletter"
_REPLY = """Guten Tag,

Ihre Anfrage ist bei uns eingegangen. Wir melden uns bei Ihnen{when}.

Bitte beachten Sie: Mit dieser Nachricht ist noch kein Mandat zustande gekommen. Laufende Fristen laufen weiter.
Wenn Sie einen Termin oder eine Frist haben, rufen Sie uns bitte an.

Mit freundlichen Grüßen
"""
_NEUTRAL = """Guten Tag,

Ihre Nachricht ist bei uns eingegangen.

Bitte beachten Sie: Mit dieser Nachricht ist kein Mandat zustande gekommen. Laufende Fristen laufen weiter.

Mit freundlichen Grüßen
"""
_OPT_IN = """Guten Tag,

für diese Adresse wurde unser Newsletter angefordert. Bitte bestätigen Sie die Anmeldung innerhalb von 48 Stunden:

{link}

Wenn Sie den Newsletter nicht angefordert haben, müssen Sie nichts tun; die Adresse wird dann gelöscht.
"""
_WHEN = {"sofort": " so schnell wie möglich", "hoch": " kurzfristig", "normal": " in der Regel am nächsten Arbeitstag"}


@dataclass(frozen=True)
class Mailer:
    """Sends one mail at a time through the configured server (`smtp://user:password@host:port` or `smtps://`)."""

    url: str
    sender: str

    def send(self, to: str, subject: str, text: str, *, automatic: str = "auto-replied") -> None:
        """Send it; a server that cannot be reached or refuses is an upstream that does not answer."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=self.sender.rpartition("@")[2])
        message["Auto-Submitted"] = automatic
        message.set_content(text)
        look()
        try:
            self._deliver(message)
        except (OSError, smtplib.SMTPException) as error:
            raise UpstreamUnavailableError("smtp", "the mail server did not take the mail") from error

    def _deliver(self, message: EmailMessage) -> None:
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "localhost", parts.scheme == "smtps"
        port = parts.port or (465 if secure else 25)
        context = ssl.create_default_context()
        opened = (
            smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
            if secure
            else smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        )
        with opened as server:
            server.ehlo()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)


def sender_of(url: str, configured: str | None, base_url: str | None) -> str:
    """Find the address that our mails come from."""
    user = unquote(urlsplit(url).username or "")
    return configured or (user if "@" in user else f"noreply@{urlsplit(base_url or '').hostname or 'localhost'}")


def reply_text(kind: str, urgency: str) -> str:
    """Write what somebody gets back: nothing of the message, no mandate, deadlines keep running."""
    return _NEUTRAL if kind == TENANT else _REPLY.format(when=_WHEN.get(urgency, ""))


def opt_in_text(link: str) -> str:
    """Write the mail that asks for a confirmation, without advertising."""
    return _OPT_IN.format(link=link)
