"""``enlighten PHOTO --preview SHEET``: a photo at several strengths, side by side."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.cli.arguments import EnhanceArguments
from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import SHEET, check_output
from enlighten_cli.cli.signals import SIGNALLED
from enlighten_cli.errors import NothingToDoError, PhotoError, UsageError

if TYPE_CHECKING:
    from enlighten_cli.enhancement.encoded import Treatment
    from enlighten_cli.models.network import NamedNetwork
    from enlighten_cli.photo import Pixels

STRENGTHS = (0.4, 0.7, 1.0)
MOST_PHOTOS = 20  # on a sheet; more would be too small to see
CELL_PX = 640
NOT_FOR_A_PREVIEW = ("output", "report", "dry_run", "as_json", "overwrite", "name", "preserve")


def write_preview(inputs: list[Path], arguments: EnhanceArguments, signals: list[int]) -> int:
    """Write a sheet of all photos, before and at each strength, and return the exit code."""
    from enlighten_cli.atomic_write import write_whole
    from enlighten_cli.batch.jobs import Photos
    from enlighten_cli.evaluation.sheet import contact_sheet, labelled, marked_sheet
    from enlighten_cli.originals import Originals
    from enlighten_cli.stores.address import as_file

    sheet = arguments.preview
    assert sheet is not None
    for option in NOT_FOR_A_PREVIEW:
        if getattr(arguments, option):
            name = option.removeprefix("as_").replace("_", "-")
            raise UsageError(f"--preview writes only a sheet; leave out --{name}")
    sources = [as_file(found.source) for found in islice(Photos(inputs), MOST_PHOTOS + 1)]
    if not sources:
        raise NothingToDoError("no photos found")
    if len(sources) > MOST_PHOTOS:
        raise UsageError(f"--preview {sheet}: a sheet has at most {MOST_PHOTOS} photos; name fewer")
    check_output("--preview", sheet, endings=SHEET, inputs=[*inputs, *sources])
    treatment, network = arguments.treatment(), arguments.network()
    rows = []
    for source in sources:
        try:
            row = _looks(source, treatment, network, signals)
        except PhotoError as error:
            raise PhotoError(f"{source}: {error}") from error
        if signals:
            return SIGNALLED + signals[0]
        labels = ["before", *(f"strength {strength:g}" for strength in STRENGTHS)]
        rows.append([labelled(pixels, label) for pixels, label in zip(row, labels, strict=True)])
    made = marked_sheet(contact_sheet(rows, cell_px=2 * CELL_PX), sheet.suffix)
    write_whole(sheet, made, originals=Originals(sources))
    if not arguments.quiet:
        say(f"Wrote {sheet}: before, and strengths {', '.join(f'{strength:g}' for strength in STRENGTHS)}")
    return 0


def _looks(source: Path, treatment: Treatment, network: NamedNetwork, signals: list[int]) -> list[Pixels]:
    """Return a photo and its results at each strength, reduced to the size of a cell."""
    from enlighten_cli.enhancement.enhance import at_strengths
    from enlighten_cli.evaluation.sheet import reduced
    from enlighten_cli.photo import as_srgb, decode

    photo = decode(source, treatment.limits)
    looks = [reduced(as_srgb(photo), CELL_PX)]
    for enhanced in at_strengths(photo, network, treatment.enhance, STRENGTHS):
        if signals:
            break
        looks.append(reduced(as_srgb(enhanced.whole()), CELL_PX))
    return looks
