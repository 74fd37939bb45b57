"""Keep the command reference and the manual page in step with --help; with --check, only compare.

docs/commands.md has a block for each command, after a comment such as <!-- help: enlighten train -->. man/enlighten.1
is made whole, from Click's commands and that page's tables of exit codes and environment variables.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from enlighten_cli import __version__
from enlighten_cli.cli import main

ROOT = Path(__file__).parent.parent
REFERENCE, MANUAL = ROOT / "docs" / "commands.md", ROOT / "man" / "enlighten.1"
BLOCK = re.compile(r"(<!-- help: (?P<words>[a-z ]+) -->\n+```text\n).*?(```)", re.DOTALL)
CELLS = re.compile(r"^\| (?P<name>.+?) \| (?P<meaning>.+?) \|$", re.MULTILINE)
WIDTH = 100

Commands = Iterator[tuple[str, click.Command, click.Context]]


def commands(group: click.Group = main, parent: click.Context | None = None, words: str = "enlighten") -> Commands:
    """Yield every command with its name as typed, in the order of --help."""
    context = click.Context(group, parent, info_name=words.split()[-1])
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{words} {name}", command, click.Context(command, context, info_name=name)
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{words} {name}")


def reference(text: str) -> str:
    """Fill the blocks of the reference with what --help says."""
    missing = {words for words, _, _ in commands()} - {match["words"] for match in BLOCK.finditer(text)}
    if missing:
        sys.exit(f"{REFERENCE} has no block for: {', '.join(sorted(missing))}")

    def block(match: re.Match[str]) -> str:
        words = match["words"].split()[1:]
        result = CliRunner().invoke(main, [*words, "--help"], prog_name="enlighten", terminal_width=WIDTH)
        return match[1] + result.output + match[3]

    return BLOCK.sub(block, text)


def manual(text: str) -> str:
    """Return the manual page, in man's macros."""
    summary = (main.help or "").rstrip(".")
    lines = [
        f'.TH ENLIGHTEN 1 "" "enlighten {__version__}" "User Commands"',
        ".SH NAME",
        f"enlighten \\- {_escaped(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
    ]
    for words, command, context in commands():
        if not isinstance(command, click.Group):
            lines += [f".B {_escaped(words)}", _escaped(" ".join(command.collect_usage_pieces(context))), ".br"]
    lines += [".SH DESCRIPTION", _escaped(main.epilog or ""), ".SH COMMANDS"]
    for words, command, context in commands():
        lines += [f".SS {_escaped(words)}"]
        for paragraph in (command.help or "").split("\n\n"):
            lines += [".PP", _escaped(" ".join(paragraph.split()))]
        for parameter in command.get_params(context):
            if record := parameter.get_help_record(context):
                lines += [".TP", f".B {_escaped(record[0])}", _escaped(" ".join(record[1].split()))]
    for title, heading in (("EXIT STATUS", "## Exit codes"), ("ENVIRONMENT", "## Environment")):
        lines.append(f".SH {title}")
        for match in list(CELLS.finditer(text.partition(heading)[2].partition("\n## ")[0]))[2:]:
            lines += [".TP", f".B {_escaped(match['name'])}", _escaped(match["meaning"])]
    return "\n".join(line for line in lines if line) + "\n"


def _escaped(text: str) -> str:
    text = text.replace("`", "").replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{text}" if text.startswith(".") else text


def run() -> None:
    """Write both files, or compare."""
    text = reference(REFERENCE.read_text(encoding="utf-8"))
    for path, content in ((REFERENCE, text), (MANUAL, manual(text))):
        if "--check" not in sys.argv:
            path.write_text(content, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != content:
            sys.exit(f"{path.relative_to(ROOT)} is not what --help says; run: python .ci/help.py")


if __name__ == "__main__":
    run()
