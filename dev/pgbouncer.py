"""Starts a real PgBouncer in transaction mode before a PostgreSQL server, on 127.0.0.1."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dev.processes import PATIENCE, free_port

# Debian installs it where only root's PATH leads.
FOLDERS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
PREPARED_SINCE = (1, 21)  # its version
CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
{more}
"""


def keeps_track() -> bool:
    """Whether there is a PgBouncer on this machine that can keep track of prepared statements."""
    binary = _find()
    if not binary:
        return False
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in answer.split()[1].split(".")) >= PREPARED_SINCE


@contextlib.contextmanager
def pgbouncer(server_url: str, folder: Path, *, connections: int, prepared: int = 0) -> Iterator[str]:
    """Yields the address of a database through PgBouncer, which shares so many connections to the server.

    It keeps track of so many prepared statements, if it can. Raises AssertionError if it is not installed.
    """
    binary = _find()
    assert binary, "pgbouncer is missing: apt-get install pgbouncer"
    server = conninfo_to_dict(server_url)
    known = {name: server[name] for name in ("host", "port", "user", "password") if server.get(name)}
    port = free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(
            server=" ".join(f"{name}={value}" for name, value in known.items()),
            port=port,
            connections=connections,
            more=f"max_prepared_statements = {prepared}" if keeps_track() else "",
        )
    )
    # It refuses to run as root, and the folder of the server's socket is its owner's alone.
    command = [binary, *(["-u", Path(str(server["host"])).owner()] if os.geteuid() == 0 else []), str(file)]
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    url = f"postgresql://{server['user']}@127.0.0.1:{port}/{server['dbname']}"
    try:
        _wait_until_it_answers(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def _find() -> str | None:
    return shutil.which("pgbouncer", path=FOLDERS)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url).close()
            return
        time.sleep(0.05)
    raise AssertionError("PgBouncer does not answer; its log is pgbouncer.log")
