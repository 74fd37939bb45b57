"""Keep README's options in step with --help: rewrites the marked blocks, or with --check only compares."""

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from enlighten_cli.cli import main

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- help: (?P<words>[a-z ]+) -->\n+```text\n).*?(```)", re.DOTALL)


def block(match: re.Match[str]) -> str:
    """Fill one block with what --help says."""
    words = match["words"].split()
    result = CliRunner().invoke(main, [*words[1:], "--help"], prog_name="enlighten", terminal_width=100)
    return match[1] + result.output + match[3]


text = README.read_text(encoding="utf-8")
new = BLOCK.sub(block, text)
if "--check" in sys.argv and new != text:
    sys.exit("README's options are not those of --help; run: python .ci/help.py")
README.write_text(new, encoding="utf-8")
