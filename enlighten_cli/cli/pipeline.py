"""One photo through a pipeline: from stdin, to stdout, or both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from enlighten_cli.cli.choices import model_of, options_of
from enlighten_cli.errors import OutputError, PhotoError, UsageError

if TYPE_CHECKING:
    from enlighten_cli.batch.runner import BatchOptions, Conflict
    from enlighten_cli.models.session import Model

STREAM = "-"
NOT_FOR_ONE = ("report", "dry_run", "as_json", "preserve", "name", "skip_brighter_than")


def enhance_one(
    inputs: list[Path], output: str | None, model: str | None, given: dict[str, Any], results: BinaryIO
) -> int:
    """Enhance the one photo of a pipeline."""
    from enlighten_cli.atomic_write import exists, write_whole
    from enlighten_cli.batch.runner import Conflict
    from enlighten_cli.photo import CHOICES, RAW, RAW_RESULT, SUFFIXES, cannot_hold, decode, encode

    if len(inputs) != 1 or inputs[0].is_dir():
        raise UsageError("-o - takes one photo")
    if output is None:
        raise UsageError("- needs -o: a file, or - for stdout")
    for option in NOT_FOR_ONE:
        if given[option]:
            name = option.removeprefix("as_").replace("_", "-")
            raise UsageError(f"--{name} is not for one photo in a pipeline")
    options = options_of(given)
    asked = CHOICES.get(given["format"] or "")
    target = None if output == STREAM else _free(Path(output), options.conflict)
    if target is not None and (target.is_dir() or (not asked and target.suffix.lower() not in SUFFIXES)):
        raise UsageError(f"{target}: for a photo from stdin, name a file whose ending is a format")
    ending = SUFFIXES.get(target.suffix.lower()) if target else None
    if target is not None and exists(target) and options.conflict is not Conflict.OVERWRITE:
        if options.conflict is Conflict.ERROR:
            raise UsageError(f"{target}: is there already")
        click.echo(f"{target}: skipped, because it is there already", err=True)
        return 0
    network = model_of(model, given)
    source = inputs[0]
    try:
        photo = decode(sys.stdin.buffer.read() if source == Path(STREAM) else source, options.limits)
        format = asked or ending or (RAW_RESULT if photo.format == RAW else photo.format)
        content = _enhanced_bytes(photo, network, options, format, encode)
    except PhotoError as error:
        raise PhotoError(f"{'stdin' if source == Path(STREAM) else source}: {error}") from error
    if not given["quiet"]:
        for note in (*photo.notes, *cannot_hold(photo, format)):
            click.echo(f"enlighten: {note}", err=True)
    if target is not None:
        write_whole(target, content)
        return 0
    try:
        results.write(content)
        results.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"stdout: cannot be written: {error.strerror}") from error
    return 0


def _free(path: Path, conflict: Conflict) -> Path:
    from enlighten_cli.atomic_write import exists
    from enlighten_cli.batch.jobs import renamed
    from enlighten_cli.batch.runner import Conflict

    return renamed(path, exists) if conflict is Conflict.RENAME and exists(path) else path


def _enhanced_bytes(photo: Any, network: Model, options: BatchOptions, format: str, encode: Any) -> bytes:
    import dataclasses

    from enlighten_cli.enhancement.enhance import enhance as enhance_photo

    photo = dataclasses.replace(photo, metadata=photo.metadata.stripped(options.strip))
    return bytes(encode(enhance_photo(photo, network, options.enhance), format, quality=options.quality))
