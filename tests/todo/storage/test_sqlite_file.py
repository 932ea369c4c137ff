"""SQLite's file while the service runs: what is acknowledged is in the file at the path, or it is not acknowledged."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, migrate, migrated_sqlite
from todo.app import create_app
from todo.config import Settings
from todo.domain.users import Owner, find
from todo.errors import StorageUnavailable
from todo.storage.database import open_engine
from todo.storage.engine import StorageNotReady


@pytest.fixture
def file(tmp_path: Path) -> Path:
    migrated_sqlite(tmp_path)
    return tmp_path / "todo.db"


@pytest.fixture
def client(file: Path) -> Iterator[TestClient]:
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=f"sqlite:///{file}", **GENEROUS)
    with TestClient(create_app(settings), base_url="http://localhost:8000", headers=AUTHORIZATION) as client:
        client.event_hooks = {"response": [check_answer]}
        yield client


def put_a_backup_in_its_place(file: Path) -> None:
    shutil.copy(file, file.with_name("backup.db"))
    file.with_name("backup.db").replace(file)


def remove_it_and_make_another(file: Path) -> None:
    file.unlink()
    migrate(f"sqlite:///{file}")


@pytest.mark.parametrize(
    "replace", [put_a_backup_in_its_place, remove_it_and_make_another, Path.unlink], ids=["moved", "made anew", "gone"]
)
def test_a_write_to_a_replaced_file_is_refused(
    client: TestClient, file: Path, replace: Callable[[Path], object]
) -> None:
    assert client.post("/todos/kevin", json={"todo": "before"}).status_code == 201
    assert client.get("/readyz").status_code == 200
    replace(file)
    answers = [client.post("/todos/kevin", json={"todo": f"after {number}"}) for number in range(20)]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "storage_unavailable")}
    assert client.get("/readyz").status_code == 503


def test_a_link_that_leads_elsewhere_is_another_file(tmp_path: Path, file: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(file)
    engine = open_engine(f"sqlite:///{link}")
    engine.start()
    try:
        assert engine.submit_read(find, Owner("kevin")).result(10).id == 0
        migrate(f"sqlite:///{tmp_path}/other.db")
        link.unlink()
        link.symlink_to(tmp_path / "other.db")
        assert isinstance(engine.submit_write(find, Owner("kevin")).exception(10), StorageUnavailable)
    finally:
        engine.stop()


def test_a_file_that_is_no_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "todo.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageNotReady, match=r"todo\.db is no SQLite database: restore a backup"):
        open_engine(f"sqlite:///{tmp_path}/todo.db").start()


def test_a_file_that_is_no_database_any_more_is_unavailable(file: Path) -> None:
    engine = open_engine(f"sqlite:///{file}")
    engine.start()
    try:
        file.write_bytes(b"no database" * 10_000)
        with pytest.raises(StorageUnavailable):
            asyncio.run(engine.peek(find, Owner("kevin")))
        with pytest.raises(StorageUnavailable):
            asyncio.run(engine.read(find, Owner("kevin")))
    finally:
        engine.stop()
