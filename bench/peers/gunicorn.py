"""gunicorn's configuration for the Flask peer: one worker with threads."""

import os

bind = f"{os.environ['HOST']}:{os.environ['PORT']}"
workers = 1
threads = 4
control_socket_disable = True
