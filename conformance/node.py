"""Runs what `make conformance` has installed beside this file, and `make audit` beside its own."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def programs(tools: Path = HERE) -> Path:
    """Returns where the programs are that are installed in the folder `tools`."""
    return tools / "node_modules" / ".bin"


def environ(home: Path, tools: Path = HERE) -> dict[str, str]:
    """Returns what a program of Node sees: its own Node first, and a home of its own."""
    return {"PATH": f"{programs(tools)}{os.pathsep}{os.defpath}", "HOME": str(home), "NO_COLOR": "1"}


def run(
    home: Path, *command: str, text: str = "", tools: Path = HERE, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Returns what a program of Node, installed in the folder `tools`, has written, and its exit status."""
    return subprocess.run(
        [programs(tools) / command[0], *command[1:]],
        cwd=tools,
        env={**environ(home, tools), **settings},
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
