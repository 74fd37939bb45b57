"""The arguments of ``enlighten enhance`` as one value, and their conversion to the options of other packages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from enlighten_cli.cli.addresses import check_beside, output_place
from enlighten_cli.cli.outputs import check_folder_name, check_parents, check_photo_name
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.batch.conflict import Conflict
    from enlighten_cli.batch.jobs import Destination
    from enlighten_cli.batch.photo_work import BatchOptions
    from enlighten_cli.enhancement.encoded import Treatment
    from enlighten_cli.models.network import NamedNetwork
    from enlighten_cli.stores.address import Place

STREAM = "-"


@dataclass(frozen=True)
class EnhanceArguments:
    """The values of the command line, unconverted; the help of each option explains it."""

    photos: tuple[Place, ...]
    output: str | None
    model: str | None
    strength: float
    mode: str
    denoise: float
    fast: bool
    tile: int | None
    format: str | None
    quality: int | None
    name: str | None
    on_conflict: str
    overwrite: bool
    files_from: BinaryIO | None
    strip: str | None
    preserve: bool
    skip_brighter_than: float | None
    max_mpixels: float
    allow_truncated: bool
    device: str
    threads: int | None
    memory: int | None
    on: str | None
    report: Path | None
    preview: Path | None
    watch: bool
    fail_fast: bool
    dry_run: bool
    as_json: bool
    quiet: bool
    verbose: int

    @property
    def to_stdout(self) -> bool:
        """Whether the result is written to stdout."""
        return self.output == STREAM

    @property
    def memory_bytes(self) -> int | None:
        """Memory limit of the network, and of the photos in work."""
        return self.memory * 10**6 if self.memory else None

    @property
    def photo_format(self) -> str | None:
        """The requested format, a name in `photo.FORMATS`."""
        from enlighten_cli.photo import CHOICES

        return CHOICES[self.format] if self.format else None

    @property
    def conflict(self) -> Conflict:
        """What to do if a result's name is taken.

        Raises
        ------
        UsageError
            If --overwrite is combined with another value of --on-conflict.
        """
        from enlighten_cli.batch.conflict import Conflict

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
        from enlighten_cli.enhancement.encoded import Treatment
        from enlighten_cli.enhancement.enhance import Mode, Options
        from enlighten_cli.photo import Limits, Strip

        if self.fast and self.mode == "full":
            raise UsageError("--fast and --mode full contradict each other; give one")
        return Treatment(
            enhance=Options(
                strength=self.strength,
                mode=Mode.FAST if self.fast else Mode(self.mode),
                tile_px=self.tile,
                denoise=self.denoise,
                memory_bytes=self.memory_bytes,
            ),
            limits=Limits(max_mpixels=self.max_mpixels, allow_truncated=self.allow_truncated),
            quality=self.quality,
            strip=Strip(self.strip) if self.strip else Strip.NOTHING,
            skip_brighter_than=self.skip_brighter_than,
        )

    def batch_options(self) -> BatchOptions:
        """Return the options of a batch."""
        from enlighten_cli.batch.photo_work import BatchOptions

        return BatchOptions(
            treatment=self.treatment(),
            conflict=self.conflict,
            preserve=self.preserve,
            memory_bytes=self.memory_bytes,
        )

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
        from enlighten_cli.batch.jobs import Destination
        from enlighten_cli.batch.naming import BESIDE, DEFAULT, NameTemplate
        from enlighten_cli.models.registry import DEFAULT_MODEL
        from enlighten_cli.photo import SUFFIXES

        path = output_place(self.output) if self.output else None
        if path is None:
            check_beside(inputs)
        written_as_folder = str(self.output).endswith(("/", os.sep))
        is_folder = path is not None and (written_as_folder or len(inputs) > 1 or inputs[0].is_dir() or path.is_dir())
        if path is not None and is_folder:
            if not written_as_folder:
                check_folder_name(path, photos=len(inputs))
            if isinstance(path, Path):
                check_parents(path)
        if path is not None and not is_folder:
            check_photo_name(path)
            if self.photo_format and SUFFIXES.get(path.suffix.lower()) != self.photo_format:
                raise UsageError(f"--format {self.format} and the ending of {path} contradict each other; give one")
            if self.name:
                raise UsageError("--name is for results in folders; -o already names this file")
        text = self.name or (BESIDE if path is None else DEFAULT)
        template = NameTemplate(text, model=Path(self.model).stem if self.model else DEFAULT_MODEL)
        return Destination(path, is_folder, template, self.photo_format)

    def check_model(self) -> None:
        """Refuse a name that `network` would refuse, without loading anything.

        Raises
        ------
        ModelError
            If there is neither a model nor a method of that name, or the model is not downloaded or damaged.
        """
        from enlighten_cli.methods.network import check_name
        from enlighten_cli.models.registry import DEFAULT_MODEL

        check_name(self.model or DEFAULT_MODEL)

    def network(self) -> NamedNetwork:
        """Load the model on the chosen device."""
        from enlighten_cli.cli.choices import opened_model

        return opened_model(self.model, device=self.device, threads=self.threads, quiet=self.quiet)
