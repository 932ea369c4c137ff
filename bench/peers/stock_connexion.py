"""The service on Connexion's stock middleware: same contract, handlers and storage, without compiled operations."""

from todo.app import create_app
from todo.config import Settings, load_environ
from todo.http import access_log

access_log.configure()
app = create_app(Settings.from_env(load_environ()), dispatcher="connexion")
