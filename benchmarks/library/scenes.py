"""Pictures made in code, of which everything is known: what is flat, where edges are, what colour a patch has.

A scene is linear light without noise, 1 is white; a lamp or a window may be brighter than that. It is what a photo
taken in enough light would show. sensor.py takes the dark photo of it, measures.py says what a method made of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from enlighten_cli.photo import Rgb
from enlighten_cli.photo.colour import encoded_srgb, linear_srgb
from library import light_scenes
from library.measures import as_light

HEIGHT, WIDTH = 800, 1280
WHOLE = (slice(0, HEIGHT), slice(0, WIDTH))
EXAMPLE = Path(__file__).parents[2] / "examples" / "path.jpg"
Box = tuple[slice, slice]
Mask = NDArray[np.bool_]

# The patches of the ColorChecker (X-Rite, 24 patches, before November 2014) as 8-bit sRGB; the last six are grey.
CHECKER = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip
TONES = (0.03, 0.06, 0.12, 0.25, 0.5, 0.72)  # mean light of line pairs
LINE_CONTRAST = 0.3  # Michelson's, in linear light
PERIODS_PX = (4, 8, 16)
TEXT = ((4, 8), (5, 10), (7, 12), (9, 15), (4, 15))  # ink and paper in the dark photo, of 255
FACE_DARKEST, FACE_LIGHTEST, FACE_STOPS = 5, 20, 5  # of 255, when so many stops too dark
LAMP_RADII_PX, LAMP_GROUND = (6, 16, 40), 0.03
EXAMPLE_STOPS = 2  # that the example photo lacks
AS_TAKEN = ("window", "flash", "facade", "ramp", "haze")  # scenes of light_scenes.py: one exposure is enough


@dataclass(frozen=True)
class Scene:
    """A picture and what is known of it.

    Parameters
    ----------
    name : str
    light : ndarray, shape (H, W, 3), float32
        Linear light, 1 is white.
    view : tuple of slices
        The part to look at.
    flat, lines, colours, greys : dict of boxes by name
        Patches without any structure; patches of fine structure; colour patches.
    shading, gradient : ndarray of bool, shape (H, W), or None
        Where there is smooth shading alone; whole rows of a gradient from top to bottom.
    lamps : tuple of (row, column, radius)
        Discs of light, in pixels.
    figures : dict of boxes by name
        Faces and walls whose light and contrast matter.
    ramp : ndarray of bool, shape (H, W), or None
        Where light falls evenly from left to right.
    """

    name: str
    light: Rgb
    view: Box
    flat: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, Box] = field(default_factory=dict)
    colours: dict[str, Box] = field(default_factory=dict)
    greys: dict[str, Box] = field(default_factory=dict)
    shading: Mask | None = None
    gradient: Mask | None = None
    lamps: tuple[tuple[int, int, int], ...] = ()
    figures: dict[str, Box] = field(default_factory=dict)
    ramp: Mask | None = None

    @property
    def clean(self) -> Rgb:
        """The picture in enough light: sRGB, clipped at white."""
        return encoded_srgb(self.light.clip(0, 1))


def inner(box: Box, margin: int) -> Box:
    """Return a box without its margin, where a neighbour may have bled into it."""
    rows, columns = box
    return slice(rows.start + margin, rows.stop - margin), slice(columns.start + margin, columns.stop - margin)


def chart(stops: float) -> Scene:
    """Draw a colour chart on a grey card."""
    light = np.full((HEIGHT, WIDTH, 3), 0.1, np.float32)
    side, pitch, top, left = 168, 184, 40, 94
    boxes = {}
    for number, colour in enumerate(CHECKER):
        row, column = divmod(number, 6)
        y, x = top + row * pitch, left + column * pitch
        light[y : y + side, x : x + side] = linear_srgb(np.array(colour, np.float32) / 255)
        boxes[f"{number + 1:02}"] = (slice(y + 12, y + side - 12), slice(x + 12, x + side - 12))
    names = list(boxes)
    return Scene(
        "chart",
        light,
        (slice(20, 780), slice(74, 840)),
        flat=boxes,
        colours={name: boxes[name] for name in names[:18]},
        greys={name: boxes[name] for name in names[18:]},
    )


def lines(stops: float) -> Scene:
    """Draw line pairs of several tones and widths, beside a flat patch of each tone."""
    light = np.full((HEIGHT, WIDTH, 3), 0.1, np.float32)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    flat, pairs = {}, {}
    for place, tone in enumerate(TONES):
        x = slice(16 + place * 210, 16 + place * 210 + 192)
        for number, period in enumerate((None, *PERIODS_PX)):
            y = slice(16 + number * 194, 16 + number * 194 + 180)
            if period is None:
                light[y, x] = tone
                flat[f"{tone:g}"] = inner((y, x), 12)
                continue
            across = np.where(columns < (x.start + x.stop) // 2, rows, columns)  # half of them lie, half stand
            sign = np.where(across % period < period // 2, 1, -1)[y, x]
            light[y, x] = (tone * (1 + LINE_CONTRAST * sign))[..., None]
            pairs[f"{tone:g}, {period} px"] = inner((y, x), 16)
    return Scene("lines", light, (slice(0, 800), slice(0, 640)), flat=flat, lines=pairs)


def text(stops: float) -> Scene:
    """Draw pages of strokes, as dark in the photo as TEXT says however many stops that is, in a lit room."""
    random = np.random.default_rng(0)
    down = np.linspace(0.4, 0.03, HEIGHT, dtype=np.float32)
    light = np.repeat(np.repeat(down[:, None, None], WIDTH, axis=1), 3, axis=2) * np.float32([1, 0.95, 0.85])
    pages = {}
    for place, (ink, paper) in enumerate(TEXT):
        rows, columns = slice(420, 780), slice(20 + place * 250, 20 + place * 250 + 230)
        page = np.full((360, 230), paper, np.float32)
        for top in range(16, 340, 20):
            left = 12
            while left < 210:
                width, height = int(random.integers(2, 4)), int(random.choice([8, 12]))
                page[top + 12 - height : top + 12, left : left + width] = ink
                if random.random() < 0.4:
                    page[top + 5 : top + 7, left : left + 8] = ink
                left += width + int(random.choice([3, 4, 5, 10], p=[0.3, 0.3, 0.3, 0.1]))
        light[rows, columns] = linear_srgb(page / 255)[..., None] * np.float32(2**stops)
        pages[f"{ink} on {paper}"] = (rows, columns)
    return Scene("text", light, (slice(400, 800), slice(0, 640)), lines=pages)


def backlit(stops: float) -> Scene:
    """Draw a face before a bright window: smooth shading on it, no edge."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = np.full((HEIGHT, WIDTH, 3), 0.08, np.float32)  # the wall
    sky = 24 * (1 - 0.4 * rows / HEIGHT)[..., None] * np.float32([0.85, 0.95, 1.0])
    window = (rows > 60) & (rows < 700) & (columns > 240) & (columns < 1060)
    frame = (np.abs(columns - 650) < 12) | (np.abs(rows - 240) < 10)
    light[window] = sky[window]
    light[window & frame] = 0.1

    darkest, lightest = linear_srgb(np.float32([FACE_DARKEST, FACE_LIGHTEST]) / 255) * 2**FACE_STOPS
    down, across = (rows - 400) / 230, (columns - 640) / 170
    head = down**2 + across**2 < 1
    body = (rows > 560) & (((columns - 640) / 430) ** 2 + ((rows - 820) / 230) ** 2 < 1)
    # Light falls off from one cheek to the other: even steps of encoded tone, as shading looks.
    part = (0.5 + 0.5 * np.clip(1.08 * across + 0.47 * down, -1, 1))[..., None]
    ends = encoded_srgb(np.float32([lightest, darkest]))
    shade = linear_srgb(ends[0] + (ends[1] - ends[0]) * part) * np.float32([1.12, 0.97, 0.85])
    light[body] = 0.05
    light[head] = shade[head]
    region = down**2 + across**2 < 0.85**2
    light = gaussian_filter(light, (1, 1, 0))  # a lens
    return Scene("backlit", light, (slice(120, 720), slice(400, 900)), shading=region)


