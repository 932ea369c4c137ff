"""Copies of this tree, in which something else than here may be tried."""

import shutil
import subprocess
from pathlib import Path

from dev.processes import ROOT

LIST = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
NOT_COPIED = {".env", ".git", ".venv", "data"}


def copy_tree(folder: Path) -> None:
    """Copies what git knows or would add, as it is now; where there is no git, all but what a run leaves."""
    if not (ROOT / ".git").exists():
        shutil.copytree(ROOT, folder, ignore=lambda _, names: NOT_COPIED & {*names})
        return
    found = subprocess.run(LIST, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, found.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
