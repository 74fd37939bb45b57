"""The models that have a name: the package's own, those elsewhere, and those that people bring."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError, OutputError, UsageError
from enlighten_cli.models.download import Download, cache_folder, sha256_of

DATA_VARIABLE = "ENLIGHTEN_DATA"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
HALF_SUFFIX = "-fp16"  # of the form that computes in fp16, for CUDA
ORIGINAL_COMMIT = "6b68a71f0b973912cffad25bff243b28530de823"
ORIGINAL = f"https://raw.githubusercontent.com/arsenyinfo/EnlightenGAN-inference/{ORIGINAL_COMMIT}"


@dataclass(frozen=True)
class ModelRow:
    """A model that the project knows.

    Parameters
    ----------
    name : str
        What ``--model`` takes.
    files : tuple of Download
        The ``.onnx`` file first.
    licence : str
        Of the weights.
    origin : str
        Who made them, and where they are from.
    width, reach_px : int
        Channels of the first level; how far away a pixel can matter.
    bundled : bool
        Whether the files are in the package.
    verified : bool
        Whether the project has checked what the model does.
    scores : dict
        Measured by ``benchmarks/score.py``.
    align_corners : bool
        How it enlarges; if so, tiles only come close to the whole photo.
    output_range : tuple of float
        What stands for black and for white in its output.
    """

    name: str
    files: tuple[Download, ...]
    licence: str
    origin: str
    width: int = 32
    reach_px: int = 137
    bundled: bool = False
    verified: bool = True
    scores: dict[str, float] = field(default_factory=dict)
    align_corners: bool = False
    output_range: tuple[float, float] = (0.0, 1.0)

    def folder(self) -> Path:
        """Return where its files are, or would be."""
        return weights_folder() if self.bundled else cache_folder()

    def path(self) -> Path:
        """Return where its ``.onnx`` file is, or would be."""
        return self.folder() / self.files[0].name


MODELS = {
    row.name: row
    for row in (
        ModelRow(
            name="standard",
            files=(
                Download(
                    "standard.onnx", 17_441_172, "dd64fc99eb7152aaea20437cebc95859d2b38235429154d421885e0837df4263"
                ),
            ),
            width=32,
            licence="research data, see weights/MODEL_CARD.md",
            origin="this project",
            bundled=True,
            scores={
                "lol_psnr": 20.10,
                "lol_ssim": 0.759,
                "well_lit_psnr": 26.29,
                "lime_niqe": 3.60,
                "mef_niqe": 3.07,
                "dicm_niqe": 3.29,
            },
        ),
        ModelRow(
            name="lite",
            files=(
                Download("lite.onnx", 4_470_380, "4a3bd8972566a85a0f1abe798ecf51252867d30fe1a176ada58b6bd4b58ded78"),
                Download(
                    "lite-fp16.onnx", 4_450_378, "c5cc8d70efc7553317e58d451b8080c20de4f04a1651066018dbdaae856561b0"
                ),
            ),
            width=16,
            licence="research data, see weights/MODEL_CARD.md",
            origin="this project",
            bundled=True,
            scores={
                "lol_psnr": 20.15,
                "lol_ssim": 0.759,
                "well_lit_psnr": 26.39,
                "lime_niqe": 3.60,
                "mef_niqe": 3.08,
                "dicm_niqe": 3.30,
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
            licence="conversion MIT, (c) 2021 Arseny Kravchenko; weights as github.com/VITA-Group/EnlightenGAN has it",
            origin="converted from the published weights by arsenyinfo/EnlightenGAN-inference",
            verified=False,
            align_corners=True,
            output_range=(-1.0, 1.0),
        ),
    )
}
DEFAULT_MODEL = "lite"

VGG16 = Download(
    name="vgg16-397923af.pth",
    size_bytes=553_433_881,
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
)


def weights_folder() -> Path:
    """Return the folder of the package's weights: in the wheel, or in the checkout."""
    package = Path(__file__).parent.parent
    bundled = package / "bundled"
    return bundled if bundled.is_dir() else package.parent / "weights"


def weights_file(name: str) -> Path:
    """Find a file of the package's weights.

    Raises
    ------
    ModelError
        If it is not there.
    """
    path = weights_folder() / name
    if not path.is_file():
        raise ModelError(f"{path} is missing from this installation; install the package anew")
    return path


def imported_folder() -> Path:
    """Return where imported models are kept: ``ENLIGHTEN_DATA``, or the platform's data folder."""
    if chosen := os.environ.get(DATA_VARIABLE):
        return Path(chosen) / "models"
    from platformdirs import user_data_path

    return user_data_path("enlighten-cli") / "models"


