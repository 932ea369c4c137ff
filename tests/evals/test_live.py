"""The live runner, with a stand-in for the model: it is the runner that is tested, and no model."""

import re

import pytest

from evals import live
from evals.journey import journeys
from tests.evals.stand_in import KEY, NAME, stand_in


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in live.PREFIXES:
        for variable in live.SETTINGS.values():
            monkeypatch.delenv(prefix + variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def use(monkeypatch: pytest.MonkeyPatch, url: str, key: str = KEY) -> None:
    monkeypatch.setenv("EVAL_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("EVAL_MODEL", NAME)


def test_without_a_model_it_says_how_to_name_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert live.main([]) == 0
    assert capfd.readouterr().out == f"{live.SKIPPED}\n"


@pytest.mark.parametrize(
    ("arguments", "number"),
    [(["--only", "one by one"], 8), pytest.param([], len(journeys()), marks=pytest.mark.slow)],
    ids=["one group", "all"],
)
def test_good_calls_are_right(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str], number: int
) -> None:
    with stand_in() as url:
        use(monkeypatch, url)
        assert live.main(arguments) == 0
    written = capfd.readouterr().out
    assert written.startswith(NAME)
    assert f"{number} of {number} right" in written
    assert len(re.findall(r"\| right \|", written)) == number
    assert KEY not in written


def test_a_model_that_does_nothing_is_not_right(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with stand_in(lazy=True) as url:
        use(monkeypatch, url)
        assert live.main(["--only", "one by one"]) == 0
    written = capfd.readouterr().out
    assert "0 of 8 right" in written
    assert "no to-do became" in written


def test_a_busy_endpoint_is_asked_again(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(live, "PAUSE", 0.01)
    with stand_in(busy=2) as url:
        use(monkeypatch, url)
        assert live.main(["--only", "another time zone"]) == 0
    assert "1 of 1 right" in capfd.readouterr().out


def test_a_wrong_key_ends_it(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    with stand_in() as url:
        use(monkeypatch, url, key="another")
        assert live.main(["--only", "another time zone"]) == 1
    assert capfd.readouterr().out.startswith("The endpoint answered 401")
