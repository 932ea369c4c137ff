"""The service with access tokens that live for ACCESS_TOKEN_SECONDS, and room for many clients at one address."""

import os

from todo.contract import SITE

SITE.document["info"]["x-limits"].update(
    access_token_seconds=int(os.environ["ACCESS_TOKEN_SECONDS"]),
    sign_ups_per_address=1000,
    registrations_per_address=1000,
)

from wsgi import app  # noqa: E402  it reads the limits once

__all__ = ["app"]
