"""One photo through a pipeline: from stdin, to stdout, or both."""

from __future__ import annotations

import sys
from pathlib import Path

from enlighten_cli.batch.conflict import Conflict, write_result
from enlighten_cli.batch.paths import exists, is_folder
from enlighten_cli.cli.addresses import output_place
from enlighten_cli.cli.arguments import STREAM, EnhanceArguments
from enlighten_cli.cli.console import say
from enlighten_cli.cli.outputs import check_photo_name
from enlighten_cli.cli.streams import Results
from enlighten_cli.cli.truncation import reason_of
from enlighten_cli.enhancement.encoded import Treatment, enhance_encoded
from enlighten_cli.errors import AlreadyThereError, PhotoError, UsageError
from enlighten_cli.originals import Originals, ids_of_open
from enlighten_cli.photo import RAW, RAW_RESULT, SUFFIXES, Photo
from enlighten_cli.photo.source import opened_source, read_stream
from enlighten_cli.stores.address import Place

KEPT = "Nothing to do: {} already exists (replace it with --overwrite)"


def enhance_one(inputs: list[Place], arguments: EnhanceArguments, results: Results) -> int:
    """Enhance the one photo of a pipeline, and return the exit code."""
    if len(inputs) != 1 or is_folder(inputs[0]):
        raise UsageError("-o - takes one photo; name one")
    if arguments.output is None:
        raise UsageError("- (stdin) needs -o: a file, or - for stdout")
    _refuse_options_of_batches(arguments)
    treatment, conflict = arguments.treatment(), arguments.conflict
    target = None if arguments.to_stdout else _target(arguments)
    if target is not None and _is_kept(target, conflict):
        say(KEPT.format(target))
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
        raise PhotoError(f"{'stdin' if source == Path(STREAM) else source}: {reason_of(error)}") from error
    if not arguments.quiet:
        for note in enhanced.notes:
            say(f"enlighten: {note}")
    if target is None:
        results.write(enhanced.content)
        results.flush()
    else:
        _write(target, enhanced.content, conflict)
    return 0


def _refuse_options_of_batches(arguments: EnhanceArguments) -> None:
    given = {
        "--report": arguments.report is not None,
        "--dry-run": arguments.dry_run,
        "--json": arguments.as_json,
        "--preserve": arguments.preserve,
        "--name": arguments.name is not None,
        "--skip-brighter-than": arguments.skip_brighter_than is not None,
        "--fail-fast": arguments.fail_fast,
    }
    for option, is_given in given.items():
        if is_given:
            raise UsageError(f"{option} does not work with - (stdin or stdout); leave it out")


def _content(source: Place, treatment: Treatment) -> bytes:
    if source == Path(STREAM):
        if sys.stdin is None:
            raise UsageError("-: stdin is closed; name a photo")
        return read_stream(sys.stdin.buffer, treatment.limits)
    with opened_source(source, treatment.limits) as opened:
        return opened.read()


def _target(arguments: EnhanceArguments) -> Place:
    """Return the file or address to write."""
    path = output_place(arguments.output or "")
    if is_folder(path) or (not arguments.photo_format and path.suffix.lower() not in SUFFIXES):
        raise UsageError(f"-o {path}: a photo from stdin needs a file with the ending of a format, such as .jpg")
    if not arguments.photo_format:
        check_photo_name(path)
    return path


def _is_kept(target: Place, conflict: Conflict) -> bool:
    """Tell whether the result exists and is kept; refuse to begin if that is an error."""
    if not (conflict.leaves_old and exists(target)):
        return False
    if conflict.value == "error":
        raise UsageError(f"{target}: already exists; replace it with --overwrite")
    return True


def _write(target: Place, content: bytes, conflict: Conflict) -> None:
    try:
        write_result(target, content, conflict, originals=Originals([], ids=ids_of_open(sys.stdin.buffer)))
    except AlreadyThereError:  # written by another process meanwhile
        if conflict.value == "error":
            raise
        say(KEPT.format(target))
    except PhotoError as error:
        raise PhotoError(f"{target}: {error}") from error
