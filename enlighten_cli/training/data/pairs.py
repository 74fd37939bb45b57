"""Pairs of photos of one scene, dark and well lit: files of the same name in two folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.training.data.photo_cache import PhotoCache

PAIRS = ("pairs_low", "pairs_high")
NAMED = 3  # files that a message names


def stems(folder: Path, paths: Iterable[Path]) -> dict[str, int]:
    """Return the position of each photo by its path in the folder, without the ending.

    Raises
    ------
    UsageError
        If two photos differ only in their endings.
    """
    found: dict[str, int] = {}
    for index, path in enumerate(paths):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in found:
            raise UsageError(f"{path}: another photo has this name with another ending; a pair needs one name")
        found[stem] = index
    return found


def check_names(low: Path, high: Path) -> None:
    """Check that each photo has a partner of its name in the other folder.

    Raises
    ------
    UsageError
        If some have none; the message names up to three.
    """
    low_stems, high_stems = (set(stems(folder, find_photos(folder))) for folder in (low, high))
    alone = sorted(low_stems ^ high_stems)
    if alone:
        more = f" and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
        named = ", ".join(alone[:NAMED])
        raise UsageError(
            f"--pairs {low} {high}: no partner of the same name for {named}{more}; both folders need the same names"
        )


def matched(low: PhotoCache, high: PhotoCache) -> list[tuple[int, int]]:
    """Return the positions of the photos of each pair; a photo whose partner is unreadable is left out.

    Raises
    ------
    UsageError
        If the photos of a pair differ in size, or no pair is left.
    """
    partners = stems(high.folder, high.paths)
    pairs = [(index, partners[stem]) for stem, index in stems(low.folder, low.paths).items() if stem in partners]
    if not pairs:
        raise UsageError(f"--pairs {low.folder} {high.folder}: no pair of readable photos is left")
    for index, partner in pairs:
        if low.size(index) != high.size(partner):
            raise UsageError(
                f"{low.paths[index]} and {high.paths[partner]} differ in size; the photos of a pair must not"
            )
    return pairs
