"""An HTML page for blind comparisons: people choose the better of two results without knowing their methods."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.evaluation.sheet import reduced
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.evaluation.template import environment, jpeg
from enlighten_cli.evaluation.votes import FORMAT
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Pixels

SIDE_PX = 1600  # larger photos are reduced to this side
QUALITY = 92  # so that compression neither hides grain nor adds artefacts


@dataclass(frozen=True)
class Pair:
    """Two results of one photo, by the names of their methods."""

    set: str
    photo: str
    left: str
    right: str


@dataclass
class BlindPage:
    """The page; results are added as they arrive.

    Parameters
    ----------
    seed : int
        Seed for the order of the pairs, and for their sides.
    """

    seed: int = 0
    _pictures: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    _sizes: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def see(self, scores: Scores, before: Pixels, after: Pixels) -> None:
        """Add the result of a method for a photo, 8-bit sRGB."""
        key = scores.set, scores.photo
        if key not in self._pictures:
            original = reduced(before, SIDE_PX)
            self._pictures[key] = {"": jpeg(original, QUALITY)}
            self._sizes[key] = original.shape[1], original.shape[0]
        self._pictures[key][scores.method] = jpeg(reduced(after, SIDE_PX), QUALITY)

    def pairs(self) -> list[Pair]:
        """Return all pairs of methods for all photos, shuffled."""
        drawn = random.Random(self.seed)
        pairs = []
        for (set_name, photo), pictures in sorted(self._pictures.items()):
            for methods in combinations(sorted(name for name in pictures if name), 2):
                left, right = drawn.sample(methods, 2)
                pairs.append(Pair(set_name, photo, left, right))
        drawn.shuffle(pairs)
        return pairs

    def write(self, path: Path, originals: Originals | None = None) -> int:
        """Write the page, whole or not at all, and return the number of pairs.

        Parameters
        ----------
        path : Path
        originals : Originals, optional
            Files that the page does not replace.

        Raises
        ------
        MissingDependencyError
            If Jinja2 is absent.
        OutputError
            If the page cannot be written.
        PhotoError
            If it would replace an original.
        """
        pairs = self.pairs()
        pictures = []
        for pair in pairs:
            made = self._pictures[pair.set, pair.photo]
            width, height = self._sizes[pair.set, pair.photo]
            pictures.append((width, height, made[""], made[pair.left], made[pair.right]))
        # The page needs the names of the methods for the saved votes; base64 keeps them from being read by accident.
        key = base64.b64encode(json.dumps([vars(pair) for pair in pairs]).encode()).decode("ascii")
        identity = hashlib.sha256(key.encode()).hexdigest()[:16]
        page = (
            environment().get_template("blind.html").render(pairs=pictures, key=key, identity=identity, format=FORMAT)
        )
        write_whole(path, page.encode("utf-8", "replace"), originals=originals)
        return len(pairs)
