"""People who have just signed up at a running service, each at an address of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx

from tests.e2e.processes import Child
from tests.handlers.test_lists import Assistant
from tests.people import Person

_numbers = count(1)


def from_new_address() -> dict[str, str]:
    """Returns headers of a proxy that name an address that no other test has: few people may sign up from one."""
    high, low = divmod(next(_numbers), 250)
    return {"X-Forwarded-For": f"198.18.{high}.{low + 1}"}


@contextmanager
def signed_up(service: Child) -> Iterator[Assistant]:
    """Yields ChatGPT with the service key, at the list of somebody who has just signed up, with their session."""
    with httpx.Client(base_url=service.url, headers=from_new_address(), trust_env=False) as client:
        name = f"visitor{next(_numbers)}"
        assert Person(client, name).sign_up().status_code == 303
        yield Assistant(client, name)
