"""The gunicorn worker."""

import asyncio
import os
import resource
import signal
import sys
import threading
import time
from typing import Any, ClassVar

from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker

from todo.server.connections import CONNECTIONS, RESERVED, Connections

RESTART_SECONDS = 1.0  # between two attempts to start
QUICK_SECONDS = 3.0  # for the requests in progress after SIGINT or SIGQUIT to the master


class Worker(UvicornWorker):
    """Uvicorn with our limits.

    WebSockets are off, so that uvicorn does not log upgrades with their URLs, and so is its middleware for proxies:
    todo.http.client_address evaluates X-Forwarded-For, according to PROXIES.
    """

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "auto", "ws": "none", "proxy_headers": False}

    def init_process(self) -> None:
        _set_limit()
        self.config.http = Connections()
        super().init_process()

    def _install_sigquit_handler(self) -> None:
        """Ends as on SIGTERM, but soon. gunicorn's master sends this when it gets SIGINT; uvicorn would ignore it."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, self._end_soon)

    def _end_soon(self) -> None:
        signal.raise_signal(signal.SIGTERM)
        ending = threading.Timer(QUICK_SECONDS, os._exit, [0])  # not on the event loop, which ends earlier
        ending.daemon = True
        ending.start()

    def run(self) -> None:
        """Serves until told to stop. A worker that cannot start, for example while the database is down, is replaced.

        gunicorn would stop the other workers too. Wrong settings stop the start before workers fork.
        """
        try:
            super().run()
        except SystemExit as ended:
            if ended.code == Arbiter.WORKER_BOOT_ERROR:
                time.sleep(RESTART_SECONDS)
                sys.exit(1)
            raise


def _set_limit() -> None:
    """Raises the limit of open files to what the worker may need, as Go and nginx do."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = CONNECTIONS + RESERVED
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
