"""The gunicorn worker."""

import resource
from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker

from todo.server.connections import CONNECTIONS, RESERVED, Connections


class Worker(UvicornWorker):
    """Uvicorn with our limits. WebSockets are off, so that uvicorn does not log upgrades with their URLs."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "auto", "ws": "none"}

    def init_process(self) -> None:
        _set_limit()
        self.config.http = Connections()
        super().init_process()


def _set_limit() -> None:
    """Raises the limit of open files to what the worker may need, as Go and nginx do."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = CONNECTIONS + RESERVED
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
