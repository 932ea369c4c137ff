"""Prism, which checks what passes between a client and the service against a contract."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from conformance import node
from tests.e2e.processes import free_port, started


@contextlib.contextmanager
def between(contract: Path, url: str, folder: Path) -> Iterator[str]:
    """Yields the address of a proxy to the service at `url`. Whatever breaks the contract becomes an error there."""
    port = str(free_port())
    folder.mkdir()
    environ = {**node.environ(folder), "PORT": port, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    command = [str(node.programs() / "prism"), "proxy", str(contract), url, "--errors", "--port", port]
    with started(command, environ) as proxy:
        proxy.wait_until_written("Prism is listening")
        yield proxy.url
