"""Results that would replace an input, or each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from enlighten_cli.batch.paths import PathIdentities, is_below, is_folder, real
from enlighten_cli.errors import UsageError
from enlighten_cli.file_names import Identity
from enlighten_cli.stores.address import Place

if TYPE_CHECKING:
    from enlighten_cli.batch.jobs import Destination, Job, Photos


class Mirror:
    """The tree of one folder, which goes to another one, folder by folder.

    Parameters
    ----------
    photos : Photos
    destination : Destination
    jobs_in : callable
        Returns the jobs of the photos that are in a folder itself.
    """

    def __init__(self, photos: Photos, destination: Destination, jobs_in: Callable[[Place], list[Job]]) -> None:
        self._photos, self._destination, self._jobs_in = photos, destination, jobs_in
        self._identities = PathIdentities()
        self._folders: dict[Identity, list[Place]] = {}  # by the folder of results: those of the photos

    def without_collisions(self, jobs: list[Job]) -> list[Job]:
        """Return the jobs of one folder.

        Raises
        ------
        UsageError
            If results collide, also with those of another folder, where the two folders of results are one.
        """
        jobs = without_collisions(jobs, self._photos, self._destination, self._identities)
        if jobs:
            folder = jobs[0].source.parent
            earlier = self._folders.setdefault(self._identities.of(jobs[0].output.with_name("_")), [])
            for each in earlier:
                self._compare(jobs, each)
            earlier.append(folder)
        return jobs

    def _compare(self, jobs: list[Job], folder: Place) -> None:
        """Refuse jobs whose results would be those of another folder's photos."""
        others = _told_apart(self._jobs_in(folder))
        by_result = {self._identities.of(job.output): job for job in others}
        for job in jobs:
            if first := by_result.get(self._identities.of(job.output)):
                raise UsageError(_both(first, job))


def _both(first: Job, second: Job) -> str:
    where = str(second.output)
    if where != str(first.output):
        folders = first.output.parent, second.output.parent
        if folders[0] == folders[1]:
            where += f"; its folder takes {first.output.name} and {second.output.name} for one name"
        else:
            where += f"; {folders[0]} and {folders[1]} are one folder"
    return f"{first.source} and {second.source} would both be written to {where}"


def without_collisions(
    jobs: list[Job], photos: Photos, destination: Destination, identities: PathIdentities
) -> list[Job]:
    """Return the jobs whose results are neither an input nor another's result; equal jobs come once.

    Raises
    ------
    UsageError
        If there is one.
    """
    jobs = _without_earlier_results(jobs, photos, destination)
    sources = {identities.of(job.source): job.source for job in jobs}
    roots = [real(path) for path in photos.inputs if is_folder(path)]
    own = None if destination.path is None else real(destination.path)
    results: dict[Identity, Job] = {}
    kept = []
    for job in _told_apart(list(dict.fromkeys(jobs))):
        place = identities.real(job.output)
        if own is not None and not is_below(place, own) and any(is_below(place, root) for root in roots):
            raise UsageError(f"{job.output}: a link leads it back among the inputs; choose another -o")
        result = identities.of(job.output)
        if result in sources:
            raise UsageError(f"{job.source}: its result would overwrite the input {sources[result]}; choose another -o")
        first = results.setdefault(result, job)
        if first is job:
            kept.append(job)
        elif identities.of(first.source) != identities.of(job.source):
            raise UsageError(_both(first, job))
    return kept


def _without_earlier_results(jobs: list[Job], photos: Photos, destination: Destination) -> list[Job]:
    """Leave out results of an earlier run that a list or a shell pattern names."""
    if destination.path is None:
        planned = {job.output for job in jobs}
        kept = [job for job in jobs if job.source not in planned]
    elif len(photos.inputs) > 1 and destination.is_folder:
        own = real(destination.path)
        kept = [job for job in jobs if not is_below(real(job.source), own)]
    else:
        return jobs
    photos.ignored += len(jobs) - len(kept)
    return kept or jobs


def _told_apart(jobs: list[Job]) -> list[Job]:
    """Keep the old suffix before the new one where two results would collide, as for a RAW + JPEG pair."""
    taken: dict[str, int] = {}
    for job in jobs:
        taken[str(job.output).lower()] = taken.get(str(job.output).lower(), 0) + 1

    def settle(job: Job) -> Job:
        if taken[str(job.output).lower()] == 1 or job.output.suffix == job.source.suffix:
            return job
        name = f"{job.output.stem}{job.source.suffix}{job.output.suffix}"
        return replace(job, output=job.output.with_name(name))

    return [settle(job) for job in jobs]
