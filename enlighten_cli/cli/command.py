"""Commands whose options stand under headings, and that name the command an option belongs to."""

from __future__ import annotations

from enum import Enum
from typing import Any

import click

from enlighten_cli.cli.commands import DEFAULT
from enlighten_cli.errors import UsageError


class Heading(Enum):
    """Headings of options in --help, in their order."""

    FILES = "What goes in and out"
    PICTURE = "The picture"
    WHICH = "Which files"
    MACHINE = "The machine"
    MESSAGES = "Messages"


class Option(click.Option):
    """An option under a heading."""

    def __init__(self, *args: Any, heading: Heading, **options: Any) -> None:
        super().__init__(*args, **options)
        self.heading = heading


# Spellings that people may know from other programs or earlier notes, and what they are here.
ELSEWHERE = {
    "enhance": {
        "--preview": "enlighten preview PHOTO... -o SHEET",
        "--watch": "enlighten watch FOLDER -o OUT/",
        "--fast": "--mode fast",
    },
    "evaluate": {
        "--blind": "enlighten blind FOLDER... -o PAGE",
        "--votes": "enlighten votes FILE...",
    },
}


class Command(click.Command):
    """A command with headings in its --help."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, heading by heading."""
        rows: dict[Heading, list[tuple[str, str]]] = {heading: [] for heading in Heading}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and isinstance(parameter, click.Option):  # the usage line names the arguments
                rows[parameter.heading if isinstance(parameter, Option) else Heading.MESSAGES].append(record)
        for heading, records in rows.items():
            if records:
                with formatter.section(heading.value):
                    formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; say where an option that is not here belongs.

        Raises
        ------
        UsageError
        """
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            word, name = error.option_name, self.name or ""
            if remedy := ELSEWHERE.get(name, {}).get(word):
                raise UsageError(f"{word}: no such option; use: {remedy}") from error
            if name != DEFAULT and word in _options_of_default(ctx):
                raise UsageError(
                    f"{word}: an option of `enlighten {DEFAULT}`, not of `enlighten {name}`; leave it out"
                ) from error
            raise


def _options_of_default(ctx: click.Context) -> list[str]:
    group = ctx.find_root().command
    default = group.get_command(ctx, DEFAULT) if isinstance(group, click.Group) else None
    return [word for parameter in default.params for word in parameter.opts] if default else []