def imported_names() -> list[str]:
    """Return the names of imported models, sorted."""
    return sorted(path.stem for path in imported_folder().glob("*.json"))


def locate(model: str) -> Path:
    """Find the ``.onnx`` file of a named model, or of a path.

    Raises
    ------
    ModelError
        If there is none, it was not fetched yet, or it is not what it was.
    """
    if model in MODELS:
        row = MODELS[model]
        path = row.path()
        if not row.bundled and not path.is_file():
            raise ModelError(f"{model} is not here yet; run: enlighten models fetch {model}")
        if damage := damage_of(model):
            cure = "install the package anew" if row.bundled else f"run: enlighten models fetch {model}"
            raise ModelError(f"{damage}; {cure}")
        return path
    if NAME.fullmatch(model) and (imported_folder() / f"{model}.json").is_file():
        if damage := damage_of(model):
            raise ModelError(f"{damage}; import it anew")
        return imported_folder() / f"{model}.onnx"
    path = Path(model)
    if not path.is_file():
        names = ", ".join([*MODELS, *imported_names()])
        raise ModelError(f"{model}: neither a file nor a model; models are: {names}")
    return path


def damage_of(name: str) -> str:
    """Say what is wrong with a named model that is here; nothing if it is as it was."""
    if name in MODELS:
        row = MODELS[name]
        for file in row.files:
            path = row.folder() / file.name
            if not path.is_file():
                return f"{path} is missing"
            if not file.matches(path):
                return f"{path}: damaged: {path.stat().st_size:,} bytes, SHA-256 {sha256_of(path)}, not {file.wanted}"
        return ""
    for file_name, digest in read_record(name)["sha256"].items():
        path = imported_folder() / file_name
        if not path.is_file():
            return f"{path} is missing"
        if sha256_of(path) != digest:
            return f"{path}: damaged: SHA-256 {sha256_of(path)}, not {digest}"
    return ""


def read_record(name: str) -> dict[str, dict[str, str]]:
    """Read what was written down when a model was imported.

    Raises
    ------
    ModelError
        If it cannot be read.
    """
    path = imported_folder() / f"{name}.json"
    try:
        record: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        if any(Path(file_name).name != file_name for file_name in record["sha256"]):
            raise ValueError("files elsewhere")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not a readable record of an imported model") from error
    return record


def check_new_name(name: str, *, replace: bool = False) -> None:
    """Refuse a name for an imported model that could not be used.

    Raises
    ------
    UsageError
        If it is taken, or is none.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a model: lower-case letters, digits, dots, hyphens, underscores")
    if name in MODELS:
        raise UsageError(f"{name} is a model of the project; choose another name")
    if not replace and name in imported_names():
        raise UsageError(f"{name} is there already; --replace puts the new one in its place")


def keep(name: str, content: dict[str, bytes], provenance: dict[str, str]) -> Path:
    """Keep an imported model: its files, then the record by which it is found.

    Parameters
    ----------
    name : str
    content : dict
        From file names to bytes; ``<name>.onnx`` among them.
    provenance : dict
        Where it came from, what was done to it, its licence.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import hashlib

    folder = imported_folder()
    record = {
        "provenance": provenance,
        "sha256": {file_name: hashlib.sha256(data).hexdigest() for file_name, data in content.items()},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    for file_name, data in content.items():
        write_whole(folder / file_name, data)
    write_whole(folder / f"{name}.json", (json.dumps(record, indent=2) + "\n").encode())
    return folder / f"{name}.onnx"


def remove(name: str) -> list[Path]:
    """Remove an imported model, or a fetched one from the cache, and return what was removed.

    Raises
    ------
    UsageError
        If it is part of the package, or no model.
    ModelError
        If nothing of it is here.
    """
    if name in MODELS and MODELS[name].bundled:
        raise UsageError(f"{name} is part of the package")
    if name in MODELS:
        paths = [MODELS[name].folder() / file.name for file in MODELS[name].files]
    elif name in imported_names():
        files = list(read_record(name)["sha256"])
        paths = [imported_folder() / f"{name}.json", *(imported_folder() / file_name for file_name in files)]
    else:
        raise UsageError(f"{name}: no such model; see: enlighten models list")
    here = [path for path in paths if path.is_file()]
    if not here:
        raise ModelError(f"{name} is not here")
    for path in here:
        path.unlink()
    return here
