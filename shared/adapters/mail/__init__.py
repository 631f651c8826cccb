"""Letters over SMTP, or into the log."""

import logging
from urllib.parse import unquote, urlsplit

from shared.core.errors import Terminal, Transient
from shared.ports.mail import Letter

__all__ = ["LoggedMail", "SmtpMail"]

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 20
_PASSING = 500
_PORTS = {"smtp": 587, "smtps": 465}


class LoggedMail:
    """Mail of a deployment without a mail server: what would have been sent stands in the log."""

    def send(self, letter: Letter) -> bool:
        """Log that there is a letter, without its text."""
        _LOG.info("no mail server: not sent: %s", letter.subject, extra={"recipients": len(letter.recipients)})
        return False


class SmtpMail:
    """Mail through a server: `smtps://user:password@host:465`, or `smtp://...` (STARTTLS whenever the server offers it)."""

    def __init__(self, url: str, sender: str) -> None:
        """Take the server's address and who the letters are from."""
        parts = urlsplit(url)
        self._secure = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender

    def send(self, letter: Letter) -> bool:
        """Send a letter to all its recipients, each of whom sees only himself."""
        import smtplib

        try:
            self._deliver(letter)
        except smtplib.SMTPResponseException as refusal:
            code = f"smtp_{refusal.smtp_code}"
            if refusal.smtp_code >= _PASSING:
                raise Terminal(code, "The mail server refused the letter.") from None
            raise Transient(code, "The mail server did not take the letter now.") from None
        except smtplib.SMTPRecipientsRefused as refusal:
            if any(code < _PASSING for code, _ in refusal.recipients.values()):
                raise Transient("mail", "The mail server did not take the recipients now.") from None
            raise Terminal("recipients_refused", "The mail server refused every recipient.") from None
        except (OSError, smtplib.SMTPException) as trouble:
            raise Transient("mail", "The mail server cannot be reached now.") from trouble
        return True

    def _deliver(self, letter: Letter) -> None:
        import smtplib
        import ssl
        from email.message import EmailMessage

        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, "undisclosed-recipients:;", letter.subject
        message["Message-ID"] = f"<{letter.message_id}@onhand>"
        message.set_content(letter.text)
        context = ssl.create_default_context()
        server = (
            smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_S, context=context)
            if self._secure
            else smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S)
        )
        with server:
            if not self._secure and server.has_extn("starttls"):
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._password)
            server.send_message(message, self._sender, list(letter.recipients))
