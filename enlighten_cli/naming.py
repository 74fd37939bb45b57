"""What results are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.errors import UsageError

FIELDS = ("stem", "ext", "model")
DEFAULT = "{stem}.{ext}"
BESIDE = "{stem}-enlightened.{ext}"  # told apart from its source beside it
PIECE = re.compile(r"\{([^{}]*)\}|[^{}]+")


@dataclass(frozen=True)
class NameTemplate:
    """A name with fields, such as ``{stem}-{model}.{ext}``.

    Parameters
    ----------
    text : str
        ``{stem}`` and ``{ext}`` are the photo's, ``{model}`` the model's name; anything else is
        taken as it stands. No other fields, no folders.
    model : str

    Raises
    ------
    UsageError
        If the text has another field, a brace alone, a folder, or no ``{stem}``.
    """

    text: str = DEFAULT
    model: str = ""

    def __post_init__(self) -> None:
        """Refuse what could name two photos alike, or leave the folder."""
        pieces = list(PIECE.finditer(self.text))
        if "".join(piece.group() for piece in pieces) != self.text:
            raise UsageError(f"--name {self.text!r}: a brace that belongs to no field")
        used = [piece.group(1) for piece in pieces if piece.group(1) is not None]
        for field in used:
            if field not in FIELDS:
                raise UsageError(f"--name {self.text!r}: no field {field!r}; there are {', '.join(FIELDS)}")
        if "stem" not in used:
            raise UsageError(f"--name {self.text!r}: without {{stem}} all photos would have one name")
        if any(separator in self.text for separator in ("/", "\\", "\0")):
            raise UsageError(f"--name {self.text!r}: a name, not a path; -o chooses the folder")

    def fill(self, source: Path, ending: str) -> str:
        """Return the name of a photo's result.

        Parameters
        ----------
        source : Path
        ending : str
            With its dot.
        """
        model = re.sub(r"[^\w.+-]", "_", self.model)
        values = {"stem": source.stem, "ext": ending.removeprefix("."), "model": model}
        name = PIECE.sub(lambda piece: piece.group() if piece.group(1) is None else values[piece.group(1)], self.text)
        # A name of dots alone, or a hidden one where the photo's is not, can only be an accident.
        return name if ending else name.removesuffix(".")

    def marks(self, source: Path) -> bool:
        """Tell whether a name looks like one that this template gave before."""
        pattern = "".join(
            re.escape(piece.group()) if piece.group(1) is None else ".+" for piece in PIECE.finditer(self.text)
        )
        return re.fullmatch(pattern, source.name) is not None
