"""gunicorn's configuration, read by plain `gunicorn wsgi:app`. Bind address and workers come from the settings."""

import gc
import warnings

from todo import noted_url
from todo.config import Settings, load_environ
from todo.startup import one_sentence, require_port

# Connexion 3.3 imports Starlette's test client, which warns about httpx; an operator can do nothing about it.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")

with one_sentence():
    settings = Settings.from_env(load_environ())
    import todo.server.worker  # noqa: F401  which reads the contract: gunicorn would wrap its mistake in a traceback

bind = f"{settings.host}:{settings.port}"
workers = settings.web_concurrency
worker_class = "todo.server.worker.Worker"
# Load once before forking, so that a bad setting or contract stops the start rather than each worker.
preload_app = True
# Platforms allow 30 seconds between SIGTERM and SIGKILL; requests in flight get most of them.
graceful_timeout = 25
timeout = 60
keepalive = 15
# A running service is controlled by signals only.
control_socket_disable = True


def on_starting(server: object) -> None:  # noqa: ARG001
    """Says so if the port is in use, for which gunicorn would try five times."""
    with one_sentence():
        require_port(settings)


def when_ready(server: object) -> None:  # noqa: ARG001
    """Notes the address, for the operator's commands."""
    noted_url.note(settings)


def post_fork(server: object, worker: object) -> None:  # noqa: ARG001
    """Exempts what is already loaded from garbage collection, and makes collections rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
