"""Read and write ICC profiles of curves and a matrix (ICC.1:2022)."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CURVE_STEPS = 4096
RGB, GREY = b"RGB ", b"GRAY"  # what a profile is for
HEADER_BYTES = 128
MOST_TAGS = 200
HDR_TRANSFERS = (16, 18)  # PQ and HLG, in the numbers of ITU-T H.273
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
LAB_KNEE, LAB_SLOPE = 8.0, 903.3  # of CIE L*: below, it is linear


class Primaries(NamedTuple):
    """Chromaticities x and y of a colour space: red, green, blue and white."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]


def transfer_is_hdr(icc_profile: bytes | None) -> bool:
    """Tell whether a profile says PQ or HLG by its cicp tag."""
    try:
        content = tags_of(icc_profile or b"").get(b"cicp", b"")
    except (ValueError, struct.error):
        return False
    return len(content) >= 10 and content[9] in HDR_TRANSFERS


def space_of(icc_profile: bytes) -> bytes:
    """Return the signature of the numbers that a profile is for, such as `RGB` or `GREY`."""
    return icc_profile[16:20]


def tags_of(icc_profile: bytes) -> dict[bytes, bytes]:
    """Return a profile's tags.

    Raises
    ------
    ValueError, struct.error
        If it is no profile, or damaged.
    """
    if icc_profile[36:40] != b"acsp":
        raise ValueError("not an ICC profile")
    (count,) = struct.unpack_from(">L", icc_profile, HEADER_BYTES)
    tags = {}
    for number in range(min(count, MOST_TAGS)):
        name, offset, size = struct.unpack_from(">4sLL", icc_profile, HEADER_BYTES + 4 + 12 * number)
        tags[name] = icc_profile[offset : offset + size]
    return tags


def matrix_of(icc_profile: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return a profile's matrix, (3, 3), from linear RGB to XYZ under D50, and its curves, (3, 4096).

    None if it is made of tables.

    Raises
    ------
    ValueError, struct.error
        If it is no profile of RGB, or damaged.
    """
    tags = tags_of(icc_profile)
    if space_of(icc_profile) != RGB:
        raise ValueError("not a profile of RGB")
    if (
        icc_profile[20:24] != b"XYZ "
        or b"A2B0" in tags
        or not all(name in tags for name in (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"))
    ):
        return None
    columns = [np.array(struct.unpack_from(">3l", tags[name], 8)) / 65536 for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    curves = np.stack([_rising(_curve(tags[name])) for name in (b"rTRC", b"gTRC", b"bTRC")])
    return np.stack(columns, axis=1), curves


def grey_curve_of(icc_profile: bytes) -> NDArray[np.float64]:
    """Return the curve, (4096,), that a profile gives to grey: from its numbers to linear light.

    Of a profile of RGB, which some programs put beside grey, it is that of green.

    Raises
    ------
    ValueError, struct.error
        If it has none, or is damaged.
    """
    tags, space = tags_of(icc_profile), space_of(icc_profile)
    name = {GREY: b"kTRC", RGB: b"gTRC"}.get(space)
    if name not in tags:
        raise ValueError("no curve for grey")
    curve = _curve(tags[name])
    if space == GREY and icc_profile[20:24] == b"Lab ":  # then it leads to lightness
        lightness = curve * 100
        curve = np.where(lightness > LAB_KNEE, ((lightness + 16) / 116) ** 3, lightness / LAB_SLOPE)
    return _rising(curve)


def _rising(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(curve).all() or (np.diff(curve) < 0).any() or curve[-1] <= 0:
        raise ValueError("a curve that does not rise")
    return curve


def _curve(tag: bytes) -> NDArray[np.float64]:
    """Read a `curv` or `para` tag (10.6 and 10.18) as a table over [0, 1]."""
    x = np.linspace(0, 1, CURVE_STEPS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">L", tag, 8)
        if count == 0:
            return x
        points = np.array(struct.unpack_from(f">{count}H", tag, 12))
        if count == 1:
            return np.asarray(x ** (points[0] / 256))
        return np.interp(x, np.linspace(0, 1, count), points / 65535)
    if tag[:4] != b"para":
        raise ValueError("a curve of an unknown kind")
    (kind,) = struct.unpack_from(">H", tag, 8)
    wanted = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
    if kind not in wanted:
        raise ValueError("a curve of an unknown kind")
    g, a, b, c, d, e, f = (*(value / 65536 for value in struct.unpack_from(f">{wanted[kind]}l", tag, 12)), *[0.0] * 7)[
        :7
    ]
    with np.errstate(all="ignore"):  # curves of hostile profiles overflow; the result is clipped
        if kind == 0:
            return np.asarray(x**g)
        if kind in (1, 2):  # from -b/a on a power, below it the constant c
            offset = c if kind == 2 else 0.0
            return np.asarray(np.where(x >= -b / a, np.maximum(a * x + b, 0) ** g + offset, offset))
        return np.asarray(np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)).clip(0, 1)


def profile_of(name: str, primaries: Primaries | None, gamma: float | None) -> bytes:
    """Build a profile.

    Parameters
    ----------
    name : str
        What programs show; ASCII.
    primaries : Primaries or None
        None makes a profile of grey.
    gamma : float or None
        Light is the number to this power; None is sRGB's curve.

    Raises
    ------
    ValueError
        If these primaries span no colour space.
    """
    numbers = (gamma,) if gamma is not None else SRGB_CURVE
    curve = b"para\0\0\0\0" + struct.pack(">HH", 0 if gamma is not None else 3, 0) + _fixed(numbers)
    tags = {b"desc": _text(name), b"cprt": _text("No copyright, use freely"), b"wtpt": _xyz(D50)}
    if primaries is None:
        tags[b"kTRC"] = curve
    else:
        adaptation, matrix = _adapted(primaries)
        tags[b"chad"] = b"sf32\0\0\0\0" + _fixed(adaptation.ravel())
        tags |= {tag: _xyz(matrix[:, each]) for each, tag in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, data, start = struct.pack(">L", len(tags)), b"", HEADER_BYTES + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += struct.pack(">4sLL", tag, start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    space = RGB if primaries else GREY
    header = struct.pack(">L4xL4s4s4s12x4s", start + len(data), 0x04300000, b"mntr", space, b"XYZ ", b"acsp")
    return header.ljust(68, b"\0") + _fixed(D50) + bytes(HEADER_BYTES - 80) + table + data


def _adapted(primaries: Primaries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what adapts white to D50, and the matrix from linear RGB to XYZ under D50."""
    points = np.array(primaries)
    if not (points[:, 1] > 0).all():
        raise ValueError("no colour space")
    xyz = np.stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)]) / points[:, 1]
    try:
        amounts = np.linalg.solve(xyz[:, :3], xyz[:, 3])
    except np.linalg.LinAlgError as error:
        raise ValueError("no colour space") from error
    seen, wanted = BRADFORD @ xyz[:, 3], BRADFORD @ D50
    if not (amounts > 0).all() or not (seen > 0).all():
        raise ValueError("no colour space")
    adaptation = np.linalg.inv(BRADFORD) @ np.diag(wanted / seen) @ BRADFORD
    return adaptation, adaptation @ (xyz[:, :3] * amounts)


def _fixed(numbers: object) -> bytes:
    whole = np.rint(np.asarray(numbers, np.float64) * 65536)
    if np.abs(whole).max() >= 2**31:
        raise ValueError("no colour space")
    return whole.astype(">i4").tobytes()


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(values)


def _text(words: str) -> bytes:
    content = words.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">LL2s2sLL", 1, 12, b"en", b"US", len(content), 28) + content
