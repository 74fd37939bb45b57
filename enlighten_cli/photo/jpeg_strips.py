"""Join JPEGs of strips of a photo to one JPEG.

A strip's scan ends at a whole row of blocks and needs nothing of the strip before, if restart markers stand after each
row of blocks (ITU-T T.81, E.1.4). So a large photo is encoded on several cores, and never in memory as a whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

# Restart markers count to eight. A strip has a multiple of eight rows of blocks, of 8 or 16 px, so that they go on.
STRIP_ROWS = 256
END, LAST_RESTART = b"\xff\xd9", b"\xff\xd7"
# Frames: baseline, and with tables of 16 bits. Pillow, that is libjpeg, encodes no side longer than this.
FRAMES, SCAN, LONGEST_PX = (0xC0, 0xC1), 0xDA, 65500
FIRST_SEGMENT = 2


def joined(strips: Iterable[bytes], height: int) -> Iterator[bytes]:
    """Yield the parts of a JPEG of this height.

    Parameters
    ----------
    strips : iterable of bytes
        Sequential JPEGs of `STRIP_ROWS` rows each, but for the last, with the same tables, and a restart marker after
        each row of blocks. The header of the first is kept.
    height : int
        At most `LONGEST_PX`.
    """
    for number, strip in enumerate(strips):
        frame, scan = _places(strip)
        if number:
            yield LAST_RESTART
            yield strip[scan : -len(END)]
        else:
            # A segment is a marker, its length, and for a frame the bits of a sample and then the height.
            yield strip[: frame + 5] + struct.pack(">H", height) + strip[frame + 7 : -len(END)]
    yield END


def _places(strip: bytes) -> tuple[int, int]:
    """Return where the header of a sequential JPEG's frame stands, and where the data of its scan begin."""
    place, frame = FIRST_SEGMENT, None
    while True:
        marker, size = struct.unpack_from(">xBH", strip, place)
        if marker in FRAMES:
            frame = place
        place += 2 + size
        if marker == SCAN:
            if frame is None:
                raise ValueError("a JPEG of a strip has no frame that is known")
            return frame, place
