"""Enhance many photos from the command line, and report the outcome of each."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from enlighten_cli.batch import runner
from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.jobs import Job, Photos, find_jobs
from enlighten_cli.batch.outcome import Outcome, Status, Summary
from enlighten_cli.batch.paths import Taken
from enlighten_cli.cli.arguments import EnhanceArguments
from enlighten_cli.cli.console import say, visible
from enlighten_cli.cli.executors import started_executor
from enlighten_cli.cli.progress import BatchLines, batch_progress
from enlighten_cli.cli.signals import SIGNALLED
from enlighten_cli.cli.streams import Results
from enlighten_cli.cli.truncation import reason_of
from enlighten_cli.errors import EnlightenError, PhotoError, UsageError
from enlighten_cli.stores.address import Place

COUNTING_SECONDS = 2.0


def enhance_many(inputs: list[Place], arguments: EnhanceArguments, results: Results, signals: list[int]) -> int:
    """Enhance photos, and return the exit code.

    Parameters
    ----------
    inputs : list of Path or Address
        Photos and folders.
    arguments : EnhanceArguments
    results : Results
        Receives JSON records, and the plan of --dry-run.
    signals : list of int
        Signals received so far; the first one stops the batch.
    """
    options = arguments.batch_options()
    destination = arguments.destination(inputs)
    photos = Photos(inputs, without=destination.path if destination.is_folder else None)
    jobs = find_jobs(photos, destination)
    if options.conflict is Conflict.ERROR:
        jobs = _none_existing(jobs)
    report = None
    if arguments.report:
        from enlighten_cli.cli.batch_report import BatchReport  # needs packages that photos do not

        report = BatchReport(arguments.report, [path for path in inputs if isinstance(path, Path)])
    if arguments.dry_run:
        arguments.check_model()
        return _dry_run(jobs, results, options.conflict, as_json=arguments.as_json)

    countdown = Countdown(jobs)
    upcoming = iter(countdown)
    first = next(upcoming)
    summary, stopping = Summary(), lambda: bool(signals)
    with (
        batch_progress(photos, shown=not arguments.quiet) as progress,
        started_executor(
            arguments, options, first, progress.tiles, stopping, report.make_examine if report else None
        ) as (executor, network),
    ):
        began = time.monotonic()
        if arguments.tile and not network.tiles_exactly:
            progress.say(f"{network.name}: tiles give nearly, not exactly, the result of the whole photo (--tile 0)")
        for outcome in runner.run_jobs(chain([first], upcoming), executor, options, stopping):
            summary.add(outcome)
            if report:
                report.add(outcome)
            progress.advance(outcome)
            _tell(progress, outcome, arguments.verbose)
            if arguments.as_json:
                results.record({**outcome.record(), "model": network.name, "provider": network.provider})
            if arguments.fail_fast and outcome.status is Status.FAILED:
                progress.complain("stopped at the first failure (--fail-fast)")
                break
        for line in photos.unreadable:
            progress.complain(line)
        seconds = time.monotonic() - began
    if arguments.as_json:
        results.record(summary.record(seconds, photos.ignored))
    if not arguments.quiet and signals:
        say(summary.stopped_line(countdown.total(), resumes=options.conflict is Conflict.SKIP))
    elif not arguments.quiet:
        folder = destination.path if destination.is_folder else None
        say(summary.line(seconds, ignored=photos.ignored, folder=folder))
        say(*summary.failed_again())
    if report and not signals:
        report.write(network.name)
    if signals:
        return SIGNALLED + signals[0]
    return summary.exit_code or (PhotoError.exit_code if photos.unreadable else 0)


class Countdown:
    """Iterate over jobs, and count them all if the batch is interrupted.

    Parameters
    ----------
    jobs : iterator of Job
    """

    def __init__(self, jobs: Iterator[Job]) -> None:
        self._jobs = jobs
        self._taken = 0

    def __iter__(self) -> Iterator[Job]:
        """Yield the jobs."""
        for job in self._jobs:
            self._taken += 1
            yield job

    def total(self) -> int | None:
        """Count all jobs, those left over included; None if that takes longer than `COUNTING_SECONDS`."""
        end = time.monotonic() + COUNTING_SECONDS
        try:
            for _ in self:
                if time.monotonic() > end:
                    return None
        except EnlightenError:  # such as two results of one name: the next run reports it
            return None
        return self._taken


def _none_existing(jobs: Iterator[Job]) -> Iterator[Job]:
    """Refuse all jobs if one of the results already exists."""
    listed, taken = list(jobs), Taken(os.path.exists)
    existing = [job.output for job in listed if taken(job.output)]
    if existing:
        more = f", as do {len(existing) - 1} more" if len(existing) > 1 else ""
        raise UsageError(f"{existing[0]}: already exists{more}; nothing was done (replace results with --overwrite)")
    return iter(listed)


def _dry_run(jobs: Iterator[Job], results: Results, conflict: Conflict, *, as_json: bool) -> int:
    taken = Taken(os.path.exists)
    for job in jobs:
        would = "skip" if conflict.leaves_old and taken(job.output) else "enhance"
        source, output = str(job.source), str(job.output)
        if as_json:
            results.json({"type": "plan", "source": source, "output": output, "would": would})
        else:
            results.write(os.fsencode(visible(f"{would}: {source} -> {output}") + "\n"))
    results.flush()
    return 0


def _tell(progress: BatchLines, outcome: Outcome, verbosity: int) -> None:
    for note in outcome.notes:
        progress.say(f"{outcome.source}: {note}")
    if outcome.status is Status.FAILED:
        progress.complain(f"{outcome.source}: {reason_of(outcome.error) if outcome.error else outcome.reason}")
    elif verbosity:
        detail = f" ({outcome.reason})" if outcome.reason else f" in {outcome.seconds:.1f} s"
        progress.say(f"{outcome.source} -> {outcome.output}: {outcome.status.value}{detail}")
