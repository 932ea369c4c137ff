"""What gunicorn serves: `gunicorn wsgi:app`."""

import sys

from todo import access_log
from todo.app import create_app
from todo.config import ConfigError, Settings, load_environ
from todo.manifest import ManifestError

access_log.configure()
try:
    app = create_app(Settings.from_env(load_environ()))
except (ConfigError, ManifestError) as error:
    sys.exit(str(error))
