"""The service with access tokens that expire after ACCESS_TOKEN_SECONDS, and with higher limits per address."""

import os

from todo.contract import SITE

SITE.document["info"]["x-limits"].update(
    access_token_seconds=int(os.environ["ACCESS_TOKEN_SECONDS"]),
    sign_ups_per_address=1000,
    registrations_per_address=1000,
)

from wsgi import app  # noqa: E402  limits are read on import

__all__ = ["app"]