def sky(stops: float) -> Scene:
    """Draw a sky at dusk over a black horizon."""
    down = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    ends = np.float32([[0.05, 0.09, 0.22], [0.75, 0.45, 0.25]])
    light = np.repeat(ends[0] * (1 - down) + ends[1] * down**1.5, WIDTH, axis=1)
    hills = np.arange(HEIGHT)[:, None] > 690 + 25 * np.sin(np.arange(WIDTH) / 90)[None]
    light[hills] = 0.004
    region = np.zeros((HEIGHT, WIDTH), bool)
    region[16:640] = True
    return Scene("sky", light.astype(np.float32), (slice(0, 800), slice(0, 500)), gradient=region)


def lamp(stops: float) -> Scene:
    """Draw lamps at night: discs far brighter than white, on an even dark ground."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    light = np.full((HEIGHT, WIDTH, 3), LAMP_GROUND, np.float32)
    lamps = tuple((400, 220 + 420 * place, radius) for place, radius in enumerate(LAMP_RADII_PX))
    for row, column, radius in lamps:
        light[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = np.float32([100, 95, 80])
    return Scene("lamp", light, (slice(250, 550), slice(480, 1240)), lamps=lamps)


def photo(stops: float) -> Scene:
    """Take the example photo, halved in linear light, for a clean picture; it is itself dark, hence the gain."""
    with Image.open(EXAMPLE) as image:
        whole = as_light(np.asarray(image.convert("RGB"))[: 2 * HEIGHT, : 2 * WIDTH])
    halved = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
    light = halved * np.float32(2**EXAMPLE_STOPS)
    boxes = {
        f"{row}.{column}": (slice(row * 200, row * 200 + 200), slice(column * 256, column * 256 + 256))
        for row in range(4)
        for column in range(5)
    }
    return Scene("photo", light, (slice(100, 700), slice(320, 960)), lines=boxes)


def _as_taken(light: Rgb, stops: float) -> Rgb:
    """Undo the stops by which a scene is darkened: what light_scenes draws is the photo itself."""
    return np.asarray(light * np.float32(2**stops), np.float32)


def window(stops: float) -> Scene:
    """Draw figures before a bright window."""
    light, figures = light_scenes.window(HEIGHT, WIDTH)
    return Scene("window", _as_taken(light, stops), WHOLE, figures=figures)


def flash(stops: float) -> Scene:
    """Draw a flash-lit face, and one that the flash did not reach."""
    light, figures = light_scenes.flash(HEIGHT, WIDTH)
    return Scene("flash", _as_taken(light, stops), WHOLE, figures=figures)


def facade(stops: float) -> Scene:
    """Draw a floodlit facade."""
    light, figures = light_scenes.facade(HEIGHT, WIDTH)
    return Scene("facade", _as_taken(light, stops), WHOLE, figures=figures)


def ramp(stops: float) -> Scene:
    """Draw a ramp into black."""
    region = np.zeros((HEIGHT, WIDTH), bool)
    region[HEIGHT // 2 :] = True
    return Scene("ramp", _as_taken(light_scenes.ramp(HEIGHT, WIDTH), stops), WHOLE, ramp=region)


def haze(stops: float) -> Scene:
    """Draw a red lamp in haze."""
    light, colours = light_scenes.haze(HEIGHT, WIDTH)
    return Scene("haze", _as_taken(light, stops), WHOLE, colours=colours)


SCENES: dict[str, Callable[[float], Scene]] = {
    draw.__name__: draw for draw in (chart, lines, text, backlit, sky, lamp, photo, window, flash, facade, ramp, haze)
}
