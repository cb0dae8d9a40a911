"""How gunicorn serves, with less patience, so that a test need not wait for long."""

from functions import gunicorn_worker
from functions.gunicorn_conf import *  # noqa: F403 - a configuration is read from a module's names

gunicorn_worker.SILENT_S = gunicorn_worker.HEAD_S = gunicorn_worker.BODY_S = 2.0
