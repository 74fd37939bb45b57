"""The one way in which the command says something to a person: a line on stderr that plays no tricks."""

from __future__ import annotations

import click


def visible(text: str) -> str:
    """Return text whose control characters, which names of files may have, are spelled out."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def show(*lines: str) -> None:
    """Write lines that a person asked for to stdout."""
    for line in lines:
        click.echo(visible(line))


def say(*lines: str) -> None:
    """Write lines to stderr."""
    for line in lines:
        click.echo(visible(line), err=True)
