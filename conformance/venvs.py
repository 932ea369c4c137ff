"""The virtual environments of third-party Python programs, each with the requirements of one file."""

import subprocess
import sys
from pathlib import Path

from dev.processes import BIN

VENVS = Path(__file__).parent / "clients" / ".venvs"


def venv_with(requirements: Path) -> Path:
    """Returns a virtual environment with these requirements, recreated whenever they change."""
    venv, wanted = VENVS / requirements.stem, requirements.read_text(encoding="utf-8")
    stamp = venv / "installed.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _uv("venv", "--clear", "--python", sys.executable, str(venv))
        _uv("pip", "install", "--python", str(venv / "bin" / "python"), "-r", str(requirements))
        stamp.write_text(wanted, encoding="utf-8")
    return venv


def _uv(*arguments: str) -> None:
    subprocess.run([BIN / "uv", *arguments, "--quiet"], check=True)
