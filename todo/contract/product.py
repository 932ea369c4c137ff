"""The product's name and texts, from `info` of spec/openapi.yaml, for pages, e-mails, files and the realm of tokens."""

from typing import Any

from todo.contract.document import API


def _said(*keys: str) -> Any:
    """Returns a value of info. Raises ContractError, which names the missing value."""
    found: Any = API.document["info"]
    for key in keys:
        if not isinstance(found, dict) or not found.get(key):
            raise API.error(("info", *keys), f"{'.'.join(keys)} is missing: the service says it to people")
        found = found[key]
    return found


TITLE = str(_said("title"))
NAME = str(_said("x-plugin", "name_for_model"))  # for programs: one word of letters and digits
THING = str(_said("x-pages", "thing"))
TAGLINE = str(_said("x-pages", "tagline"))
HEADLINE = str(_said("x-pages", "headline"))
INVITATION = str(_said("x-pages", "invitation"))
SAYINGS = tuple(map(str, _said("x-pages", "sayings")))
STORED = tuple(map(str, _said("x-pages", "stored")))
