"""Fuzz the decoder for as long as you like: any bytes decode or fail with one line.

    python benchmarks/fuzz.py SECONDS [--seed N]

Mutates small files of every kind; a surprise is written to fuzz-findings/ and counted.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parent.parent / "tests" / "photo")]

from samples import SRGB, XMP, deep_png, deep_tiff, exif, icc_profile, multi_frame_tiff, saved

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Limits, Metadata, Photo, Strip, as_srgb, decode, encode

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP", "HEIF", "JXL")
INTERESTING = np.array([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF], np.uint8)


def seeds() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    metadata = Metadata(exif=exif(6, thumbnail=True), xmp=XMP, icc_profile=icc_profile("Display P3"), dpi=(72.0, 72.0))
    photos = [encode(Photo(pixels, format, metadata=metadata)) for format in FORMATS]
    with_alpha = [encode(Photo(pixels, format, alpha=pixels[..., 0])) for format in ("PNG", "WEBP", "TIFF", "AVIF")]
    deep = [deep_png(pixels.astype(np.uint16) * 9), deep_tiff(pixels.astype(np.uint16) * 9, compression="zlib")]
    odd = [
        multi_frame_tiff(),
        saved(Image.fromarray(pixels).convert("CMYK"), "JPEG", icc_profile=SRGB),
        saved(Image.fromarray(pixels).quantize(8), "PNG"),
        saved(Image.fromarray(pixels), "JPEG", progressive=True),
    ]
    return [*photos, *with_alpha, *deep, *odd]


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    data = np.frombuffer(content, np.uint8).copy()
    for _ in range(int(random.integers(1, 9))):
        at = int(random.integers(len(data)))
        kind = random.integers(4)
        if kind == 0:
            data[at] = random.integers(256)
        elif kind == 1:
            data[at : at + 4] = random.choice(INTERESTING)
        elif kind == 2:
            data = data[: max(1, at)]
        else:
            data = np.insert(data, at, data[at : at + int(random.integers(1, 32))])
    return data.tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random, samples = np.random.default_rng(arguments.seed), seeds()
    counts: Counter[str] = Counter()
    began = time.monotonic()
    while time.monotonic() - began < arguments.seconds:
        content = mutated(samples[int(random.integers(len(samples)))], random)
        try:
            photo = decode(content, Limits(max_mpixels=1, allow_truncated=bool(random.integers(2))))
            as_srgb(photo)
            encode(photo.stripped(Strip.GPS), "PNG")
            counts["decoded"] += 1
        except PhotoError as error:
            counts["refused"] += 1
            if len(str(error).splitlines()) != 1:
                counts["more than a line"] += 1
        except Exception:
            counts["surprises"] += 1
            folder = Path("fuzz-findings")
            folder.mkdir(exist_ok=True)
            (folder / f"{counts['surprises']:04d}.bin").write_bytes(content)
            traceback.print_exc()
    seconds = time.monotonic() - began
    print(f"{counts.total()} inputs in {seconds:.0f} s ({counts.total() / seconds:.0f} a second): {dict(counts)}")


if __name__ == "__main__":
    main()
