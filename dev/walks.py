"""The walks of docs/clone.md: diffs and commands, done in a copy of the tree.

`python -m dev.walks` makes the diffs anew, after a change that moved what they touch. What it cannot place is named, to
be mended in the document by hand.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dev.processes import BIN, ROOT
from dev.tree import copy_tree

DOCUMENT = ROOT / "docs/clone.md"
BLOCK = re.compile(r"^```(diff|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What git says of a file beside the diff itself, and of a hunk beside its lines.
HEADER = re.compile(r"^(?:diff --git|index|new file mode) .*\n", re.MULTILINE)
AFTER_LINES = re.compile(r"^(@@ .*? @@).*$", re.MULTILINE)
AS_NOBODY = ("-c", "user.name=walk", "-c", "user.email=walk@localhost", "-c", "commit.gpgsign=false")

Block = tuple[str, str]  # diff or sh, and the text


def walks() -> dict[str, str]:
    """Returns the text of each section that has diffs, by its heading."""
    sections = re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return {heading: text for heading, text in sections if "```diff" in text}


def blocks_of(heading: str) -> list[Block]:
    """Returns the diffs and the commands of a walk, in their order."""
    return BLOCK.findall(walks()[heading])


def files_of(blocks: list[Block]) -> Iterator[tuple[str, bool]]:
    """Yields each file that the diffs name, and whether it is new."""
    for kind, text in blocks:
        if kind == "diff":
            for before, after in re.findall(r"^--- (\S+)\n\+\+\+ b/(\S+)$", text, re.MULTILINE):
                yield after, before == "/dev/null"


class Tree:
    """A copy of the tree, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CITUS_"))}
        path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        self.environ = {**inherited, "PATH": path, "PYTHONPATH": "", "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        copy_tree(folder)

    def run(self, *command: str, text: str = "") -> str:
        """Returns what a command prints. Raises RuntimeError, with the end of that, if it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-6000:]}")
        return str(done.stdout)

    def do(self, block: Block) -> None:
        """Applies a diff, or runs commands. Raises RuntimeError."""
        kind, text = block
        if kind == "diff":
            self.run("git", "apply", "-", text=text)
        else:
            self.run("sh", "-eu", "-c", text)

    def place(self, diff: str) -> None:
        """Applies a diff whose surroundings may have changed a little. Raises RuntimeError."""
        self.run("patch", "--strip=1", "--fuzz=3", "--no-backup-if-mismatch", "--force", text=diff)

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", *AS_NOBODY, "commit", "--quiet", "--allow-empty", "--message=step")

    def difference(self) -> str:
        """Returns what has changed since the last commit, as a document shows it."""
        self.run("git", "add", "--all")
        shown = HEADER.sub("", self.run("git", "diff", "--cached", "--no-color"))
        return re.sub(r"[ \t]+$", "", AFTER_LINES.sub(r"\1", shown), flags=re.MULTILINE)


def anew(text: str) -> str:
    """Returns the text of a walk with its diffs made anew. Raises RuntimeError."""
    with tempfile.TemporaryDirectory(prefix="todo-walk-") as name:
        tree = Tree(Path(name) / "tree")
        tree.run("git", "init", "--quiet")
        tree.commit()

        def made(block: re.Match[str]) -> str:
            kind, told = block[1], block[2]
            if kind == "diff":
                tree.place(told)
                told = tree.difference()
            else:
                tree.do((kind, told))
            tree.commit()
            return f"```{kind}\n{told}```"

        return BLOCK.sub(made, text)


def main() -> None:
    whole = DOCUMENT.read_text("utf-8")
    for text in walks().values():
        whole = whole.replace(text, anew(text))
    DOCUMENT.write_text(whole, "utf-8")


if __name__ == "__main__":
    main()
