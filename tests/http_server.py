"""A small HTTP server in the test's own process, for what the service or a browser asks of somebody else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

POLL_SECONDS = 0.01  # in which an end is noticed; the library's half a second was the longest part of many a test


@contextmanager
def answering(server: HTTPServer) -> Iterator[str]:
    """Lets a server answer in a thread of its own, and yields its URL without a path."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
