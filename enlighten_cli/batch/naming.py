"""Names of results."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.errors import UsageError
from enlighten_cli.file_names import fault_of_name
from enlighten_cli.photo import SUFFIXES
from enlighten_cli.stores.address import Place

FIELDS = ("stem", "ext", "model")
DEFAULT = "{stem}.{ext}"
BESIDE = "{stem}-enlightened.{ext}"  # differs from its source in the same folder
PIECE = re.compile(r"\{([^{}]*)\}|[^{}]+")


@dataclass(frozen=True)
class NameTemplate:
    """A name with fields, such as ``{stem}-{model}.{ext}``.

    Parameters
    ----------
    text : str
        ``{stem}`` and ``{ext}`` are the photo's, ``{model}`` the model's name; anything else is
        literal. No other fields, no folders.
    model : str

    Raises
    ------
    UsageError
        If the text has another field, an unmatched brace, a folder, or no ``{stem}``, or if the system
        does not allow its names.
    """

    text: str = DEFAULT
    model: str = ""

    def __post_init__(self) -> None:
        """Refuse a template that could name two photos alike, or leave the folder."""
        pieces = list(PIECE.finditer(self.text))
        if "".join(piece.group() for piece in pieces) != self.text:
            raise UsageError(
                f"--name {self.text!r}: a brace without its match; fields are {{stem}}, {{ext}} and {{model}}"
            )
        used = [piece.group(1) for piece in pieces if piece.group(1) is not None]
        for field in used:
            if field not in FIELDS:
                raise UsageError(f"--name {self.text!r}: no field {field!r}; there are {', '.join(FIELDS)}")
        if "stem" not in used:
            raise UsageError(f"--name {self.text!r}: without {{stem}} all results would have the same name")
        if any(separator in self.text for separator in ("/", "\\", "\0")):
            raise UsageError(f"--name {self.text!r}: a name, not a path; -o sets the folder")
        if fault := fault_of_name(self.fill(Path("photo"), ".jpg")):
            raise UsageError(f"--name {self.text!r}: {fault}")

    def fill(self, source: Place, ending: str) -> str:
        """Return the name of a photo's result.

        Parameters
        ----------
        source : Path or Address
        ending : str
            Suffix of the result, with its dot.
        """
        values = {"stem": source.stem, "ext": ending.removeprefix("."), "model": self._model_as_name()}
        name = PIECE.sub(lambda piece: piece.group() if piece.group(1) is None else values[piece.group(1)], self.text)
        return name if ending else name.removesuffix(".")

    def marks(self, path: Place, exists: Callable[[Place], bool]) -> bool:
        """Tell whether a file is the result of a photo beside it, by this template.

        Parameters
        ----------
        path : Path or Address
        exists : callable
            Tells whether a photo exists.
        """
        fields = {"stem": "(?P<stem>.+)", "ext": r"[^.]+", "model": re.escape(self._model_as_name())}
        pattern = "".join(
            re.escape(piece.group()) if piece.group(1) is None else fields[piece.group(1)]
            for piece in PIECE.finditer(self.text.replace(".{ext}", ""))
        )
        # `--on-conflict rename` adds a number.
        found = re.fullmatch(pattern + r"(-\d+)?", path.stem if ".{ext}" in self.text else path.name)
        if found is None or found["stem"] == path.stem:
            return False
        return any(exists(path.with_name(found["stem"] + suffix)) for suffix in (path.suffix, *SUFFIXES))

    def _model_as_name(self) -> str:
        return re.sub(r"[^\w.+-]", "_", self.model)
