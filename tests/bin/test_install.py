"""bin/install chooses an interpreter and a tool, says what it does, and refuses what cannot work in one sentence."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT

NEEDED = ("sh", "make", "grep", "sed", "rm", "mkdir", "chmod", "touch", "expr", "getconf", "cp")
# It answers as an interpreter would: whether it is supported, its version, and `-m venv`, which makes one of it.
PYTHON = """#!/bin/sh
case "$*" in
    *sys.exit*) exit {unsupported} ;;
    *python_version*) echo {version} ;;
    *ensurepip*) exit {ensurepip} ;;
    "-m venv .venv") mkdir -p .venv/bin; sed s/^HAS_PIP=.*/HAS_PIP=1/ "$0" > .venv/bin/python; chmod +x .venv/bin/python
        echo "venv of {version}" >> log ;;
    "-m pip --version") [ "$HAS_PIP" ] ;;
    *) echo "{version} $*" >> log ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >> log
[ "$1" != venv ] || {{ mkdir -p .venv/bin; cp "$4" .venv/bin/python; }}
exit {status}
"""


class Machine:
    """A machine that has only the programs that are named, and a clone of this repository."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.clone = folder / "clone"
        (self.clone / "bin").mkdir(parents=True)
        for name in NEEDED:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        for name in ("Makefile", "requirements.txt", "bin/install"):
            (self.clone / name).symlink_to(ROOT / name)

    def has(self, name: str, text: str) -> str:
        (self.bin / name).write_text(text, "utf-8")
        (self.bin / name).chmod(0o755)
        return str(self.bin / name)

    def has_python(self, name: str, version: str, *, ensurepip: bool = True) -> str:
        unsupported = int(version.split(".")[1] not in ("11", "12", "13"))
        text = PYTHON.format(unsupported=unsupported, version=version, ensurepip=int(not ensurepip))
        return self.has(name, text.replace("case", "HAS_PIP=\ncase", 1))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": str(self.clone)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
        )

    def install(self) -> str:
        """Returns what `make .venv/bin/.run` says. Raises AssertionError if it fails."""
        done = self.run("make", ".venv/bin/.run")
        assert done.returncode == 0, done.stdout
        assert (self.clone / ".venv" / "bin" / ".run").exists()
        return done.stdout

    @property
    def log(self) -> list[str]:
        return (self.clone / "log").read_text("utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    sentence, status = done.stdout.splitlines()
    assert status.startswith("make: *** ")
    assert done.returncode == 2  # make's own
    return sentence


def test_too_old(machine: Machine) -> None:
    old = machine.has_python("python3.10", "3.10.13")
    machine.has_python("python3.12", "3.12.1")
    assert refusal(machine.run("make", "run", f"PYTHON={old}")) == (
        f"Python 3.11, 3.12 or 3.13 is needed, and {old} is 3.10.13: "
        "install one of them, or name one that you have, as in `make run PYTHON=python3.12`."
    )
    assert not (machine.clone / ".venv").exists()


def test_none(machine: Machine) -> None:
    assert "Python 3.11, 3.12 or 3.13 is needed, and python3 is not found: " in refusal(machine.run("make", "run"))


def test_without_venv(machine: Machine) -> None:
    machine.has_python("python3", "3.11.2", ensurepip=False)
    *_, sentence, _ = machine.run("make", "run").stdout.splitlines()
    assert sentence == "python3 cannot make a .venv with pip: install its package python3-venv, or uv."


def test_pip(machine: Machine) -> None:
    """The one on the path is too old, and another is there."""
    machine.has_python("python3", "3.10.13")
    machine.has_python("python3.12", "3.12.1")
    first, second = machine.install().splitlines()
    assert first == "Setting up .venv with Python 3.12.1 ..."
    assert second.startswith("Installing the ")
    assert second.endswith(" packages of requirements.txt with pip; uv would be faster ...")
    options = "--quiet --disable-pip-version-check --no-compile --no-deps"
    assert machine.log == ["venv of 3.12.1", f"3.12.1 -m pip install {options} -r requirements.txt"]


def test_uv(machine: Machine) -> None:
    python = machine.has_python("python3", "3.13.0")
    machine.has("uv", UV.format(status=0).replace("$4", python))
    first, second = machine.install().splitlines()
    assert first == "Setting up .venv with Python 3.13.0 ..."
    assert second.endswith(" packages of requirements.txt with uv ...")
    install = "uv pip install --quiet --no-deps --python .venv/bin/python -r requirements.txt"
    assert machine.log == ["uv venv --quiet --python python3 .venv", install]


def test_pip_where_uv_fails(machine: Machine) -> None:
    """Of an index that only pip is told of, for one."""
    machine.has_python("python3", "3.13.0")
    machine.has("uv", UV.format(status=1).replace("$4", os.devnull))
    machine.install()
    assert machine.log[-1].startswith("3.13.0 -m pip install ")


def test_a_venv_of_another_python_is_kept(machine: Machine) -> None:
    machine.has_python("python3", "3.12.1")
    machine.install()
    os.utime(machine.clone / ".venv" / "bin" / ".run", (0, 0))
    machine.has_python("python3", "3.13.0")
    [line] = machine.install().splitlines()
    assert line.startswith("Installing the ")
    assert "venv of 3.13.0" not in machine.log
