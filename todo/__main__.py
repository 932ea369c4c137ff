"""`python -m todo`: the operator's commands."""

from todo.cli import commands

if __name__ == "__main__":
    commands()
