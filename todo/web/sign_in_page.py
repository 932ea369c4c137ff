"""The sign-in page."""

from typing import Any

from flask import Response

from todo.accounts import passkeys
from todo.errors import Refusal
from todo.service import current
from todo.web import account_forms, browser

JSON = dict[str, Any]


def show(
    next_: str, typed: JSON | None = None, draft: JSON | None = None, refusal: Refusal | None = None, status: int = 200
) -> Response:
    """Returns the page, with what was typed into it and a draft to keep. After sign-in it leads to `next_`."""
    return browser.page(
        "sign_in.html",
        refusal,
        status=status,
        next=next_,
        typed=typed or {},
        draft=draft,
        told=account_forms.refused(refusal) if refusal else None,
        passkey_host=passkeys.host_of(current.get().settings.public_url),
    )
