"""Runs what `make conformance` has installed beside this file."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BIN = HERE / "node_modules" / ".bin"


def environ(home: Path) -> dict[str, str]:
    """Returns what a program of Node sees: its own Node first, and a home of its own."""
    return {"PATH": f"{BIN}{os.pathsep}{os.defpath}", "HOME": str(home), "NO_COLOR": "1"}


def run(home: Path, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Returns what a program of Node has written, and its exit status."""
    return subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=HERE,
        env=environ(home),
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
