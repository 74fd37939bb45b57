"""The arguments of the commands that enhance photos, each as one value, and what follows from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Destination
from enlighten_cli.batch.naming import BESIDE, DEFAULT, NameTemplate
from enlighten_cli.batch.paths import is_folder
from enlighten_cli.batch.photo_work import BatchOptions
from enlighten_cli.cli.addresses import check_beside, output_place
from enlighten_cli.cli.networks import opened_model
from enlighten_cli.cli.outputs import check_folder_name, check_parents, check_photo_name
from enlighten_cli.enhancement.encoded import Treatment
from enlighten_cli.enhancement.enhance import Mode, Options
from enlighten_cli.errors import UsageError
from enlighten_cli.methods.network import check_name
from enlighten_cli.models.network import NamedNetwork
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import CHOICES, SUFFIXES, Limits, Strip
from enlighten_cli.stores.address import Address, Place, is_address

STREAM = "-"


@dataclass(frozen=True, kw_only=True)
class LookArguments:
    """What every command needs that enhances photos; the help of each option explains it."""

    model: str | None
    mode: str
    denoise: float
    tile: int | None
    max_mpixels: float
    allow_truncated: bool
    device: str
    threads: int | None
    memory: int | None
    quiet: bool
    verbose: int

    @property
    def memory_bytes(self) -> int | None:
        """Memory limit of the network, and of the photos in work."""
        return self.memory * 10**6 if self.memory else None

    def options(self, strength: float) -> Options:
        """Return how a photo is enhanced.

        Raises
        ------
        UsageError
            If options contradict each other.
        """
        return Options(
            strength=strength,
            mode=Mode(self.mode),
            tile_px=self.tile,
            denoise=self.denoise,
            memory_bytes=self.memory_bytes,
        )

    @property
    def limits(self) -> Limits:
        """What is too large or too damaged to be read."""
        return Limits(max_mpixels=self.max_mpixels, allow_truncated=self.allow_truncated)

    def check_model(self) -> None:
        """Refuse a name that `network` would refuse, without loading anything.

        Raises
        ------
        ModelError
            If there is neither a model nor a method of that name, or the model is not downloaded or damaged.
        """
        check_name(self.model or DEFAULT_MODEL)

    def network(self) -> NamedNetwork:
        """Load the model on the chosen device."""
        return opened_model(self.model, device=self.device, threads=self.threads, quiet=self.quiet)


@dataclass(frozen=True, kw_only=True)
class ResultArguments(LookArguments):
    """What a command needs that writes results."""

    output: str | None
    strength: float
    format: str | None
    quality: int | None
    name: str | None
    strip: str | None
    preserve: bool
    on_conflict: str
    overwrite: bool
    skip_brighter_than: float | None
    as_json: bool

    @property
    def photo_format(self) -> str | None:
        """The requested format, a name in `photo.FORMATS`."""
        return CHOICES[self.format] if self.format else None

    @property
    def conflict(self) -> Conflict:
        """What to do if a result's name is taken.

        Raises
        ------
        UsageError
            If --overwrite is combined with another value of --on-conflict.
        """
        chosen = Conflict(self.on_conflict)
        if not self.overwrite:
            return chosen
        if chosen not in (Conflict.SKIP, Conflict.OVERWRITE):
            raise UsageError(f"--overwrite and --on-conflict {self.on_conflict} contradict each other; give one")
        return Conflict.OVERWRITE

    def treatment(self) -> Treatment:
        """Return how each photo is read, enhanced and written.

        Raises
        ------
        UsageError
            If options contradict each other.
        """
        return Treatment(
            enhance=self.options(self.strength),
            limits=self.limits,
            quality=self.quality,
            strip=Strip(self.strip) if self.strip else Strip.NOTHING,
            skip_brighter_than=self.skip_brighter_than,
        )

    def batch_options(self) -> BatchOptions:
        """Return the options of a batch."""
        return BatchOptions(
            treatment=self.treatment(),
            conflict=self.conflict,
            preserve=self.preserve,
            memory_bytes=self.memory_bytes,
        )

    def check_stores(self, inputs: Sequence[Place]) -> None:
        """Refuse what does not work with photos or results in stores, which keep neither permissions nor times.

        Raises
        ------
        UsageError
        """
        is_remote = is_address(self.output or "") or any(isinstance(path, Address) for path in inputs)
        if is_remote and self.preserve:
            raise UsageError("--preserve does not work with URLs; leave it out")

    def destination(self, inputs: Sequence[Place]) -> Destination:
        """Return where the results of these inputs go.

        Raises
        ------
        UsageError
            If options contradict each other, or -o is neither a folder nor a file whose format can be written.
        MissingDependencyError
            If the format needs a package that is not installed.
        OutputError
            If a folder is needed, and a file of that name exists; or if there is no such bucket.
        """
        path = output_place(self.output) if self.output else None
        if path is None:
            check_beside(inputs)
        written_as_folder = str(self.output).endswith(("/", os.sep))
        into_folder = path is not None and (
            written_as_folder or len(inputs) > 1 or is_folder(inputs[0]) or is_folder(path)
        )
        if path is not None and into_folder:
            if not written_as_folder:
                check_folder_name(path, photos=len(inputs))
            if isinstance(path, Path):
                check_parents(path)
        if path is not None and not into_folder:
            check_photo_name(path)
            if self.photo_format and SUFFIXES.get(path.suffix.lower()) != self.photo_format:
                raise UsageError(f"--format {self.format} and the ending of {path} contradict each other; give one")
            if self.name:
                raise UsageError("--name is for results in folders; -o already names this file")
        text = self.name or (BESIDE if path is None else DEFAULT)
        template = NameTemplate(text, model=Path(self.model).stem if self.model else DEFAULT_MODEL)
        return Destination(path, into_folder, template, self.photo_format)


@dataclass(frozen=True, kw_only=True)
class EnhanceArguments(ResultArguments):
    """The arguments of ``enlighten enhance``."""

    photos: tuple[Place, ...]
    files_from: BinaryIO | None
    report: Path | None
    fail_fast: bool
    dry_run: bool
    on: str | None

    @property
    def to_stdout(self) -> bool:
        """Whether the result is written to stdout."""
        return self.output == STREAM
