"""Name the option that helps with a file that is incomplete, where a command has it."""

from __future__ import annotations

from enlighten_cli.errors import TruncatedError


def reason_of(error: Exception) -> str:
    """Return an error's message, with --allow-truncated where that helps."""
    return f"{error} (try --allow-truncated)" if isinstance(error, TruncatedError) else str(error)
