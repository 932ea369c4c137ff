"""Errors that stop the start: every command prints one sentence for the operator and exits with status 1."""

import errno
import os
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from todo.config import Settings

ROOT = Path(__file__).parent.parent


class CannotStart(Exception):
    """The operator has to fix something: the message is one sentence that names it and the cure, and no secret."""


@contextmanager
def one_sentence() -> Iterator[None]:
    """Catches CannotStart: prints its sentence to stderr and exits with status 1."""
    try:
        yield
    except CannotStart as error:
        sys.exit(str(error))


def cause_of(error: Exception) -> str:
    """Returns in parentheses the type and message of an error in our code, and the file and line that raised it."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    message = str(error)
    if isinstance(error, SyntaxError):
        message = error.msg
        places.append((error.filename or "", error.lineno))
    elif isinstance(error, ImportError):
        message = message.replace(f" ({error.path})", "")
    said = " ".join(f"{type(error).__name__}: {message}".split())[:200].rstrip(".: ")
    ours = [place for place in places if Path(place[0]).is_relative_to(ROOT) and "site-packages" not in place[0]]
    file, line = ours[-1]
    return f"({said}, {Path(file).relative_to(ROOT)}, line {line})"


PORT_REFUSED = {
    errno.EADDRINUSE: "PORT {port} of {host} is in use: stop what listens there, or set another PORT.",
    errno.EACCES: "PORT {port} needs more rights than this user has: set one from 1024 to 65535.",
    errno.EADDRNOTAVAIL: "HOST {host} is no address of this machine: set 127.0.0.1, or 0.0.0.0 for all addresses.",
}


def require_port(settings: "Settings") -> None:
    """Raises CannotStart unless the service can listen at HOST and PORT."""
    if {"GUNICORN_FD", "LISTEN_FDS"} & os.environ.keys():
        return  # the socket is handed over open
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host.strip("[]"), settings.port))
        except OSError as error:  # socket.gaierror, too
            known = PORT_REFUSED.get(error.errno or 0)
            sentence = known or "HOST {host} cannot be listened on: set 127.0.0.1, or 0.0.0.0 for all addresses."
            raise CannotStart(sentence.format(host=settings.host, port=settings.port)) from None
