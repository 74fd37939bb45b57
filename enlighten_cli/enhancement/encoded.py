"""Enhance one encoded photo to another: used by batches, pipelines, evaluation and the Python interface."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.atomic_write import Sink
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.enhancement.transparency import opacity_of
from enlighten_cli.errors import EnlightenError
from enlighten_cli.models.network import Network
from enlighten_cli.photo import RAW, RAW_RESULT, Limits, Photo, Strip, as_srgb, cannot_hold, decode
from enlighten_cli.photo.bands import DamagedError
from enlighten_cli.photo.encode import can_be_stripped, encode_to

BANDS_FROM_PIXELS = 16_000_000  # larger photos are not held in memory, but decoded twice


@dataclass(frozen=True)
class Treatment:
    """How a photo is read, enhanced and written.

    Parameters
    ----------
    enhance : Options
    limits : Limits
        What is too large or too damaged to decode.
    quality : int or None
        Of lossy formats, 1 to 100; None follows the source.
    strip : Strip
        Which metadata are removed.
    skip_brighter_than : float or None
        Photos with a mean luma above this, in [0, 1], are not enhanced.
    """

    enhance: Options = field(default_factory=Options)
    limits: Limits = field(default_factory=Limits)
    quality: int | None = None
    strip: Strip = Strip.NOTHING
    skip_brighter_than: float | None = None


@dataclass(frozen=True)
class Enhanced:
    """A photo's new file.

    Parameters
    ----------
    content : bytes
        Empty if it was written to a file.
    format : str
        A name in `photo.FORMATS`.
    width, height : int
        Of the decoded photo, upright.
    before : Photo or None
        As it was decoded; None unless `keep_before`.
    notes : tuple of str
        What could not be kept, in words for the user.
    denoised : float
        Part of the photo's area from which noise was removed, in [0, 1].
    """

    content: bytes
    format: str
    width: int
    height: int
    before: Photo | None
    notes: tuple[str, ...]
    denoised: float


class BrightAlreadyError(EnlightenError):
    """The photo is brighter than `skip_brighter_than`; it is skipped, which is no failure.

    Parameters
    ----------
    photo : Photo
    level : float
        Its mean luma.
    """

    def __init__(self, photo: Photo, level: float) -> None:
        super().__init__(f"bright already: mean luma {level:.2f}")
        self.photo = photo


def enhance_encoded(
    source: bytes | Path,
    network: Network,
    treatment: Treatment,
    *,
    into: Sink | None = None,
    suffix: str = "",
    format_of: Callable[[Photo], str] | None = None,
    at_network: AbstractContextManager[object] | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
    keep_before: bool = False,
) -> Enhanced:
    """Decode a photo, enhance it, and encode it with its metadata.

    Parameters
    ----------
    source : bytes or Path
        A photo's file, or its content.
    network : Network
    treatment : Treatment
    into : Sink, optional
        An empty file for the result, for photos so large that not even their files are to be in memory.
    suffix : str
        Suffix of the name of the file whose content is given; it decides between TIFF and camera RAW.
    format_of : callable, optional
        Given the photo, returns the name of the format to write; by default its own.
    at_network : context manager, optional
        Entered while the network works on the photo, such as a lock.
    tell : callable
        Receives the tiles or strips done and their total.
    keep_before : bool
        Whether the decoded photo is part of the result, which takes more memory.

    Raises
    ------
    PhotoError
        If the photo cannot be read, or its new format cannot hold it.
    OutOfMemoryError
        If the network needs more memory than there is.
    BrightAlreadyError
        If `skip_brighter_than` says so.
    """

    def treated(photo: Photo) -> Enhanced:
        if treatment.skip_brighter_than is not None:
            from enlighten_cli.metrics.luma import mean_luma  # imports all metrics

            level = mean_luma(as_srgb(photo), opacity_of(photo))
            if level > treatment.skip_brighter_than:
                raise BrightAlreadyError(photo, level)
        format = format_of(photo) if format_of else RAW_RESULT if photo.format == RAW else photo.format
        stripped = photo.stripped(treatment.strip)
        by_bands = not keep_before and can_be_stripped(stripped, format)
        written: Sink = into or io.BytesIO()
        with at_network or nullcontext():
            enhanced = enhance(stripped, network, treatment.enhance, tell, by_bands=by_bands)
        encode_to(written, enhanced, format, quality=treatment.quality)  # bands are made as they are encoded
        return Enhanced(
            content=written.getvalue() if isinstance(written, io.BytesIO) else b"",
            format=format,
            width=photo.width,
            height=photo.height,
            before=photo if keep_before else None,
            notes=(*stripped.notes, *cannot_hold(stripped, format)),
            denoised=enhanced.denoised,
        )

    def by_bands(height: int, width: int) -> bool:
        return height * width >= BANDS_FROM_PIXELS

    if not keep_before and treatment.skip_brighter_than is None:
        try:
            return treated(decode(source, treatment.limits, suffix=suffix, by_bands=by_bands))
        except DamagedError:
            if into:
                into.seek(0)
                into.truncate()
    return treated(decode(source, treatment.limits, suffix=suffix))
