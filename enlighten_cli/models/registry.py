"""Registry of the models that have a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.models.download import Download
from enlighten_cli.models.folders import cache_folder, weights_folder

HALF_SUFFIX = "-fp16"  # of the version that computes in fp16, for CUDA
ORIGINAL_COMMIT = "6b68a71f0b973912cffad25bff243b28530de823"
ORIGINAL = f"https://raw.githubusercontent.com/arsenyinfo/EnlightenGAN-inference/{ORIGINAL_COMMIT}"


@dataclass(frozen=True)
class ModelRow:
    """A row of the registry.

    Parameters
    ----------
    name : str
        Value of ``--model``.
    files : tuple of Download
        The ``.onnx`` file first.
    licence : str
        Of the weights.
    origin : str
        Who trained or converted the weights, and their source.
    width : int
        Channels of the network's first level.
    bundled : bool
        Whether the files are in the package.
    verified : bool
        Whether the project has checked what the model does.
    scores : dict
        Measured by ``benchmarks/score.py``.
    align_corners : bool
        Whether its upsampling aligns corners; if so, tiles only approximate the whole photo.
    output_range : tuple of float
        Values of black and white in its output.
    """

    name: str
    files: tuple[Download, ...]
    licence: str
    origin: str
    width: int = 32
    bundled: bool = False
    verified: bool = True
    scores: dict[str, float] = field(default_factory=dict)
    align_corners: bool = False
    output_range: tuple[float, float] = (0.0, 1.0)

    def folder(self) -> Path:
        """Return the folder of its files, whether they exist or not."""
        return weights_folder() if self.bundled else cache_folder()

    def path(self) -> Path:
        """Return the path of its ``.onnx`` file, whether it exists or not."""
        return self.folder() / self.files[0].name


MODELS = {
    row.name: row
    for row in (
        ModelRow(
            name="lite",
            files=(
                Download("lite.onnx", 4_371_774, "329dac1f055112eaff163ccdd4a3df0416893104cd95254a53dd9715e9f4f100"),
                Download(
                    "lite-fp16.onnx", 4_348_808, "7e3c4f3d01cdce1ddc1a6fd8b264dcd33ad4bfd2bec135891c6bd2e6d221f60a"
                ),
            ),
            width=16,
            licence="research data, see weights/MODEL_CARD.md",
            origin="this project",
            bundled=True,
            scores={
                "lol_psnr": 20.39,
                "lol_ssim": 0.835,
                "well_lit_psnr": 29.82,
                "lime_niqe": 4.14,
                "mef_niqe": 3.42,
                "dicm_niqe": 3.38,
            },
        ),
        ModelRow(
            name="enlightengan-original",
            files=(
                Download(
                    "enlightengan-original.onnx",
                    64 * 2**20,
                    git_blob="bba93d2dae054f3e509bbe7850059d14377e7fe7",
                    url=f"{ORIGINAL}/enlighten_inference/enlighten.onnx",
                    exact_size=False,
                ),
                Download(
                    "enlightengan-original.LICENSE.md",
                    1_074,
                    "b824f636b90e38dae40b1c37fac8280aa5ff04261b046841055004568072d685",
                    url=f"{ORIGINAL}/LICENSE.md",
                ),
            ),
            licence="conversion MIT, (c) 2021 Arseny Kravchenko; weights: see github.com/VITA-Group/EnlightenGAN",
            origin="converted from the published weights by arsenyinfo/EnlightenGAN-inference",
            verified=False,
            align_corners=True,
            output_range=(-1.0, 1.0),
        ),
    )
}
DEFAULT_MODEL = "lite"

DENOISER = Download("denoise.onnx", 194_367, "b81254d1da541377cd8169ca49878988053edbe2993fe563a3b9e9d11dc1da7f")

VGG16 = Download(
    name="vgg16-397923af.pth",
    size_bytes=553_433_881,
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
)
