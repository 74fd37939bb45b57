"""``enlighten PHOTO... -o OUT``: the default command."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from enlighten_cli.cli.choices import model_of, options_of
from enlighten_cli.cli.pipeline import STREAM, enhance_one
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.cli.streams import results_only
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.batch.jobs import Destination, Job
    from enlighten_cli.batch.outcome import Outcome
    from enlighten_cli.cli.progress import BatchProgress


@click.command()
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path, allow_dash=True), metavar="PHOTO|FOLDER|-...")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Folder of the results if it is one, ends in / or there are several photos; else a file, "
    "whose ending sets the format; - is stdout. Without it, results go beside the photos, marked -enlightened.",
)
@click.option("--model", metavar="NAME|FILE", help="Model to use: a name, or an .onnx file.")
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    help="How much of the change to make: 0 none, 1 what the model says, at most 1.5.",
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "full", "fast"]),
    default="auto",
    show_default=True,
    help="full: the network sees every pixel. fast: it sees the photo reduced, and its light is carried to "
    "every pixel. auto: fast where the photo is larger than what the model learned to see.",
)
@click.option("--fast", is_flag=True, help="Short for --mode fast.")
@click.option(
    "--tile",
    type=int,
    metavar="PX",
    help="Full mode, in tiles of so many pixels, to the same result; 0 for the whole photo at once. "
    "By default the largest that memory allows.",
)
@click.option(
    "--format",
    type=click.Choice(["jpg", "png", "webp", "tiff", "avif"]),
    help="Format of the results; by default each photo's own (16-bit TIFF for camera RAW).",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    help="Of lossy formats; by default a JPEG keeps its source's tables.",
)
@click.option(
    "--name",
    metavar="TEMPLATE",
    help="What results in folders are called, from the fields {stem}, {ext} and {model}: '{stem}-{model}.{ext}'.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["skip", "overwrite", "rename", "error"]),
    default="skip",
    show_default=True,
    help="What to do where a result is there already.",
)
@click.option(
    "--files-from",
    type=click.File("rb"),
    metavar="FILE|-",
    help="Take more photos from a list, separated by newlines or NULs.",
)
@click.option(
    "--strip",
    type=click.Choice(["gps", "all"]),
    help="Leave places, or all metadata but the colour profile, out of the results.",
)
@click.option("--preserve", is_flag=True, help="Give results their photos' mode and times.")
@click.option(
    "--skip-brighter-than",
    type=click.FloatRange(0, 1),
    metavar="LEVEL",
    help="Leave photos alone whose mean luma, 0 to 1, is above this.",
)
@click.option(
    "--max-mpixels",
    type=click.FloatRange(min=0, min_open=True),
    default=250,
    show_default=True,
    help="Refuse larger photos, before they are decoded.",
)
@click.option("--allow-truncated", is_flag=True, help="Take files that end too early, as far as they go.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]",
    help="What computes; auto is a GPU where ONNX Runtime has one.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the network; all cores by default.")
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MB",
    help="What the network, and the photos on their way, may each take; half of what is free by default.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page to look at: every photo before and after, with scores.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first photo that fails.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON record a photo, then a summary, to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", count=True, help="Say what became of each photo; -vv: tracebacks too.")
@click.pass_context
def enhance(
    ctx: click.Context, /, photos: tuple[Path, ...], output: str | None, model: str | None, **given: Any
) -> None:
    """Brighten photos and folders of photos.

    Results keep name, format, size, depth, colours and metadata of their photos. Inputs are never
    changed. `-` reads a photo from stdin, and `-o -` writes one to stdout.
    """
    ctx.meta["verbosity"] = given["verbose"]
    inputs = _inputs(ctx, photos, given)
    to_stdout = output == STREAM
    if to_stdout and given["as_json"]:
        raise UsageError("-o - and --json both want stdout")
    if to_stdout and sys.stdout is None:
        raise UsageError("stdout is closed")
    if to_stdout and sys.stdout.isatty():
        raise UsageError("a picture would not look like one on this terminal; redirect stdout, or choose another -o")
    with results_only() as results:
        if to_stdout or inputs == [Path(STREAM)]:
            code = enhance_one(inputs, output, model, given, results)
        else:
            with interruptible() as signals:
                code = _batch(inputs, output, model, given, results, signals)
    ctx.exit(code)


def _inputs(ctx: click.Context, photos: tuple[Path, ...], given: dict[str, Any]) -> list[Path]:
    """Collect the photos and folders that were named, one way or the other."""
    named = list(photos)
    if Path(STREAM) in named and len(named) > 1:
        raise UsageError("- is a photo of its own; it goes with no other")
    for path in named:
        if path != Path(STREAM) and not path.exists() and not path.is_symlink():
            _suggest_command(ctx, path)
            raise UsageError(f"{path}: no such file or folder")
    if given["files_from"]:
        from enlighten_cli.batch.jobs import read_list

        if Path(STREAM) in named:
            raise UsageError("--files-from and - cannot go together")
        named += read_list(given["files_from"])
    if not named:
        raise UsageError("no photo and no folder given; see enlighten enhance --help")
    return named


def _suggest_command(ctx: click.Context, path: Path) -> None:
    """Say so where a word was perhaps meant as a command."""
    group = ctx.parent.command if ctx.parent else None
    near = get_close_matches(str(path), group.commands, n=1) if isinstance(group, click.Group) else []
    if near:
        raise UsageError(f"{path}: no such photo, folder or command; did you mean `enlighten {near[0]}`?")


def _batch(
    inputs: list[Path],
    output: str | None,
    model: str | None,
    given: dict[str, Any],
    results: BinaryIO,
    signals: list[int],
) -> int:
    """Enhance many photos, and say what became of them."""
    from enlighten_cli.batch.jobs import Photos, find_jobs
    from enlighten_cli.batch.outcome import Report, Status
    from enlighten_cli.batch.runner import run_batch
    from enlighten_cli.cli.progress import BatchProgress
    from enlighten_cli.errors import PhotoError

    options = options_of(given)
    destination = _destination(inputs, output, model, given)
    photos = Photos(inputs, without=destination.path if destination.is_folder else None)
    jobs = _checked(find_jobs(photos, destination), given)
    if given["report"]:
        _check_report(given["report"])
    if given["dry_run"]:
        return _dry_run(jobs, results, as_json=given["as_json"])
    network = model_of(model, given)
    report, done, began = Report(), [], time.monotonic()
    with BatchProgress(photos, shown=not given["quiet"]) as progress:
        if options.enhance.tile_px and not network.tiles_exactly:
            progress.say(f"{network.name} was trained so that tiles only come close to the whole photo")
        for outcome in run_batch(jobs, network, options, progress.tiles, lambda: bool(signals)):
            report.add(outcome)
            if given["report"] and outcome.status is Status.DONE:
                done.append(outcome)
            progress.advance(outcome)
            _tell(progress, outcome, given["verbose"])
            if given["as_json"]:
                _write_json(results, {**outcome.record(), "model": network.name, "provider": network.provider})
            if given["fail_fast"] and outcome.status is Status.FAILED:
                progress.complain("stopped at the first failure, as asked")
                break
        for line in photos.unreadable:
            progress.complain(line)
    seconds = time.monotonic() - began
    if given["as_json"]:
        _write_json(results, report.record(seconds, photos.ignored))
    if not given["quiet"]:
        stopped = "stopped: " if signals else ""
        click.echo(stopped + report.summary(seconds, photos.ignored), err=True)
    if given["report"] and not signals:
        _write_report(given["report"], done, network.name)
    if signals:
        return SIGNALLED + signals[0]
    return report.exit_code or (PhotoError.exit_code if photos.unreadable else 0)


def _destination(inputs: list[Path], output: str | None, model: str | None, given: dict[str, Any]) -> Destination:
    from enlighten_cli.batch.jobs import Destination
    from enlighten_cli.batch.naming import BESIDE, DEFAULT, NameTemplate
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.photo import CHOICES, SUFFIXES

    path = Path(output) if output else None
    is_folder = path is not None and (
        str(output).endswith(("/", os.sep)) or len(inputs) > 1 or inputs[0].is_dir() or path.is_dir()
    )
    format = CHOICES.get(given["format"] or "")
    if path is not None and not is_folder and format and SUFFIXES.get(path.suffix.lower()) != format:
        raise UsageError(f"--format {given['format']} and the ending of {path} contradict each other")
    if given["name"] and path is not None and not is_folder:
        raise UsageError("--name is for results in folders; -o names this one already")
    text = given["name"] or (BESIDE if path is None else DEFAULT)
    template = NameTemplate(text, model=Path(model).stem if model else DEFAULT_MODEL)
    return Destination(path, is_folder, template, format)


def _checked(jobs: Iterator[Job], given: dict[str, Any]) -> Iterator[Job]:
    """Refuse all where one result is there already, if that was asked for."""
    if given["on_conflict"] != "error":
        return jobs
    listed = list(jobs)
    there = [job.output for job in listed if job.output.exists()]
    if there:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(f"{there[0]}: is there already{more}; nothing was done")
    return iter(listed)


def _dry_run(jobs: Iterator[Job], results: BinaryIO, *, as_json: bool) -> int:
    for job in jobs:
        would = "skip" if job.output.exists() else "enhance"
        if as_json:
            record = {"type": "plan", "source": os.fspath(job.source), "output": os.fspath(job.output), "would": would}
            _write_json(results, record)
        else:
            results.write(b"%s: %s -> %s\n" % (would.encode(), os.fsencode(job.source), os.fsencode(job.output)))
    results.flush()
    return 0


def _check_report(path: Path) -> None:
    """Refuse before the work what would fail after it."""
    from enlighten_cli.evaluation.report import require_report

    require_report()
    if not path.resolve().parent.is_dir():
        raise UsageError(f"{path}: its folder is not there")


def _write_report(path: Path, outcomes: list[Outcome], model: str) -> None:
    """Write a page about the photos that were enhanced, as they now are on disk."""
    from enlighten_cli.evaluation.report import Page
    from enlighten_cli.evaluation.tables import Scores, rows_of
    from enlighten_cli.metrics import measured
    from enlighten_cli.photo import as_srgb, decode

    page = Page("enlighten", len(outcomes))
    scores = []
    for outcome in outcomes:
        before, after = (as_srgb(decode(file)) for file in (outcome.source, outcome.output))
        values = {**measured(after, before=before), "seconds": outcome.seconds}
        scores.append(Scores(str(outcome.source.parent), model, outcome.source.name, values))
        page.add(scores[-1], before, after)
    page.write(path, rows_of(scores), [f"model: {model}"])
    click.echo(f"report: {path}", err=True)


def _tell(progress: BatchProgress, outcome: Any, verbosity: int) -> None:
    from enlighten_cli.batch.outcome import Status

    for note in outcome.notes:
        progress.say(f"{outcome.source}: {note}")
    if outcome.status is Status.FAILED:
        progress.complain(f"{outcome.source}: {outcome.reason}")
    elif verbosity:
        detail = f" ({outcome.reason})" if outcome.reason else f" in {outcome.seconds:.1f} s"
        progress.say(f"{outcome.source} -> {outcome.output}: {outcome.status.value}{detail}")


def _write_json(results: BinaryIO, record: dict[str, Any]) -> None:
    # ASCII only: names that are not Unicode survive as escapes, and none can play with a terminal.
    results.write(json.dumps(record).encode("ascii") + b"\n")
    results.flush()
