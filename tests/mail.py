"""A real mail server, on a port of its own, for tests that send e-mail."""

import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from queue import Queue
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dev.processes import PATIENCE, free_port


@dataclass
class Letter:
    """A message as it came in."""

    sender: str
    to: list[str]
    message: EmailMessage
    is_authenticated: bool

    @property
    def text(self) -> str:
        return str(self.message.get_content()).replace("\r\n", "\n")


class Inbox:
    """What a server has got. It refuses one recipient, if told so."""

    def __init__(self, refused: str) -> None:
        self._letters: Queue[Letter] = Queue()
        self._refused = refused

    @property
    def size(self) -> int:
        return self._letters.qsize()

    def next(self) -> Letter:
        """Returns the next letter, which may be on its way. Raises Empty if none comes."""
        return self._letters.get(timeout=PATIENCE)

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self._refused:
            return "550 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        message = cast(EmailMessage, message_from_bytes(bytes(envelope.content or b""), policy=policy.default))
        letter = Letter(str(envelope.mail_from), envelope.rcpt_tos, message, bool(session.authenticated))
        self._letters.put(letter)
        return "250 OK"


@contextmanager
def mail_server(
    certificate: ssl.SSLContext | None = None, *, scheme: str = "smtp", password: str = "", refuses: str = ""
) -> Iterator[tuple[Inbox, int]]:
    """Yields what a server has got, and its port. With a certificate it speaks only encrypted, by STARTTLS or at once.

    With a password, nobody but `user` may send.
    """
    inbox, starttls = Inbox(refuses), certificate if scheme == "smtp" else None

    def authenticate(_: Any, __: Any, ___: Any, ____: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=given == LoginPassword(b"user", password.encode()))

    server = Controller(
        inbox,
        "127.0.0.1",
        free_port(),
        ssl_context=certificate if scheme == "smtps" else None,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=authenticate,
        auth_required=bool(password),
        auth_require_tls=starttls is not None,
    )
    with warnings.catch_warnings():
        # It does not know that all of smtps is encrypted, and says so at each connection.
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
        server.start()
        try:
            yield inbox, server.port
        finally:
            server.stop()


def new_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Returns what the server `localhost` shows, and the file by which clients trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context, file
