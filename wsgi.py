"""The ASGI application that gunicorn serves: `gunicorn wsgi:app`."""

import sys

from todo.app import create_app
from todo.config import ConfigError, Settings, load_environ
from todo.http import access_log
from todo.http.operations import CannotCompile
from todo.manifest import ManifestError
from todo.storage.database import check_ready
from todo.storage.engine import StorageNotReady

access_log.configure()
try:
    settings = Settings.from_env(load_environ())
    app = create_app(settings)
    # Checked once, before the workers fork, so that an unmigrated database stops the start with one sentence.
    check_ready(settings.database_url)
except (ConfigError, ManifestError, CannotCompile, StorageNotReady) as error:
    sys.exit(str(error))
