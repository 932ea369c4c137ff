"""Health: what a platform asks."""

import httpx


def test_process_answers(anonymous: httpx.Client) -> None:
    assert anonymous.get("/healthz").json() == {"status": "ok"}


def test_database_answers(anonymous: httpx.Client) -> None:
    assert anonymous.get("/readyz").json() == {"status": "ok"}
