"""Runs the Node programs that `make conformance` and `make audit` install."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def programs(tools: Path = HERE) -> Path:
    """Returns the folder of the programs installed in `tools`."""
    return tools / "node_modules" / ".bin"


def environ(home: Path, tools: Path = HERE) -> dict[str, str]:
    """Returns a program's whole environment, with the Node version installed in `tools`."""
    return {"PATH": f"{programs(tools)}{os.pathsep}{os.defpath}", "HOME": str(home), "NO_COLOR": "1"}


def run(
    home: Path, *command: str, text: str = "", tools: Path = HERE, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program installed in `tools`, for at most two minutes, and returns its output and exit status."""
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
