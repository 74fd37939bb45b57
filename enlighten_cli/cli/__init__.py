"""The `enlighten` command; each subcommand has a module of its own."""

from enlighten_cli.cli.main import main

__all__ = ["main"]
