"""Every failure that a user can meet, each with the exit code it ends in.

::

    EnlightenError            1
      PhotoError              1   one photo cannot be read, enhanced or written
        FormatError           1   its format is not supported
        TooLargeError         1   it is larger than the limits
      UsageError              2   the arguments are wrong
      MissingDependencyError  3   a package or device is missing
      ModelError              4   a model cannot be found, read or trusted
        OutOfMemoryError      4   the network needs more memory than there is
      NothingToDoError        5   no photo was found
      OutputError             6   the output cannot be written
        AlreadyThereError     6   a file of that name exists, and is not to be replaced
      TrainingError           7   training or export failed

They are raised where the cause is known, and caught in two places: in `batch` for each photo, and in
`cli` for the command. The message says what is wrong, with which file, and what to do.
"""

from __future__ import annotations


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


class UsageError(EnlightenError):
    """The arguments are wrong, or contradict each other."""

    exit_code = 2


class MissingDependencyError(EnlightenError):
    """A package, or a device of ONNX Runtime, is missing."""

    exit_code = 3


class ModelError(EnlightenError):
    """A model cannot be found, read or trusted."""

    exit_code = 4


class OutOfMemoryError(ModelError):
    """The network needs more memory than there is, for a tile of this size."""


class NothingToDoError(EnlightenError):
    """No photo was found among the inputs."""

    exit_code = 5


class OutputError(EnlightenError):
    """The output cannot be written: no space, no permission."""

    exit_code = 6


class AlreadyThereError(OutputError):
    """A file of that name exists, and is not to be replaced."""


class TrainingError(EnlightenError):
    """Training or export failed."""

    exit_code = 7
