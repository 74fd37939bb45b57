"""Run ``enlighten preview``: photos at several strengths, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.batch.jobs import Photos
from enlighten_cli.cli.addresses import check_is_file, only_files
from enlighten_cli.cli.arguments import LookArguments
from enlighten_cli.cli.console import say
from enlighten_cli.cli.inputs import STREAM, collected
from enlighten_cli.cli.outputs import SHEET, check_output
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.cli.truncation import reason_of
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import at_strengths
from enlighten_cli.errors import TOO_LITTLE_MEMORY, NothingToDoError, OutOfMemoryError, PhotoError, UsageError
from enlighten_cli.evaluation.sheet import contact_sheet, labelled, marked_sheet, reduced
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.originals import Originals
from enlighten_cli.photo import Pixels, as_srgb, decode
from enlighten_cli.stores.address import Place

MOST_PHOTOS = 20  # on a sheet; more would be too small to see
MOST_STRENGTHS = 12
CELL_PX = 640


@dataclass(frozen=True, kw_only=True)
class PreviewArguments(LookArguments):
    """The arguments of ``enlighten preview``."""

    photos: tuple[Place, ...]
    files_from: BinaryIO | None
    sheet: Path
    strengths: tuple[float, ...]

    def treatment(self) -> Treatment:
        """Return how a photo is read and enhanced; the strength is set for each cell."""
        for strength in self.strengths:
            self.options(strength)  # refuses one that is out of range
        return Treatment(enhance=self.options(self.strengths[0]), limits=self.limits)


def write_preview(arguments: PreviewArguments) -> int:
    """Write a sheet of all photos, before and at each strength, and return the exit code.

    A photo that cannot be read is left out.
    """
    if STREAM in arguments.photos:
        raise UsageError("- (stdin): a preview is made of files; name photos or folders")
    inputs = only_files("a preview", collected(arguments.photos, arguments.files_from, command="preview"))
    check_is_file("-o", arguments.sheet)
    if len(arguments.strengths) > MOST_STRENGTHS:
        raise UsageError(f"--strength: a sheet shows at most {MOST_STRENGTHS} strengths; give fewer")
    photos = Photos(inputs)
    sources = only_files("a preview", (found.source for found in islice(photos, MOST_PHOTOS + 1)))
    if not sources:
        raise NothingToDoError("no photos found", *photos.unreadable)
    if len(sources) > MOST_PHOTOS:
        raise UsageError(f"-o {arguments.sheet}: a sheet has at most {MOST_PHOTOS} photos; name fewer")
    check_output("-o", arguments.sheet, endings=SHEET, inputs=[*inputs, *sources])
    treatment = arguments.treatment()
    with results_only(), interruptible() as signals:
        network, rows, failed = arguments.network(), [], len(photos.unreadable)
        say(*photos.unreadable)
        for source in sources:
            try:
                row = _looks(source, treatment, network, arguments.strengths, signals)
            except (PhotoError, OutOfMemoryError, MemoryError) as error:
                say(f"{source}: {TOO_LITTLE_MEMORY if isinstance(error, MemoryError) else reason_of(error)}")
                failed += 1
                continue
            if signals:
                return SIGNALLED + signals[0]
            labels = ["before", *(f"strength {strength:g}" for strength in arguments.strengths)]
            rows.append([labelled(pixels, label) for pixels, label in zip(row, labels, strict=True)])
        if rows:
            sheet = marked_sheet(contact_sheet(rows, cell_px=2 * CELL_PX), arguments.sheet.suffix)
            write_whole(arguments.sheet, sheet, originals=Originals(sources))
    if rows and not arguments.quiet:
        strengths = ", ".join(f"{strength:g}" for strength in arguments.strengths)
        say(f"Wrote {arguments.sheet}: before, and strengths {strengths}{f'; {failed} failed' if failed else ''}")
    return PhotoError.exit_code if failed else 0


def _looks(
    source: Path, treatment: Treatment, network: NamedNetwork, strengths: Sequence[float], signals: list[int]
) -> list[Pixels]:
    """Return a photo and its results at each strength, reduced to the size of a cell."""
    photo = decode(source, treatment.limits)
    looks = [reduced(as_srgb(photo), CELL_PX)]
    for enhanced in at_strengths(photo, network, treatment.enhance, strengths):
        if signals:
            break
        looks.append(reduced(as_srgb(enhanced.whole()), CELL_PX))
    return looks
