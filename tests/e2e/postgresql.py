"""A PostgreSQL server of a test's own, which crashes when told to and starts again with the same data."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dev.processes import children_of
from tests.e2e.processes import PATIENCE, wait_until

# Those that work, and may be about to commit, before those that wait for a call.
BUSIEST = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY state = 'idle', random() LIMIT 1
"""


class Server:
    """A server with its data and its socket below `folder`; `url` is the address of its database."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        """`user` is whom it runs as, if not as the user of this process."""
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "log.txt"
        self._user = user
        self.url = f"postgresql://postgres@/postgres?host={folder}"

    def make(self) -> None:
        """Makes an empty database; nothing runs yet."""
        if self._user:
            shutil.chown(self._data.parent, self._user)
        self._popen("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8").wait(PATIENCE)

    def start(self) -> None:
        """Starts the server; it accepts connections afterwards."""
        options = ["-k", str(self._data.parent), "-c", "listen_addresses=", "-c", "lc_messages=C"]
        self._process = self._popen("postgres", *options)
        wait_until(self._answers, "PostgreSQL does not answer")

    def kill(self) -> None:
        """Ends the postmaster at once. Its children notice and end too; this returns when none is left."""
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        children = children_of(self._process.pid)
        self._process.kill()
        self._process.wait(PATIENCE)
        wait_until(lambda: not any(map(_runs, children)), "children of PostgreSQL do not end")

    def kill_backend(self) -> None:
        """Ends a process that serves a client at once. PostgreSQL then ends all the others, and recovers."""
        with psycopg.connect(self.url) as connection:
            (backend,) = connection.execute(BUSIEST).fetchone() or (None,)
        assert backend, "PostgreSQL has no client"
        os.kill(backend, signal.SIGKILL)
        line = f"(PID {backend}) was terminated by signal 9"
        wait_until(lambda: line in self._log.read_text(encoding="utf-8"), "PostgreSQL has not crashed")

    def stop(self) -> None:
        """Ends it, whatever state it is in, and all that it has started."""
        children = children_of(self._process.pid) if self._process.poll() is None else []
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            for child in filter(_runs, children):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._programs / program, "-D", str(self._data), *arguments],
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url).close()
            return True
        return False


@contextlib.contextmanager
def new_server(like: str) -> Iterator[Server]:
    """Yields a running server, with the programs and the user of the one at the address `like`."""
    with psycopg.connect(like) as connection:
        (programs,) = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone() or ("",)
    # PostgreSQL refuses to run as root, and nobody else may enter pytest's own folder.
    user = Path(str(conninfo_to_dict(like)["host"])).owner() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="todo-crashes-") as name:
        server = Server(Path(programs), Path(name), user)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _runs(pid: int) -> bool:
    """Whether a process is there that has not ended; one that has stays until its parent asks for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
