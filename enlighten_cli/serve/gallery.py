"""The photos that the page may show, by names that cannot be guessed; never by a path from a client."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.batch.jobs import Destination, Job, Photos, find_jobs
from enlighten_cli.serve.bodies import Upload
from enlighten_cli.serve.problems import Problem
from enlighten_cli.serve.work import Stop

MOST_UPLOADS, MOST_VISITS = 2000, 200
FORGOTTEN_SECONDS = 300  # without a sign of life, of an open page


@dataclass(frozen=True)
class Shown:
    """A photo that the page shows.

    Parameters
    ----------
    id : str
        What requests call it.
    name : str
        Below the folder it was found in, or as the client called it, made safe.
    job : Job
        Where it is, and where its result goes if that is written to a folder.
    is_upload : bool
    """

    id: str
    name: str
    job: Job
    is_upload: bool

    @property
    def result_name(self) -> str:
        """What its result is called; below a folder, with ``/`` between."""
        return str(Path(self.name).with_name(self.job.output.name).as_posix())


@dataclass
class Visit:
    """One page that is open: what it uploaded, results that it has not fetched, the work that ends with it."""

    id: str
    photos: dict[str, Shown] = field(default_factory=dict)
    results: dict[str, Path] = field(default_factory=dict)
    stops: set[Stop] = field(default_factory=set)
    seen: float = field(default_factory=time.monotonic)


class Gallery:
    """Photos given at the start, which all see, and those of each open page.

    Used from the event loop alone.

    Parameters
    ----------
    inputs : tuple of Path
        Photos and folders.
    output : Path
        The folder of results.
    forget : callable
        Receives uploads that are gone.

    Raises
    ------
    UsageError
        If two results would have one name, or an input be overwritten.
    NothingToDoError
        If there are inputs, but no photo among them.
    """

    def __init__(self, inputs: tuple[Path, ...], output: Path, forget: Callable[[Shown], None]) -> None:
        self._output, self._forget = output, forget
        self._given: dict[str, Shown] = {}
        self._visits: dict[str, Visit] = {}
        if inputs:
            photos = Photos(list(inputs), without=output)
            for job in find_jobs(photos, Destination(output, is_folder=True)):
                # A result's place below the output is its photo's below the folder that was given.
                name = job.output.relative_to(output).with_name(job.source.name).as_posix()
                self._add(self._given, name, job, is_upload=False)
            self.ignored = photos.ignored

    def _add(self, photos: dict[str, Shown], name: str, job: Job, *, is_upload: bool) -> Shown:
        shown = Shown(secrets.token_urlsafe(12), name, job, is_upload)
        photos[shown.id] = shown
        return shown

    @property
    def given(self) -> list[Shown]:
        """The photos given at the start."""
        return list(self._given.values())

    def sources(self) -> set[Path]:
        """Return where the photos given at the start are; no result may be written there."""
        return {shown.job.source.resolve() for shown in self._given.values()}

    def open_visit(self) -> str:
        """Begin a visit, and return what requests call it."""
        self.expire()
        if len(self._visits) >= MOST_VISITS:
            raise Problem(429, "too many pages are open")
        id = secrets.token_urlsafe(12)
        self._visits[id] = Visit(id)
        return id

    def visit(self, id: object) -> Visit:
        """Return an open visit, and note that it is alive."""
        visit = self._visits.get(str(id))
        if visit is None:
            raise Problem(404, "this page was closed; open it anew")
        visit.seen = time.monotonic()
        return visit

    def close_visit(self, id: str) -> None:
        """End a visit: its work stops, its uploads go."""
        visit = self._visits.pop(id, None)
        if visit:
            for stop in visit.stops:
                stop.set()
            for shown in visit.photos.values():
                self._remove(shown)
            for result in visit.results.values():
                result.unlink(missing_ok=True)

    def expire(self) -> None:
        """End visits that gave no sign of life."""
        now = time.monotonic()
        for id, visit in list(self._visits.items()):
            if now - visit.seen > FORGOTTEN_SECONDS:
                self.close_visit(id)

    def check_room(self, visit: Visit) -> None:
        """Refuse a photo more than a page may have."""
        if len(visit.photos) >= MOST_UPLOADS:
            raise Problem(429, f"a page holds {MOST_UPLOADS} photos; save some and open it anew")

    def add(self, visit: Visit, upload: Upload) -> Shown:
        """Add a photo that a page uploaded, under a name that no other of its photos has."""
        self.check_room(visit)
        taken = {shown.name.lower() for shown in (*visit.photos.values(), *self._given.values())}
        name, number = upload.name, 1
        while name.lower() in taken:
            path = Path(upload.name)
            name, number = f"{path.stem}-{number}{path.suffix}", number + 1
        planned = Destination(self._output, is_folder=True).job(Path(name), Path())
        return self._add(visit.photos, name, Job(upload.path, planned.output), is_upload=True)

    def photo(self, id: object, visit: Visit) -> Shown:
        """Return a photo of a visit, or one given at the start."""
        shown = visit.photos.get(str(id)) or self._given.get(str(id))
        if shown is None:
            raise Problem(404, "this photo is not here any more")
        return shown

    def remove(self, id: str, visit: Visit) -> None:
        """Drop an uploaded photo; one given at the start stays where it is."""
        shown = visit.photos.pop(id, None)
        if shown:
            self._remove(shown)

    def _remove(self, shown: Shown) -> None:
        shown.job.source.unlink(missing_ok=True)
        self._forget(shown)
