"""How somebody on the service's own machine claims a list that an assistant keeps."""

from todo.accounts import accounts
from todo.errors import Refusal
from todo.errors.access import UsernameTaken
from todo.service import current
from todo.web import browser


def command(refusal: Refusal, username: str) -> str | None:
    """Returns the command that lets a refused sign-up claim the list that an assistant keeps, or None.

    Only if the service runs on this machine: its user is then probably the operator, and nobody else learns which names
    are lists and which are accounts.
    """
    if not (isinstance(refusal, UsernameTaken) and current.get().settings.is_local):
        return None
    is_kept = browser.read(accounts.holder_of, username.lower()) == "assistant"
    return f"make claim USERNAME={username.lower()}" if is_kept else None
