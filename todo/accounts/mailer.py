"""Sends e-mail from a thread of its own, so that neither a request nor a write waits for a mail server.

The only e-mail is the link that resets a password. There are no reminders.
"""

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from queue import Full, Queue
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from todo.contract import SITE, product
from todo.errors import Overloaded

TIMEOUT = 10.0  # seconds for each step of the conversation with the mail server
STOP_SECONDS = 15.0  # for what still waits when the service stops
PORTS = {"smtp": 587, "smtps": 465}
OF_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

log = logging.getLogger(__name__)


class Mail(NamedTuple):
    """A message of plain text to one address."""

    to: str
    subject: str
    text: str


Job = Callable[[], Mail | None]


class Mailer:
    """A bounded queue of jobs, each of which returns the mail to send, or None.

    `smtps` encrypts from the first byte, `smtp` with STARTTLS; without STARTTLS only a server on this machine is used.
    """

    def __init__(self, smtp_url: str, sender: str) -> None:
        self._server = urlsplit(smtp_url)
        self._sender = sender
        self._queue: Queue[Job | None] = Queue(SITE.limit("mails_waiting"))
        self._thread = threading.Thread(target=self._run, name="mailer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when everything is sent, or after STOP_SECONDS."""
        try:
            self._queue.put(None, timeout=STOP_SECONDS)
        except Full:
            return
        self._thread.join(STOP_SECONDS)

    def submit(self, job: Job) -> None:
        """Runs the job soon, and sends what it returns. Raises Overloaded if too many wait."""
        try:
            self._queue.put_nowait(job)
        except Full:
            raise Overloaded from None

    def _run(self) -> None:
        while job := self._queue.get():
            try:
                mail = job()
                if mail:
                    self._send(mail)
            except Exception as error:
                # Neither the address nor what the server says of it belongs in a log.
                log.error("an e-mail could not be sent: %s", type(error).__name__)

    def _send(self, mail: Mail) -> None:
        message = EmailMessage()
        message["From"] = Address(product.TITLE, addr_spec=self._sender)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        with self._connected() as server:
            self._secure(server)
            if self._server.username:
                server.login(unquote(self._server.username), unquote(self._server.password or ""))
            server.send_message(message, self._sender, [mail.to])

    def _connected(self) -> smtplib.SMTP:
        host, port = str(self._server.hostname), self._server.port or PORTS[self._server.scheme]
        if self._server.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=TIMEOUT)

    def _secure(self, server: smtplib.SMTP) -> None:
        """Encrypts a plain connection. Raises SMTPNotSupportedError if the server of another machine cannot."""
        server.ehlo()
        is_plain_here = self._server.hostname in OF_THIS_MACHINE and not server.has_extn("starttls")
        if self._server.scheme == "smtp" and not is_plain_here:
            server.starttls(context=ssl.create_default_context())
