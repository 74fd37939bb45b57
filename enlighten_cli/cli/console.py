"""Print lines for people, with control characters escaped."""

from __future__ import annotations

import click


def visible(text: str) -> str:
    """Return text with control characters escaped; names of files may contain them."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def show(*lines: str) -> None:
    """Write lines to stdout: results of a command."""
    for line in lines:
        click.echo(visible(line))


def say(*lines: str) -> None:
    """Write lines to stderr: messages about the run."""
    for line in lines:
        click.echo(visible(line), err=True)
