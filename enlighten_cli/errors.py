"""Every failure that a user can meet, each with the exit code it ends in.

::

    EnlightenError            1
      PhotoError              1   one photo cannot be read, enhanced or written
        FormatError           1   its format is not supported
        TooLargeError         1   it is larger than the limits
        TruncatedError        1   it is incomplete
      UsageError              2   the arguments are wrong
      MissingDependencyError  3   a package, device or cluster is missing
      ModelError              4   a model cannot be found, read or trusted
        UnknownModelError     4   there is no model of that name, and no such file
        OutOfMemoryError      4   the network needs more memory than there is
      NothingToDoError        5   no photo was found
      OutputError             6   the output cannot be written
        AlreadyThereError     6   a file of that name exists, and is not to be replaced
      TrainingError           7   training or export failed

They are raised where the cause is known, and caught in two places: in `batch` for each photo, and in
`cli` for the command. The message says what is wrong, with which file, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class EnlightenError(Exception):
    """Base of every failure that is reported to the user.

    Parameters
    ----------
    *lines : str
        One line that says what is wrong, with which file, and what to do; rarely more.
    """

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class PhotoError(EnlightenError):
    """One photo cannot be read, enhanced or written; the others can."""


class FormatError(PhotoError):
    """A photo's format is not supported, or needs a package that is not installed."""


class TooLargeError(PhotoError):
    """A photo is larger than the limits allow."""


class TruncatedError(PhotoError):
    """A photo's file is incomplete; `Limits.allow_truncated` accepts it."""


class UsageError(EnlightenError):
    """The arguments are wrong, or contradict each other."""

    exit_code = 2


class MissingDependencyError(EnlightenError):
    """A package, a device of ONNX Runtime or a cluster is missing."""

    exit_code = 3


def how_to_install(extra: str, *packages: str) -> str:
    """Return the commands that bring packages: by their names, and by the extra that the README names."""
    return f"run: pip install {' '.join(packages)}   (or, in a checkout: pip install '.[{extra}]')"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a message that names what is spelled much like a word; empty where nothing is."""
    near = get_close_matches(word, [*known], n=1)
    return f"; did you mean {near[0]}?" if near else ""


class ModelError(EnlightenError):
    """A model cannot be found, read or trusted."""

    exit_code = 4


class UnknownModelError(ModelError):
    """There is no model of that name, and no such file."""


class OutOfMemoryError(ModelError):
    """The network needs more memory than there is, for a tile of this size."""


class NothingToDoError(EnlightenError):
    """No photo was found among the inputs."""

    exit_code = 5


TOO_LITTLE_MEMORY = "too little memory for this photo; close other programs, or try --mode fast"


class OutputError(EnlightenError):
    """The output cannot be written: no space, no permission."""

    exit_code = 6


class AlreadyThereError(OutputError):
    """A file of that name exists, and is not to be replaced."""


class TrainingError(EnlightenError):
    """Training or export failed."""

    exit_code = 7
