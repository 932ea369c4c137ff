"""What gunicorn runs in each worker process."""

import resource
from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker

from todo.server.connections import CONNECTIONS, RESERVED, Connections


class Worker(UvicornWorker):
    """What gunicorn runs: uvicorn with these limits. WebSockets are not spoken, and so not logged either."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "auto", "ws": "none"}

    def init_process(self) -> None:
        _set_limit()
        self.config.http = Connections()
        super().init_process()


def _set_limit() -> None:
    """Lets the worker open as many files and connections as it may need, where the system does, as Go and nginx do."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = CONNECTIONS + RESERVED
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
