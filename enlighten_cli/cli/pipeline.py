"""One photo through a pipeline: from stdin, to stdout, or both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.cli.console import say
from enlighten_cli.cli.streams import Results
from enlighten_cli.errors import AlreadyThereError, PhotoError, UsageError

if TYPE_CHECKING:
    from enlighten_cli.enhancement.encoded import Treatment
    from enlighten_cli.photo import Photo

NOT_FOR_ONE = ("report", "dry_run", "as_json", "preserve", "name", "skip_brighter_than")


def enhance_one(inputs: list[Path], arguments: EnhanceArguments, results: Results) -> int:
    """Enhance the one photo of a pipeline, and return the exit code."""
    from enlighten_cli.enhancement.encoded import enhance_encoded
    from enlighten_cli.photo import RAW, RAW_RESULT, SUFFIXES

    if len(inputs) != 1 or inputs[0].is_dir():
        raise UsageError("-o - takes one photo")
    if arguments.output is None:
        raise UsageError("- needs -o: a file, or - for stdout")
    for option in NOT_FOR_ONE:
        if getattr(arguments, option):
            name = option.removeprefix("as_").replace("_", "-")
            raise UsageError(f"--{name} is not for one photo in a pipeline")
    treatment = arguments.treatment()
    target = None if arguments.to_stdout else _target(Path(arguments.output), arguments)
    if target is not None and _is_kept(target, arguments):
        say(f"{target}: skipped, because it is there already")
        return 0
    network = arguments.network()
    source = inputs[0]
    ending = SUFFIXES.get(target.suffix.lower()) if target else None

    def format_of(photo: Photo) -> str:
        return arguments.photo_format or ending or (RAW_RESULT if photo.format == RAW else photo.format)

    try:
        content = _content(source, treatment)
        enhanced = enhance_encoded(content, network, treatment, suffix=source.suffix, format_of=format_of)
    except PhotoError as error:
        raise PhotoError(f"{'stdin' if source == Path(STREAM) else source}: {error}") from error
    if not arguments.quiet:
        for note in enhanced.notes:
            say(f"enlighten: {note}")
    if target is None:
        results.write(enhanced.content)
        results.flush()
    else:
        _write(target, enhanced.content, arguments)
    return 0


def _content(source: Path, treatment: Treatment) -> bytes:
    from enlighten_cli.photo.source import opened_source, read_stream

    if source == Path(STREAM):
        return read_stream(sys.stdin.buffer, treatment.limits)
    with opened_source(source, treatment.limits) as opened:
        return opened.read()


def _target(path: Path, arguments: EnhanceArguments) -> Path:
    """Return the file that is written; a name that is taken is changed if that was asked for."""
    from enlighten_cli.atomic_write import exists
    from enlighten_cli.batch.jobs import renamed
    from enlighten_cli.photo import SUFFIXES

    if path.is_dir() or (not arguments.photo_format and path.suffix.lower() not in SUFFIXES):
        raise UsageError(f"{path}: for a photo from stdin, name a file whose ending is a format")
    return renamed(path, exists) if arguments.on_conflict == "rename" and exists(path) else path


def _is_kept(target: Path, arguments: EnhanceArguments) -> bool:
    """Tell whether there is a file that is not to be replaced; refuse to begin if that is an error."""
    from enlighten_cli.atomic_write import exists

    if not exists(target) or arguments.on_conflict == "overwrite":
        return False
    if arguments.on_conflict == "error":
        raise UsageError(f"{target}: is there already")
    return True


def _write(target: Path, content: bytes, arguments: EnhanceArguments) -> None:
    from enlighten_cli.atomic_write import exists, write_whole
    from enlighten_cli.batch.jobs import renamed

    while True:
        try:
            write_whole(target, content, replace=arguments.on_conflict == "overwrite")
            return
        except AlreadyThereError:  # made by another process meanwhile
            if arguments.on_conflict == "skip":
                say(f"{target}: skipped, because it is there already")
                return
            if arguments.on_conflict == "error":
                raise
            target = renamed(target, exists)
