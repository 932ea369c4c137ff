"""E-mail leaves by a real mail server, encrypted where it must be, and nobody waits for it."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.processes import free_port
from tests.mail import mail_server, new_certificate
from todo.accounts import mailer as mailers
from todo.accounts.mailer import Mail, Mailer
from todo.contract import SITE, product
from todo.errors import Overloaded

MAIL = Mail("kevin@example.com", "A subject", "Grüße,\n\nhttps://todo.example.com/a/link\n")
SENDER = "operator@example.com"


@contextmanager
def started(url: str) -> Iterator[Mailer]:
    """Yields a mailer, all of whose mail has left when it ends."""
    mailer = Mailer(url, SENDER)
    mailer.start()
    try:
        yield mailer
    finally:
        mailer.stop()


def test_a_message_arrives(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server() as (inbox, port):
        with started(f"smtp://localhost:{port}") as mailer:
            mailer.submit(lambda: MAIL)
        letter = inbox.next()
    assert (letter.sender, letter.to) == (SENDER, [MAIL.to])
    assert letter.message["From"] == f"{product.TITLE} <{SENDER}>"
    assert (letter.message["To"], letter.message["Subject"]) == (MAIL.to, MAIL.subject)
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.text == MAIL.text
    assert not caplog.records


def test_a_job_may_send_nothing() -> None:
    with mail_server() as (inbox, port), started(f"smtp://localhost:{port}") as mailer:
        mailer.submit(lambda: None)
    assert inbox.size == 0


class TestEncryption:
    @pytest.fixture
    def certificate(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        """What the server shows, and clients of this process trust."""
        context, file = new_certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        return context

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    def test_the_password_is_sent_encrypted(self, certificate: ssl.SSLContext, scheme: str) -> None:
        with (
            mail_server(certificate, scheme=scheme, password="p@ss word") as (inbox, port),
            started(f"{scheme}://user:p%40ss%20word@localhost:{port}") as mailer,
        ):
            mailer.submit(lambda: MAIL)
        assert inbox.next().is_authenticated

    def test_a_server_with_another_name_gets_nothing(
        self, certificate: ssl.SSLContext, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (
            mail_server(certificate, scheme="smtp") as (inbox, port),
            started(f"smtp://127.0.0.1:{port}") as mailer,
        ):
            mailer.submit(lambda: MAIL)
        assert inbox.size == 0
        assert "SSLCertVerificationError" in caplog.text

    def test_only_this_machine_is_spoken_to_in_plain(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(mailers, "OF_THIS_MACHINE", ())
        with mail_server() as (inbox, port), started(f"smtp://localhost:{port}") as mailer:
            mailer.submit(lambda: MAIL)
        assert inbox.size == 0
        assert "SMTPNotSupportedError" in caplog.text


class TestTrouble:
    def test_it_is_logged_without_an_address_and_the_next_is_sent(self, caplog: pytest.LogCaptureFixture) -> None:
        with (
            mail_server(refuses="nobody@example.com") as (inbox, port),
            started(f"smtp://localhost:{port}") as mailer,
        ):
            mailer.submit(lambda: MAIL._replace(to="nobody@example.com"))
            mailer.submit(lambda: MAIL)
        assert inbox.size == 1
        assert "SMTPRecipientsRefused" in caplog.text
        assert "nobody" not in caplog.text

    def test_a_server_that_is_not_there(self, caplog: pytest.LogCaptureFixture) -> None:
        with started(f"smtp://localhost:{free_port()}") as mailer:
            mailer.submit(lambda: MAIL)
        assert "ConnectionRefusedError" in caplog.text

    def test_too_many_are_refused_at_once(self) -> None:
        is_running, may_end = threading.Event(), threading.Event()

        def stall() -> None:
            is_running.set()
            may_end.wait()

        with started("smtp://localhost:1") as mailer:
            try:
                mailer.submit(stall)
                assert is_running.wait(10)
                for _ in range(SITE.limit("mails_waiting")):
                    mailer.submit(lambda: None)
                with pytest.raises(Overloaded):
                    mailer.submit(lambda: None)
            finally:
                may_end.set()
