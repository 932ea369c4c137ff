"""Generators of clients: how each makes a client of a contract, and how a program runs with it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import node
from conformance.venvs import venv_with

PROGRAMS = Path(__file__).parent / "generated"
PATIENCE = 120  # seconds for a program


@dataclass(frozen=True)
class Python:
    """A generator that a requirements file of its name installs, with what its clients need."""

    name: str
    options: tuple[str, ...]  # with {contract} and {folder}

    def generate(self, contract: Path, folder: Path) -> None:
        """Makes the package todo_client in `folder`."""
        self._run(self.name, *(option.format(contract=contract, folder=folder) for option in self.options), at=folder)

    def tell_story(self, folder: Path, *arguments: str) -> Any:
        """Returns what the program says that uses the package."""
        program = PROGRAMS / f"{self.name.removesuffix('-cli').replace('-', '_')}.py"
        return json.loads(self._run("python", str(program), *arguments, at=folder))

    def _run(self, program: str, *arguments: str, at: Path) -> str:
        bin_folder = venv_with(PROGRAMS / f"{self.name.removesuffix('-cli')}.txt") / "bin"
        environ = {"PATH": f"{bin_folder}{os.pathsep}{os.defpath}", "HOME": str(at), "PYTHONPATH": str(at)}
        return _output([bin_folder / program, *arguments], environ, at)


class TypeScript:
    """openapi-typescript, which makes types for openapi-fetch."""

    name = "openapi-typescript"

    def generate(self, contract: Path, folder: Path) -> None:
        """Makes todo-client.d.ts in `folder`, and checks the program's types by it."""
        types = folder / "todo-client.d.ts"
        self._run("openapi-typescript", contract, "--output", types, at=folder)
        options = {
            **{"strict": True, "noEmit": True, "skipLibCheck": True, "target": "es2022", "module": "nodenext"},
            **{"lib": ["es2022", "dom", "dom.iterable"], "types": [], "paths": {"todo-client": [str(types)]}},
        }
        project = {"compilerOptions": options, "files": [str(PROGRAMS / "openapi_typescript.mts")]}
        (folder / "tsconfig.json").write_text(json.dumps(project), encoding="utf-8")
        self._run("tsc", "--project", folder, at=folder)

    def tell_story(self, folder: Path, *arguments: str) -> Any:
        """Returns what the program says that uses the types, which Node strips."""
        return json.loads(self._run("node", PROGRAMS / "openapi_typescript.mts", *arguments, at=folder))

    def _run(self, program: str, *arguments: str | Path, at: Path) -> str:
        return _output([node.programs() / program, *arguments], node.environ(at), at)


GENERATORS = [
    Python(
        "openapi-python-client",
        ("generate", "--path", "{contract}", "--output-path", "{folder}/todo_client", "--meta", "none"),
    ),
    Python(
        "openapi-generator-cli",
        ("generate", "-i", "{contract}", "-g", "python", "-o", "{folder}", "--package-name", "todo_client"),
    ),
    TypeScript(),
]


def _output(command: list[str | Path], environ: dict[str, str], folder: Path) -> str:
    """Returns what a program writes. Raises AssertionError with all that it says if it fails."""
    ran = subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
