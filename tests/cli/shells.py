"""Real shells on a pseudo-terminal, in which a line is typed and completed."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

ENLIGHTEN = Path(sys.executable).with_name("enlighten")
COMMANDS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--interactive"],
}
SETUPS = {
    "bash": 'bind "set bell-style none"; bind "set enable-bracketed-paste off"; '
    'eval "$(_ENLIGHTEN_COMPLETE=bash_source enlighten)"',
    "zsh": 'autoload -Uz compinit && compinit -u -D; bindkey -e; eval "$(_ENLIGHTEN_COMPLETE=zsh_source enlighten)"',
    "fish": "_ENLIGHTEN_COMPLETE=fish_source enlighten | source",
}
TO_THE_BEGINNING, TO_THE_END, TAB = "\x01", "\x05", "\t"
READY, MARK, END = "shell-is-ready", "completed:", "end"


class Shell:
    """A shell that was set up as the README says.

    Parameters
    ----------
    name : str
        A key of `COMMANDS`.
    folder : Path
        Where it is.
    """

    def __init__(self, name, folder):
        self._terminal, end = pty.openpty()
        home = folder / ".home"
        home.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "PATH": f"{ENLIGHTEN.parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "XDG_DATA_HOME": str(home),
            "TERM": "dumb",
            "PS1": "$ ",
            "COLUMNS": "200",
        }
        words = ["setsid", "--ctty", *COMMANDS[name]]  # fish will not do without a terminal of its own
        self._process = subprocess.Popen(words, stdin=end, stdout=end, stderr=end, env=environment, cwd=folder)
        os.close(end)
        self._text = ""
        # Typed in two parts, so that the echo of the line is not taken for its result.
        self._type(f"{SETUPS[name]}; echo {READY[:5]}''{READY[5:]}\n")
        self._wait_for(READY)

    def completed(self, line):
        """Return what a line becomes by the tabulator key, as the words that a command would get."""
        self._text = ""
        self._type(f"{line}{TAB}")
        self._type(f"{TO_THE_BEGINNING}printf '<%s>' {MARK[:4]}''{MARK[4:]} ")
        self._type(f"{TO_THE_END} {END[:1]}''{END[1:]}\n")
        found = self._wait_for(rf"<{MARK}>((?:<[^<>]*>)+)<{END}>")
        return [word.removesuffix("/") for word in re.findall("<([^<>]*)>", found[1])]  # zsh takes slashes off again

    def close(self):
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def _type(self, keys):
        os.write(self._terminal, keys.encode())

    def _wait_for(self, pattern, seconds=120):
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self._text)):
            assert time.monotonic() < end, self._text
            if select.select([self._terminal], [], [], 1)[0]:
                self._text += os.read(self._terminal, 4096).decode("utf-8", "replace")
        return found
