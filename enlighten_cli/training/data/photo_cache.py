"""The photos of a run, decoded once and cached on the device where samples are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from enlighten_cli import photo
from enlighten_cli.batch.jobs import find_photos
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS
from enlighten_cli.errors import EnlightenError, TrainingError, UsageError
from enlighten_cli.photo import Pixels
from enlighten_cli.training.config import TrainConfig
from enlighten_cli.training.data.pairs import PAIRS, check_names, matched

FEWEST_PHOTOS = 2
HELD_THUMBNAILS = 16  # cached size of a photo, in multiples of the training pixels; at least a thumbnail of fast mode
HELD_BYTES = 3 * 2**30  # memory for decoded photos of all folders


class PhotoCache:
    """The photos of a folder and its subfolders, by index: uint8 (3, H, W).

    The constructor decodes all of them, so that damaged ones are found before training.

    Parameters
    ----------
    folder : Path
    config : TrainConfig
    budget_bytes : int
        Memory of the cache. Photos that do not fit are decoded again at each use.

    Attributes
    ----------
    paths : list of Path
        Of the readable photos.
    unreadable : list of str
        Path and reason of each unreadable photo.
    """

    def __init__(self, folder: Path, config: TrainConfig, budget_bytes: int) -> None:
        self.folder = folder
        self.paths: list[Path] = []
        self.unreadable: list[str] = []
        self._config = config
        self._sizes: list[tuple[int, int]] = []
        self._held: dict[int, Tensor] = {}
        self.held_bytes = 0
        self.device = torch.device("cpu")
        for path in find_photos(folder):
            try:
                pixels = self._decode(path)
            except TrainingError as error:
                self.unreadable.append(str(error))
                continue
            if self.held_bytes + pixels.nbytes <= budget_bytes:
                self._held[len(self.paths)] = pixels
                self.held_bytes += pixels.nbytes
            self.paths.append(path)
            self._sizes.append((pixels.shape[1], pixels.shape[2]))

    def __len__(self) -> int:
        """Return the number of readable photos."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        """Return a photo, from the cache or decoded again."""
        return self._held[index] if index in self._held else self._decode(self.paths[index])

    @property
    def complete(self) -> bool:
        """Whether all photos are cached."""
        return len(self._held) == len(self.paths)

    def size(self, index: int) -> tuple[int, int]:
        """Return the height and width of a photo."""
        return self._sizes[index]

    def move_to(self, device: torch.device) -> None:
        """Move the cached photos to a device."""
        self.device = device
        for index, pixels in self._held.items():
            self._held[index] = pixels.to(device)

    def pixels(self, index: int) -> Pixels:
        """Return a photo as an array, (H, W, 3) uint8."""
        return np.ascontiguousarray(self[index].permute(1, 2, 0).cpu().numpy())

    def _decode(self, path: Path) -> Tensor:
        try:
            pixels = photo.as_srgb(photo.decode(path))
        except EnlightenError as error:
            raise TrainingError(f"{path}: {error}") from error
        return torch.from_numpy(np.ascontiguousarray(_resized(pixels, self._config).transpose(2, 0, 1)))


class PhotoFolders(Mapping[str, PhotoCache]):
    """The folders of a run's photos, by their role: ``"low"``, ``"normal"``, ``"pairs_low"``, ``"pairs_high"``.

    Parameters
    ----------
    config : TrainConfig
    names : sequence of str
        The roles that the objective needs.
    skip_bad : bool
        Whether to train without photos that cannot be read.

    Raises
    ------
    UsageError
        If two folders are the same, one is not a folder or has too few photos, or a photo of a pair has no partner.
    TrainingError
        If some photos cannot be read; the message names all of them.
    """

    def __init__(
        self, config: TrainConfig, names: Sequence[str] = ("low", "normal"), *, skip_bad: bool = False
    ) -> None:
        folders = {name: Path(getattr(config, name)) for name in names}
        if len({folder.resolve() for folder in folders.values()}) < len(folders):
            raise UsageError(f"{folders[names[0]]}: the folders of low and normal light must differ")
        if set(PAIRS) <= set(names):
            check_names(*(folders[name] for name in PAIRS))
        self._caches: dict[str, PhotoCache] = {}
        for name, folder in folders.items():
            self._caches[name] = PhotoCache(folder, config, HELD_BYTES - self.held_bytes)
        self.unreadable = [line for cache in self._caches.values() for line in cache.unreadable]
        if self.unreadable and not skip_bad:
            many = f"{len(self.unreadable)} photos cannot be read: " if len(self.unreadable) > 1 else ""
            raise TrainingError(f"{many}{'; '.join(self.unreadable)}; --skip-bad trains without them")
        for folder, cache in zip(folders.values(), self._caches.values(), strict=True):
            if len(cache) < FEWEST_PHOTOS:
                raise UsageError(f"{folder}: {len(cache)} photos; at least {FEWEST_PHOTOS} are needed")
        if set(PAIRS) <= set(names):
            matched(*(self._caches[name] for name in PAIRS))

    def __getitem__(self, name: str) -> PhotoCache:
        """Return the photos of one folder."""
        return self._caches[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the roles."""
        return iter(self._caches)

    def __len__(self) -> int:
        """Return the number of folders."""
        return len(self._caches)

    @property
    def held_bytes(self) -> int:
        """Memory of the cached photos."""
        return sum(cache.held_bytes for cache in self._caches.values())

    @property
    def device(self) -> torch.device:
        """The device on which samples are made."""
        return next(iter(self._caches.values())).device

    def move_to(self, device: torch.device) -> bool:
        """Move all photos to a device, so that samples are made there; return False if they do not fit."""
        room = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else HELD_BYTES
        if not all(cache.complete for cache in self._caches.values()) or self.held_bytes > room:
            return False
        for cache in self._caches.values():
            cache.move_to(device)
        return True


def _resized(pixels: Pixels, config: TrainConfig) -> Pixels:
    """Reduce photos that are much larger than the network's input; enlarge those that are smaller than a crop."""
    height, width = pixels.shape[:2]
    training_pixels = config.training_pixels
    enough = max(HELD_THUMBNAILS * training_pixels, THUMBNAIL_PIXELS) if training_pixels else height * width
    factor = max(min(1.0, (enough / (height * width)) ** 0.5), config.crop_px / min(height, width))
    if factor == 1:
        return pixels
    size = tuple(max(config.crop_px, round(length * factor)) for length in (width, height))
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).resize(size, how))
