"""Formats that need another package; dev installs all of them."""

import io
import struct

import numpy as np
import pytest
from conftest import scene
from samples import SRGB, XMP, exif

from enlighten_cli.batch.jobs import Destination, Photos, find_jobs
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.errors import PhotoError
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Metadata, Photo, decode, encode

METADATA = Metadata(exif=exif(), xmp=XMP, icc_profile=SRGB).upright()


@pytest.mark.parametrize(("format", "package"), [("HEIF", "pillow_heif"), ("JXL", "pillow_jxl")])
def test_pixels_and_exif_survive(format, package):
    pytest.importorskip(package)
    pixels = scene(32, 48, exposure=0.9)
    photo = decode(encode(Photo(pixels, format, metadata=METADATA), quality=95))
    assert photo.format == format
    assert np.abs(photo.pixels.astype(int) - pixels).mean() < 6
    assert b"Camera" in photo.metadata.exif


def dng(mosaic: np.ndarray) -> bytes:
    """Build the smallest camera RAW file: a Bayer mosaic of 16 bits in a TIFF structure."""
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    identity = [1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1]
    tifffile.imwrite(
        buffer,
        mosaic,
        photometric=32803,
        metadata=None,
        extratags=[
            (33421, "H", 2, (2, 2), True),  # CFARepeatPatternDim
            (33422, "B", 4, (0, 1, 1, 2), True),  # CFAPattern: RGGB
            (50706, "B", 4, (1, 4, 0, 0), True),  # DNGVersion
            (50708, "s", 0, "Test Camera", True),  # UniqueCameraModel
            (271, "s", 0, "Camera", True),
            (50721, "2i", 9, identity, True),  # ColorMatrix1
            (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),  # AsShotNeutral
            (50717, "I", 1, 65535, True),  # WhiteLevel
            (50778, "H", 1, 21, True),  # CalibrationIlluminant1: D65
        ],
    )
    return buffer.getvalue()


def test_camera_raw_becomes_16_bit_tiff(tmp_path):
    pytest.importorskip("rawpy")
    mosaic = np.linspace(500, 9000, 64 * 96).reshape(64, 96).astype(np.uint16)
    source = tmp_path / "in" / "shot.dng"
    source.parent.mkdir()
    source.write_bytes(dng(mosaic))
    jobs = list(find_jobs(Photos([source]), Destination(tmp_path / "out", is_folder=True)))
    assert jobs[0].output.name == "shot.tif"
    (outcome,) = run_batch(jobs, FunctionNetwork(lambda rgb: rgb * 2), BatchOptions())
    assert outcome.status.value == "done", outcome.reason
    result = decode(jobs[0].output)
    assert result.format == "TIFF"
    assert result.bits == 16
    assert len(np.unique(result.pixels)) > 1000
    assert b"Camera" in result.metadata.exif


def test_a_damaged_raw_file_is_one_line():
    pytest.importorskip("rawpy")
    with pytest.raises(PhotoError):
        decode(b"IIRO" + struct.pack("<L", 8) + bytes(200))


def test_raw_files_are_not_written():
    with pytest.raises(PhotoError, match="RAW files are not written"):
        encode(Photo(scene(4, 4), "PNG"), "RAW")
