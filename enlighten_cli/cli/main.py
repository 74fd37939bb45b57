"""The group of commands."""

from __future__ import annotations

import click

from enlighten_cli.cli.train import train


@click.group()
def main() -> None:
    """Make photos taken in too little light look as if there had been enough."""


main.add_command(train)
