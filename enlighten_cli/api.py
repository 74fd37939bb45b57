"""The Python interface: `Enhancer`."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Job
from enlighten_cli.batch.outcome import Outcome
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.batch.runner import run_batch
from enlighten_cli.enhancement.encoded import Treatment, enhance_encoded
from enlighten_cli.enhancement.enhance import Mode, Options, enhance
from enlighten_cli.errors import EnlightenError, PhotoError, UsageError
from enlighten_cli.methods.network import open_network
from enlighten_cli.models.device import Device
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import CHOICES, Photo

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T", "NDArray[np.uint8]", "NDArray[np.uint16]", "NDArray[np.float32]", "Image.Image")


class Enhancer:
    """Brighten photos from Python; safe to share between threads.

    Parameters
    ----------
    model : str or Path
        Name of a model or of a method, or an ``.onnx`` file.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises
    ------
    ModelError
        If the model cannot be found or read.
    MissingDependencyError
        If ONNX Runtime is not installed, or does not have the requested device.

    Examples
    --------
    >>> import numpy as np
    >>> from enlighten_cli import Enhancer
    >>> enhancer = Enhancer()
    >>> dark = np.full((120, 160, 3), 20, np.uint8)
    >>> bright = enhancer.enhance(dark)
    >>> bright.shape, bright.dtype, bool(bright.mean() > dark.mean())
    ((120, 160, 3), dtype('uint8'), True)
    """

    def __init__(self, model: str | Path = DEFAULT_MODEL, *, device: str = "auto") -> None:
        self._model = open_network(str(model), device=Device.parse(device))
        if self._model.warning:
            warnings.warn(self._model.warning, RuntimeWarning, stacklevel=2)

    def enhance(
        self,
        photo: T,
        *,
        strength: float = 1.0,
        mode: str = "auto",
        tile_px: int | None = None,
        denoise: float = 1.0,
    ) -> T:
        """Brighten an array or a Pillow image.

        Parameters
        ----------
        photo : ndarray or Image
            sRGB. Arrays are (H, W, 3) or, grey, (H, W): uint8, uint16, or float32 in [0, 1].
            Images are of mode L, LA, RGB or RGBA; their alpha and `info` are kept.
        strength : float
            0 changes nothing, 1 is the model's own result, 1.5 the most.
        mode : str
            ``"full"``: the network sees every pixel; ``"fast"``: it sees thumbnails;
            ``"auto"``: fast where the photo is larger than the model's training photos.
        tile_px : int, optional
            Side of a tile in full mode, in pixels; 0 for the whole photo at once.
        denoise : float
            Factor on the measured noise: 0 removes nothing, 2 is the most. Noise that would not be visible is
            left in any case.

        Returns
        -------
        ndarray or Image
            Of the same kind, shape and type. The argument is not changed.

        Raises
        ------
        PhotoError
            If the argument is of another kind, shape, type or mode.

        Examples
        --------
        >>> from PIL import Image
        >>> Enhancer().enhance(Image.new("RGB", (64, 48), (9, 12, 30))).size
        (64, 48)
        """
        options = Options(strength=strength, mode=Mode(mode), tile_px=tile_px, denoise=denoise)
        if isinstance(photo, np.ndarray):
            return cast("T", self._enhance_array(photo, options))
        from PIL import Image

        if not isinstance(photo, Image.Image) or photo.mode not in ("L", "LA", "RGB", "RGBA"):
            kind = f"an image of mode {photo.mode}" if isinstance(photo, Image.Image) else f"a {type(photo).__name__}"
            raise PhotoError(f"cannot enhance {kind}; an array or an image of mode L, LA, RGB or RGBA can be")
        colours = photo.convert("L" if photo.mode in ("L", "LA") else "RGB")
        alpha = photo.getchannel("A") if photo.mode in ("LA", "RGBA") else None
        opacity = None if alpha is None else np.asarray(alpha)
        enhanced = Image.fromarray(self._enhance_array(np.asarray(colours), options, opacity))
        if alpha:
            enhanced.putalpha(alpha)
        enhanced.info.update(photo.info)
        return enhanced

    def enhance_file(
        self,
        source: str | os.PathLike[str],
        output: str | os.PathLike[str],
        *,
        strength: float = 1.0,
        mode: str = "auto",
        tile_px: int | None = None,
        denoise: float = 1.0,
        overwrite: bool = False,
    ) -> Outcome:
        """Brighten a file and write another, with its metadata.

        Parameters
        ----------
        source, output : path
            The suffix of the output sets the format; with the source's own suffix, the format is the source's.
        strength, mode, tile_px, denoise
            See `enhance`.
        overwrite : bool
            Whether an existing output is replaced; otherwise it is kept, and the photo skipped.

        Returns
        -------
        Outcome
            Done or skipped, with notes on what could not be kept.

        Raises
        ------
        PhotoError
            If the photo cannot be read, or the format cannot be written.
        OutputError
            If the output cannot be written.
        UsageError
            If the output is the source.
        """
        given, result = Path(source), Path(output)
        if result.exists() and given.exists() and result.samefile(given):
            raise UsageError(f"{given}: the output is the source")
        job = Job(given, result)
        options = BatchOptions(
            Treatment(Options(strength=strength, mode=Mode(mode), tile_px=tile_px, denoise=denoise)),
            conflict=Conflict.OVERWRITE if overwrite else Conflict.SKIP,
            at_once=1,
        )
        (outcome,) = run_batch([job], self._model, options)
        if isinstance(outcome.error, EnlightenError):
            raise type(outcome.error)(f"{source}: {outcome.error}") from outcome.error
        if outcome.error is not None:
            raise PhotoError(f"{source}: {outcome.reason}") from outcome.error
        return outcome

    def enhance_bytes(
        self,
        content: bytes,
        *,
        format: str | None = None,
        strength: float = 1.0,
        mode: str = "auto",
        tile_px: int | None = None,
        denoise: float = 1.0,
    ) -> bytes:
        """Brighten an encoded photo, and keep its metadata.

        Parameters
        ----------
        content : bytes
            Content of a photo's file, in any supported format.
        format : str, optional
            ``"jpg"``, ``"png"``, ``"webp"``, ``"tiff"`` or ``"avif"``; by default the photo's own (TIFF
            for camera RAW).
        strength, mode, tile_px, denoise
            See `enhance`.

        Returns
        -------
        bytes
            Content of the new file.

        Raises
        ------
        PhotoError
            If the photo cannot be read, or its format not written.
        UsageError
            If the format is none of these.
        """
        if format is not None and format not in CHOICES:
            raise UsageError(f"format is {format!r}; it must be one of {', '.join(CHOICES)}")
        treatment = Treatment(Options(strength=strength, mode=Mode(mode), tile_px=tile_px, denoise=denoise))
        wanted = CHOICES[format] if format else None
        format_of = (lambda photo: wanted) if wanted else None
        return enhance_encoded(content, self._model, treatment, format_of=format_of).content

    def _enhance_array(
        self, array: NDArray[Any], options: Options, alpha: NDArray[np.uint8] | None = None
    ) -> NDArray[Any]:
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or 0 in array.shape:
            raise PhotoError(f"cannot enhance an array of shape {array.shape}; (H, W, 3) or (H, W) can be")
        if array.dtype == np.float32:
            steps = np.asarray(np.rint(array.clip(0, 1) * np.float32(65535)), dtype=np.uint16)
            return np.asarray(self._enhance_array(steps, options) / np.float32(65535), dtype=np.float32)
        if array.dtype not in (np.uint8, np.uint16):
            raise PhotoError(f"cannot enhance an array of {array.dtype}; uint8, uint16 or float32 can be")
        pixels = array if array.ndim == 3 else array[..., None]
        enhanced = enhance(Photo(pixels, "PNG", alpha), self._model, options).pixels
        return enhanced.reshape(array.shape)
