"""What makes plain `gunicorn wsgi:app` right. Addresses and workers come from the settings."""

import gc
import sys
import warnings

from todo.config import ConfigError, Settings, load_environ

# Connexion 3.3 imports a test client that is of no use here; an operator can do nothing about its warning.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")

try:
    settings = Settings.from_env(load_environ())
except ConfigError as error:
    sys.exit(str(error))

bind = f"{settings.host}:{settings.port}"
workers = settings.web_concurrency
worker_class = "todo.http.worker.Worker"
# Loading once, before the workers fork, makes a wrong setting or contract stop the start instead of each worker.
preload_app = True
# A platform gives 30 seconds between SIGTERM and SIGKILL: answers under way get most of them.
graceful_timeout = 25
timeout = 60
keepalive = 15
# Nobody's X-Forwarded-For is believed here: PROXIES says whose is, to the one place that asks.
forwarded_allow_ips = ""
# No command reaches a running service but signals.
control_socket_disable = True


def post_fork(server: object, worker: object) -> None:  # noqa: ARG001
    """Spares each worker from looking for garbage among what was loaded once and stays, or after each few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
