"""A process that decodes photos, and keeps nothing of them: ``python -m enlighten_cli.serve.trial_decoder``.

It reads pickled pairs of a path and limits from stdin. For each it writes a line with the memory that decoding takes,
waits for a line, decodes, and writes another line. That it fails to decode a photo is not its news: the server
will find the same, and say it in words.
"""

from __future__ import annotations

import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from enlighten_cli.batch.memory import cost_of
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits, decode
from enlighten_cli.photo.source import opened_source


def main() -> None:
    """Decode photos until the server closes stdin."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a decoder prints is no answer
    requests = sys.stdin.buffer
    while True:
        try:
            path, limits = pickle.load(requests)
        except EOFError:
            return
        _try(Path(path), limits, requests, answers)


def _try(path: Path, limits: Limits, requests: BinaryIO, answers: BinaryIO) -> None:
    cost = 0
    with suppress(PhotoError), opened_source(path, limits) as source:
        cost = cost_of(source)
    answers.write(b"%d\n" % cost)
    requests.readline()
    if cost:
        with suppress(PhotoError, MemoryError):
            decode(path, limits)
    answers.write(b"done\n")


if __name__ == "__main__":
    main()
