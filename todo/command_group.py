"""The group of the operator's commands: their argument types, and one sentence for each mistake."""

import os
import re
import sys
from collections.abc import Callable
from typing import Any

import click

from todo.startup import CannotStart

# What to type with make.
MAKE = {
    "claim": "make claim USERNAME=kevin",
    "reset": "make reset USERNAME=kevin",
    "client": 'make client NAME="My GPT" REDIRECT=chatgpt-action',
    "forget": "make forget USERNAME=kevin",
    "backup": "make backup FILE=copy.db",
}


class Commands(click.Group):
    """A group of commands that reports each mistake in one sentence and exits with status 1."""

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            return super().main(*args, **{**options, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            sys.exit(error.format_message())
        except click.UsageError as error:
            sys.exit(f"{_mistake(error)}: {_cure(error.ctx)}.")
        except click.ClickException as error:
            sys.exit(error.format_message())
        except CannotStart as error:
            sys.exit(str(error))
        except click.Abort:
            sys.exit("Interrupted.")


class Required(click.ParamType[str]):
    """Text that is not empty: make passes an empty argument for a variable that is not set."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            raise click.MissingParameter(ctx=ctx, param=param)
        return value


class Username(Required):
    """A username, as the contract describes it."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from todo.contract import API

        username = super().convert(value, param, ctx).lower()
        schema = API.schema("Username")
        if username == "me" or not re.fullmatch(schema["pattern"], username):
            example, most = schema["example"], schema["maxLength"]
            raise click.ClickException(
                f"USERNAME must look like {example} and have at most {most} characters; me is not a username."
            )
        return username


def _mistake(error: click.UsageError) -> str:
    if isinstance(error, click.MissingParameter) and error.param and error.param.name:
        return f"{error.param.name.upper()} is missing"
    return error.format_message().rstrip(".")


def _cure(context: click.Context | None) -> str:
    """Returns what to type instead, as a make or a Python command, like the one that failed."""
    command = context.info_name if context else None
    if context is None or command not in MAKE:
        return f"`{context.command_path if context else 'python -m todo'} --help` lists the commands"
    usage = MAKE[command] if "MAKELEVEL" in os.environ else context.get_usage().removeprefix("Usage: ")
    return f"type `{usage}`"


@click.group(cls=Commands, subcommand_metavar="COMMAND ...", options_metavar="")
def commands() -> None:
    """Commands for whoever runs the to-do service.

    Settings come from the environment and from .env in this folder; .env.example explains each.
    """


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Returns the decorator that makes a function the command `name`."""
    epilog = f"With make: {MAKE[name]}" if name in MAKE else None
    return commands.command(name, options_metavar="", epilog=epilog)
