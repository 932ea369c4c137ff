"""`python -m todo` runs the operator's commands."""

import todo.cli  # noqa: F401  its commands join the group
from todo.command_group import commands

if __name__ == "__main__":
    commands()
