"""The models that have a name, where their files are, and how one arrives safely."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from enlighten_cli.errors import ModelError

CACHE_VARIABLE = "ENLIGHTEN_CACHE"
CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class ModelRow:
    """A model of the package.

    Parameters
    ----------
    name : str
        What ``--model`` takes.
    sha256 : str
        Of the ``.onnx`` file.
    width : int
        Channels of the generator's first level.
    licence : str
        Of the weights.
    """

    name: str
    sha256: str
    width: int
    licence: str


@dataclass(frozen=True)
class Download:
    """A file elsewhere, known by its content.

    Parameters
    ----------
    url : str
        https only.
    name : str
        Of the file in the cache.
    size_bytes : int
    sha256 : str
    """

    url: str
    name: str
    size_bytes: int
    sha256: str


MODELS = {
    row.name: row
    for row in (
        ModelRow(
            name="lite",
            sha256="8df3a6895c128483dba2700326fa23ae01244995eed7775518d32992802d1026",
            width=16,
            licence="research data, see weights/MODEL_CARD.md",
        ),
    )
}
DEFAULT_MODEL = "lite"

VGG16 = Download(
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
    name="vgg16-397923af.pth",
    size_bytes=553_433_881,
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
)


def weights_file(name: str) -> Path:
    """Find a file of the package's weights: in the wheel, or in the checkout.

    Raises
    ------
    ModelError
        If neither has it.
    """
    package = Path(__file__).parent
    places = (package / "bundled", package.parent / "weights")
    for place in places:
        if (place / name).is_file():
            return place / name
    raise ModelError(f"{name} is missing from this installation; looked in {' and '.join(map(str, places))}")


def locate(model: str) -> Path:
    """Find the ``.onnx`` file of a named model, or of a path.

    Raises
    ------
    ModelError
        If there is none, or the package's own file is not what was shipped.
    """
    if model in MODELS:
        path = weights_file(f"{model}.onnx")
        if sha256_of(path) != MODELS[model].sha256:
            raise ModelError(f"{path}: damaged: its SHA-256 is not that of {model}; install the package anew")
        return path
    path = Path(model)
    if not path.is_file():
        raise ModelError(f"{model}: neither a file nor a model; models are: {', '.join(MODELS)}")
    return path


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Return where downloads are kept: ``ENLIGHTEN_CACHE``, or the platform's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("enlighten-cli")


def fetch(download: Download, tell: Callable[[int], None] = lambda size_bytes: None) -> Path:
    """Return a download's path in the cache, fetching it where it is absent.

    The file gets its name only after its size and SHA-256 were checked.

    Parameters
    ----------
    download : Download
    tell : callable
        Receives the number of bytes here so far.

    Raises
    ------
    ModelError
        If it cannot be fetched, or is not what was expected.
    """
    path = cache_folder() / download.name
    if path.is_file():
        return path
    where = f"{download.url} (wanted as {path}; {CACHE_VARIABLE} chooses another folder)"
    if not download.url.startswith("https://"):
        raise ModelError(f"not fetched, because it is not https: {where}")
    import requests

    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        size = 0
        with (
            requests.get(download.url, stream=True, timeout=TIMEOUT_SECONDS) as response,
            tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file,
        ):
            temporary = Path(file.name)
            response.raise_for_status()
            if not response.url.startswith("https://"):
                raise ModelError(f"not fetched, because it was redirected to something not https: {where}")
            for chunk in response.iter_content(CHUNK_BYTES):
                size += len(chunk)
                if size > download.size_bytes:
                    break
                digest.update(chunk)
                file.write(chunk)
                tell(size)
        if size != download.size_bytes or digest.hexdigest() != download.sha256:
            raise ModelError(
                f"not kept, because it is not the expected file ({download.size_bytes} bytes, SHA-256 "
                f"{download.sha256}; came {size} bytes, {digest.hexdigest()}): {where}"
            )
        temporary.replace(path)
    except (requests.RequestException, OSError) as error:
        raise ModelError(f"cannot be fetched: {where}: {error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return path
