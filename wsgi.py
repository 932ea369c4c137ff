"""The ASGI application that gunicorn serves: `gunicorn wsgi:app`."""

import sys

from todo.startup import one_sentence

if __name__ == "__main__":
    sys.exit("wsgi.py starts nothing by itself: run `make run`, or `gunicorn wsgi:app` in this folder.")
if "gunicorn.app.wsgiapp" in sys.modules and "__config__" not in sys.modules:
    from gunicorn.errors import AppImportError

    # With gunicorn's own workers every request would be a 500.
    raise AppImportError("gunicorn has not read gunicorn.conf.py: start it in the folder of wsgi.py, without --chdir.")

with one_sentence():
    # Checked once, before the workers fork and before all the rest is imported.
    from todo.config import Settings, load_environ
    from todo.storage.database import check_ready

    settings = Settings.from_env(load_environ())
    check_ready(settings.database_url)

    from todo.app import create_app
    from todo.http import access_log

    access_log.configure()
    app = create_app(settings)
