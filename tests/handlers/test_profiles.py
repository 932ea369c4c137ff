"""The operations on profiles."""

from datetime import UTC, datetime

import httpx
import pytest
import time_machine

REGION = "openai-subdivision-1-iso-code"


def profile(client: httpx.Client, name: str, region: str = "") -> dict:
    response = client.get(f"/profiles/{name}", headers={REGION: region} if region else {})
    assert response.status_code == 200
    return response.json()


@time_machine.travel(datetime(2026, 11, 22, 16, 5, tzinfo=UTC), tick=False)
def test_profile_of_a_list_that_nobody_wrote_to(client: httpx.Client, name: str) -> None:
    assert profile(client, name) == {
        "username": name,
        "time_zone": "UTC",
        "time_zone_guessed": True,
        "local_now": "2026-11-22T16:05",
        "weekday": "Sunday",
        "week_start": "monday",
        "counts": {"open": 0, "overdue": 0, "done": 0, "deleted": 0},
        "lists": [{"name": "Inbox", "open": 0, "overdue": 0}],
        "tags": [],
    }


def test_counts(client: httpx.Client, name: str) -> None:
    for number, due in enumerate(("2020-01-01", None, None, None)):
        client.post(f"/todos/{name}", json={"todo": f"x{number}", "due": due})
    client.post(f"/todos/{name}/2/complete")
    client.delete(f"/todos/{name}/3")
    assert profile(client, name)["counts"] == {"open": 2, "overdue": 1, "done": 1, "deleted": 1}


@pytest.mark.parametrize(
    ("region", "zone"), [("US-CA", "America/Los_Angeles"), ("DE", "Europe/Berlin"), ("XX-\xff", "UTC"), ("'--", "UTC")]
)
def test_guess_from_the_region(client: httpx.Client, name: str, region: str, zone: str) -> None:
    response = client.get(f"/profiles/{name}", headers={REGION: region.encode("latin-1")})
    assert (response.json()["time_zone"], response.json()["time_zone_guessed"]) == (zone, True)


def test_the_first_guess_is_kept(client: httpx.Client, name: str) -> None:
    client.post(f"/todos/{name}", json={"todo": "x"}, headers={REGION: "US-CA"})
    assert profile(client, name, "DE")["time_zone"] == "America/Los_Angeles"


def test_a_late_guess_is_not_kept(client: httpx.Client, name: str) -> None:
    client.post(f"/todos/{name}", json={"todo": "x"})
    client.post(f"/todos/{name}", json={"todo": "y"}, headers={REGION: "DE"})
    assert [profile(client, name, region)["time_zone"] for region in ("DE", "")] == ["Europe/Berlin", "UTC"]


def test_update_is_kept_whatever_the_region_says(client: httpx.Client, name: str) -> None:
    answer = client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"}, headers={REGION: "US-CA"}).json()
    assert (answer["time_zone"], answer["time_zone_guessed"]) == ("Asia/Tokyo", False)
    client.post(f"/todos/{name}", json={"todo": "x"}, headers={REGION: "US-CA"})
    assert profile(client, name, "US-CA") == {**profile(client, name), "time_zone": "Asia/Tokyo"}


def test_due_keeps_its_local_time_when_the_zone_changes(client: httpx.Client, name: str) -> None:
    client.post(f"/todos/{name}", json={"todo": "x", "due": "2026-11-27T18:00"})
    client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"})
    assert client.get(f"/todos/{name}/1").json()["due"] == "2026-11-27T18:00"


@pytest.mark.parametrize(
    "body",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": "/etc/localtime"},
        {"time_zone": ""},
        {"time_zone": None},
        {"time_zone": 1},
        {"time_zone": "UTC\n"},
        {"time_zone": "Factory"},
        {},
    ],
)
def test_refuses(client: httpx.Client, name: str, body: dict) -> None:
    response = client.patch(f"/profiles/{name}", json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "time_zone"


def test_without_token(anonymous: httpx.Client, name: str) -> None:
    assert anonymous.get(f"/profiles/{name}").status_code == 401
    assert anonymous.patch(f"/profiles/{name}", json={"time_zone": "UTC"}).status_code == 401
