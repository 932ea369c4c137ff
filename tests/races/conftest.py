"""What the races share."""

from collections.abc import Iterator

import pytest

from tests.races.workers import Workers


@pytest.fixture(scope="module")
def workers(database_url: str) -> Iterator[Workers]:
    with Workers(database_url) as both:
        yield both
