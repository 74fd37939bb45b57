"""Show what of a photo survives, format by format: ours beside Pillow's plain open().save().

    python benchmarks/survival.py [--markdown | --write | --check]

Each photo carries everything that its format can, is stored turned, enhanced with strength 0 by the
command, and read back. A column says "ours / Pillow": yes, no, or - where the format has none.
`--write` puts the table into docs/metadata.md; `--check` fails if the table there is another.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parent.parent / "tests" / "photo")]

from samples import IPTC, MAKER_NOTE, SRGB, XMP, structure, tags_of

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import Options
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import FORMATS, Metadata, Photo, decode, encode
from enlighten_cli.photo.gain_map import GainMap, Scale
from enlighten_cli.photo.upright import UPRIGHT

COLUMNS = (
    *("pixels", "EXIF", "EXIF text", "maker note", "interop", "size turned", "XMP", "long XMP", "IPTC", "resources"),
    *("comments", "ICC", "DPI", "video", "gain map", "alpha", "16 bit", "orientation"),
)
DOCS = Path(__file__).parent.parent / "docs" / "metadata.md"
BEGINNING, END = "<!-- survival -->\n", "<!-- /survival -->\n"
TEXT = "Zoë Exämple, 日本".encode()
PLAIN_TEXT = b"x" * len(TEXT)
COMMENTS = (b"first \xff", b"second")
RESOURCES = b"8BIM\x04\x0a\0\0\0\0\0\1\1\0"  # the copyright flag
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256))
LOSSY_STEPS = 30  # of 255: nobody would call it another picture
GAIN_STOPS = 0.1
LOSSLESS = ("PNG", "BMP", "TIFF")
# (format, name of the file); where a format holds 16 bits, it is shown twice.
CASES = (("JPEG", 8), ("PNG", 8), ("PNG", 16), ("WEBP", 8), ("TIFF", 8), ("TIFF", 16), ("AVIF", 8), ("BMP", 8))


def source(format: str, bits: int) -> bytes:
    """Build a file that carries everything its format can, stored turned by a quarter."""
    rows, columns = np.mgrid[0:48, 0:64]
    pixels = np.stack([rows * 2, columns * 2, rows + columns], axis=-1).astype(np.uint8)
    alpha = (rows * 5).astype(np.uint8) if FORMATS[format].alpha else None
    if bits == 16:
        pixels, alpha = pixels.astype(np.uint16) * 3, None if alpha is None else alpha.astype(np.uint16) * 257
    metadata = Metadata(
        exif=turned_exif(PLAIN_TEXT if format == "AVIF" else TEXT),
        xmp=XMP.replace(b"somebody", b"y" * 100_000),
        iptc=IPTC,
        icc_profile=SRGB,
        dpi=(300.0, 300.0),
        comments=COMMENTS,
        resources=RESOURCES,
        trailer=VIDEO,
    )
    gain_map = GainMap(np.tile(np.arange(32, dtype=np.uint8) * 8, (24, 1))[..., None], Scale((2.0,)), {"quality": 95})
    # Pillow writes the EXIF of a turned AVIF anew, so that the text of the source has to be put in afterwards.
    return encode(
        Photo(pixels, format, alpha=alpha, metadata=metadata, gain_map=gain_map if format == "JPEG" else None)
    ).replace(PLAIN_TEXT, TEXT)


def turned_exif(text: bytes) -> bytes:
    """Build EXIF of a photo that is stored turned by a quarter."""
    return structure(
        {
            0x010F: (2, b"Camera\0"),
            0x0112: (3, b"\0\6"),
            0x8298: (2, text + b"\0"),
            0x8769: {
                0x927C: (7, MAKER_NOTE),
                0xA002: (3, b"\0\x40"),
                0xA003: (3, b"\0\x30"),
                0xA005: {1: (2, b"R98\0")},
            },
            0x8825: {1: (2, b"N\0")},
        },
        ">",
    )


def verdicts(before: Photo, content: bytes | None, format: str) -> dict[str, bool | None]:
    """Compare a result with its source."""
    if content is None:
        return dict.fromkeys(COLUMNS, False)
    after = decode(content)
    was, now = before.metadata, after.metadata
    tags = tags_of(now.exif) if now.exif else {}
    inner = tags.get(0x8769, {})
    order = "big" if (now.exif or b"").startswith(b"MM") else "little"
    # Pillow writes numbers of this size with other types than cameras do.
    width = int.from_bytes(inner.get(0xA002, (3, b""))[1], order)
    bmp = format == "BMP"
    same_shape = after.pixels.shape == before.pixels.shape
    # A photo that lost its orientation still has its pixels, and loses but that column.
    turn = UPRIGHT[1] if same_shape else UPRIGHT[6]
    close = np.abs(turn(after.pixels) / 1.0 - before.pixels).max() <= (0 if format in LOSSLESS else LOSSY_STEPS)
    same_alpha = (
        before.alpha is not None
        and after.alpha is not None
        and np.abs(turn(after.alpha) / 1.0 - before.alpha).max() <= (LOSSY_STEPS if format == "AVIF" else 0)
    )
    return {
        "pixels": bool(close and after.bits == before.bits),
        "EXIF": None if bmp else 0x010F in tags and 0x8825 in tags,
        "EXIF text": None if bmp else tags.get(0x8298) == (2, TEXT + b"\0"),
        "maker note": None if bmp else inner.get(0x927C, (0, b""))[1] == MAKER_NOTE,
        "interop": None if bmp else inner.get(0xA005) == {1: (2, b"R98\0")},
        "size turned": None if bmp else width == after.width,
        "XMP": None if bmp else b"dc:creator" in (now.xmp or b""),
        "long XMP": None if bmp else b"y" * 100_000 in (now.xmp or b""),
        "IPTC": now.iptc == IPTC if FORMATS[format].iptc else None,
        "resources": now.resources == RESOURCES if FORMATS[format].iptc else None,
        "comments": now.comments == COMMENTS if format == "JPEG" else None,
        "gain map": keeps_map(before, after) if format == "JPEG" else None,
        "video": now.trailer == VIDEO if format == "JPEG" else None,
        "ICC": None if bmp else now.icc_profile == was.icc_profile,
        "DPI": was.dpi is not None and now.dpi is not None and abs(now.dpi[0] - was.dpi[0]) < 1 if was.dpi else None,
        "alpha": same_alpha if before.alpha is not None else None,
        "16 bit": after.bits == 16 if before.bits == 16 else None,
        # The scene is upright as displayed, whether by its pixels or by its tag.
        "orientation": None if bmp else same_shape,
    }


def keeps_map(before: Photo, after: Photo) -> bool:
    """Tell whether the map gives the gains that it gave."""
    was, now = before.gain_map, after.gain_map
    if was is None or now is None or was.pixels.shape != now.pixels.shape:
        return False
    return bool(np.abs(was.scale.stops(was.pixels) - now.scale.stops(now.pixels)).max() < GAIN_STOPS)


def by_pillow(content: bytes, format: str) -> bytes | None:
    """Open and save, as most tools do."""
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.save(buffer, format=format)
    except (OSError, ValueError):
        return None
    return buffer.getvalue()


def by_enlighten(content: bytes, format: str, folder: Path) -> bytes | None:
    """Enhance with strength 0: everything runs, and nothing may change."""
    job = Job(folder / f"in{FORMATS[format].suffixes[0]}", folder / "out" / f"in{FORMATS[format].suffixes[0]}")
    job.source.write_bytes(content)
    (outcome,) = run_batch(
        [job],
        FunctionNetwork(lambda rgb: rgb * 2),
        BatchOptions(Treatment(Options(strength=0)), conflict=Conflict.OVERWRITE),
    )
    return job.output.read_bytes() if outcome.status.value == "done" else None


def table() -> list[list[str]]:
    words = {True: "yes", False: "no", None: "-"}
    lines = [["format", *COLUMNS]]
    with tempfile.TemporaryDirectory() as folder:
        for format, bits in CASES:
            content = source(format, bits)
            before = decode(content)
            ours = verdicts(before, by_enlighten(content, format, Path(folder)), format)
            plain = verdicts(before, by_pillow(content, format), format)
            cells = [
                f"{words[ours[name]]} / {words[plain[name]]}" if ours[name] is not None else "-" for name in COLUMNS
            ]
            lines.append([f"{format} {bits} bit", *cells])
    # A row for each property: so many columns would not fit beside each other.
    return [list(row) for row in zip(*lines, strict=True)]


def written(lines: list[list[str]], *, markdown: bool) -> str:
    if markdown:
        lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "".join(("| " + " | ".join(row) + " |" if markdown else "  ".join(row)) + "\n" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    for name in ("--markdown", "--write", "--check"):
        how.add_argument(name, action="store_true")
    arguments = parser.parse_args()
    lines = table()
    print(written(lines, markdown=arguments.markdown), end="")
    if arguments.write or arguments.check:
        before, rest = DOCS.read_text().split(BEGINNING)
        old, after = rest.split(END)
        new = f"\n{written(lines, markdown=True)}\n"
        if arguments.check and new != old:
            sys.exit(f"{DOCS}: the table is not current; run: python benchmarks/survival.py --write")
        DOCS.write_text(before + BEGINNING + new + END + after)


if __name__ == "__main__":
    main()
