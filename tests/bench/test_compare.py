"""What make bench makes of what wrk says."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import chart, record, wrk
from bench.compare import OURS, PEERS, Measured, Peer, check_survives, medians, rows, set_up, start
from bench.wrk import Figures
from dev.processes import ROOT

OUTPUT = """Running 2s test @ http://127.0.0.1:8000
  1 threads and 32 connections
{"requests": 4000, "duration": 2000000, "p50": 1500, "p99": 4250, "errors": 3}
"""


def measured(number: int, peer: str, rate: float, ratio: float, errors: int = 0) -> Measured:
    return Measured(number, peer, "GET", 32, Figures(1, rate, 1.0, 2.0, 3.0, errors), ratio)


def test_figures_are_per_second_and_per_request() -> None:
    assert wrk.figures(OUTPUT, cpu_seconds=1.0) == Figures(4000, 2000.0, 1.5, 4.25, 250.0, 3)


def test_median_is_of_each_peer_and_no_error_is_lost() -> None:
    rounds = [(1, 100.0, 1.0, 0), (2, 300.0, 3.0, 1), (3, 120.0, 1.5, 0)]
    found = medians([measured(*one[:1], peer, *one[1:]) for one in rounds for peer in ("a", "b")])
    assert [(one.peer, one.figures.requests_per_second, one.ratio, one.figures.errors) for one in found] == [
        ("a", 120.0, 1.5, 1),
        ("b", 120.0, 1.5, 1),
    ]


def test_spread_of_each_figure_is_kept() -> None:
    (row,) = rows([measured(number, "a", rate, rate / 100) for number, rate in enumerate((100.0, 300.0, 120.0))])
    assert (row["load"], row["peer"], row["connections"]) == ("GET", "a", 32)
    assert row["requests_per_second"] == {"median": 120.0, "min": 100.0, "max": 300.0}
    assert row["ratio"] == {"median": 1.2, "min": 1.0, "max": 3.0}


def test_results_are_a_row_a_line() -> None:
    text = record.as_text({"machine": {"cores": 2}}, [{"ratio": {"median": 1.23456}}, {"ratio": {"median": 2.0}}])
    assert json.loads(text) == {
        "machine": {"cores": 2},
        "rows": [{"ratio": {"median": 1.235}}, {"ratio": {"median": 2.0}}],
    }
    assert sum('"ratio"' in line for line in text.splitlines()) == 2


def test_chart_has_a_bar_for_each_peer_as_long_as_its_ratio() -> None:
    svg = ElementTree.fromstring(chart.draw({"GET": [("ours", 4.0), ("a <b>", 1.0)]}, ["A & B"], "ours"))
    bars = svg.findall("{http://www.w3.org/2000/svg}rect")
    assert [bar.get("class") for bar in bars] == ["ours", "bar"]
    assert float(bars[0].get("width", 0)) == 4 * float(bars[1].get("width", 0))


# Answers as a peer does, and keeps to-dos in memory.
FORGETFUL = """
import http.server, json, os

todos = []

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(todos).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        todos.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.do_GET()

http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def survive(peer: Peer, folder: Path) -> None:
    set_up(peer, folder)
    with start(peer, folder) as server:
        check_survives(peer, folder, server)


@pytest.mark.slow
def test_service_survives_a_sigkill(tmp_path: Path) -> None:
    survive(OURS, tmp_path / "ours")


def test_peer_that_loses_a_todo_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="forgetful lost a to-do"):
        survive(Peer("forgetful", ("python", "-c", FORGETFUL), durable=True), tmp_path / "forgetful")


def test_every_peer_is_a_row_of_the_readme() -> None:
    table = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert [peer.name for peer in PEERS if f"\n| {peer.name}" not in table] == []
