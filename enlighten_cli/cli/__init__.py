"""The command `enlighten`: one thin file a command."""

from enlighten_cli.cli.main import main

__all__ = ["main"]
