"""What state machines run against: the service on a database of its own, which may be restarted."""

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from starlette.testclient import TestClient

from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY
from todo.app import create_app
from todo.config import Settings

SOAK = "SOAK" in os.environ


class Service:
    """The service on one database, which can be restarted."""

    def __init__(self, database_url: str, **given: Any) -> None:
        self.settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=database_url, **GENEROUS, **given)

    def __enter__(self) -> "Service":
        self.client = TestClient(create_app(self.settings), headers=AUTHORIZATION, follow_redirects=False)
        self.client.event_hooks = {"response": [check_answer]}
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__(None, None, None)

    def restart(self) -> None:
        self.__exit__()
        self.__enter__()


def run(machine: type[Any], database_url: str, *, examples: int, steps: int) -> None:
    """Runs a state machine on a migrated database of its own."""
    with Service(database_url) as service:
        run_on(service, machine, examples=examples, steps=steps)


def run_on(service: Service, machine: type[Any], *, examples: int, steps: int, shrink: bool = True) -> None:
    """Runs a state machine, which finds `service` and `database_url` in its class. In a soak no two runs are alike.

    Of a machine whose runs go on from each other, a failure cannot be shrunk.
    """
    run_state_machine_as_test(
        type(machine.__name__, (machine,), {"service": service, "database_url": service.settings.database_url}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not SOAK,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
