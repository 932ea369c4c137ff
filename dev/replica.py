"""Starts a streaming replica of a PostgreSQL server that runs on this machine."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict


class Replica:
    """A standby that follows the primary; `url` is its address, for the database of the primary's."""

    def __init__(self, primary_url: str, programs: Path, folder: Path) -> None:
        primary = conninfo_to_dict(primary_url)
        self._programs = programs
        self._primary = primary
        self._data = folder / "data"
        # PostgreSQL refuses to run as root, so it runs as the user that the primary runs as.
        self._user = Path(str(primary["host"])).owner() if os.geteuid() == 0 else None
        self.url = f"postgresql://{primary['user']}@/{primary['dbname']}?host={folder}"

    def make(self) -> None:
        """Copies the primary and starts to follow it."""
        if self._user:
            shutil.chown(self._data.parent, self._user)
        host, user = str(self._primary["host"]), str(self._primary["user"])
        target = ["-D", str(self._data), "-h", host, "-U", user]
        self._run("pg_basebackup", *target, "--write-recovery-conf", "--checkpoint=fast")
        self.start()

    def start(self) -> None:
        """Starts the server; it accepts connections afterwards."""
        options = f"-k {self._data.parent} -c listen_addresses= -c hot_standby=on"
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-o", options, "-l", str(self._data.parent / "log.txt"), "start"
        )

    def stop(self) -> None:
        """Stops the server at once; it keeps its data."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def value(self, query: str) -> Any:
        """Returns the only value of the only row."""
        with psycopg.connect(self.url) as connection:
            (found,) = connection.execute(query).fetchone() or (None,)
        return found

    def pause(self) -> None:
        """Stops following: what is written from now on is not seen here."""
        self.execute("SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        self.execute("SELECT pg_wal_replay_resume()")

    def lag(self, seconds: int) -> None:
        """Follows so many seconds behind."""
        self.execute(f"ALTER SYSTEM SET recovery_min_apply_delay = '{seconds}s'")
        self.execute("SELECT pg_reload_conf()")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


@contextlib.contextmanager
def replica(primary_url: str, programs: Path, folder: Path) -> Iterator[Replica]:
    """Yields a running replica with its data below `folder`. `programs` is where the primary's are."""
    standby = Replica(primary_url, programs, folder)
    standby.make()
    try:
        yield standby
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            standby.stop()
