"""``python -m enlighten_cli`` is ``enlighten``."""

from enlighten_cli.cli import main

main(prog_name="enlighten")
