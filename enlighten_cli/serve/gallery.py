"""The photos that the page may show. Requests name them by unguessable ids, never by a path."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.batch.jobs import Destination, Job, Photos, find_jobs
from enlighten_cli.serve.bodies import Upload
from enlighten_cli.serve.problems import Problem, as_text
from enlighten_cli.serve.work import Stop
from enlighten_cli.stores.address import as_file

MOST_UPLOADS, MOST_VISITS = 2000, 200
FORGOTTEN_SECONDS = 300  # a page that sends no request for this long counts as closed


@dataclass(frozen=True)
class Shown:
    """A photo that the page shows.

    Parameters
    ----------
    id : str
        Unguessable name of the photo in requests.
    name : str
        Path below the folder in which it was found, or the client's name for it, made safe.
    job : Job
        Its file, and the file of its result if results are written to a folder.
    is_upload : bool
    """

    id: str
    name: str
    job: Job
    is_upload: bool

    @property
    def result_name(self) -> str:
        """Name of its result; in folders, with ``/`` as separator."""
        return as_text(Path(self.name).with_name(self.job.output.name).as_posix())


@dataclass
class Visit:
    """One open page: its uploads, results that it has not fetched yet, and work that stops when it closes."""

    id: str
    photos: dict[str, Shown] = field(default_factory=dict)
    results: dict[str, Path] = field(default_factory=dict)
    stops: set[Stop] = field(default_factory=set)
    seen: float = field(default_factory=time.monotonic)


class Gallery:
    """The photos given at the start, which every page shows, and the uploads of each open page.

    Not thread-safe: use it from the event loop only.

    Parameters
    ----------
    inputs : tuple of Path
        Photos and folders.
    output : Path
        The folder of results.
    forget : callable
        Receives each removed upload.

    Raises
    ------
    UsageError
        If two results would have the same name, or an input would be overwritten.
    NothingToDoError
        If no photo is among the inputs.
    """

    def __init__(self, inputs: tuple[Path, ...], output: Path, forget: Callable[[Shown], None]) -> None:
        self._output, self._forget = output, forget
        self._given: dict[str, Shown] = {}
        self._visits: dict[str, Visit] = {}
        if inputs:
            photos = Photos(list(inputs), without=output)
            for job in find_jobs(photos, Destination(output, is_folder=True)):
                # Below the output, a result has the same path as its photo below the input folder.
                name = as_file(job.output).relative_to(output).with_name(job.source.name).as_posix()
                self._add(self._given, name, job, is_upload=False)
            self.ignored = photos.ignored

    def _add(self, photos: dict[str, Shown], name: str, job: Job, *, is_upload: bool) -> Shown:
        shown = Shown(secrets.token_urlsafe(12), as_text(name), job, is_upload)
        photos[shown.id] = shown
        return shown

    @property
    def given(self) -> list[Shown]:
        """The photos given at the start."""
        return list(self._given.values())

    def sources(self) -> set[Path]:
        """Return the files of the photos given at the start, which no result may overwrite."""
        return {as_file(shown.job.source).resolve() for shown in self._given.values()}

    def open_visit(self) -> str:
        """Begin a visit, and return its unguessable id."""
        self.expire()
        if len(self._visits) >= MOST_VISITS:
            raise Problem(429, "too many pages are open; close some, then reload this one")
        id = secrets.token_urlsafe(12)
        self._visits[id] = Visit(id)
        return id

    def visit(self, id: object) -> Visit:
        """Return an open visit, and restart its timeout."""
        visit = self._visits.get(str(id))
        if visit is None:
            raise Problem(404, "the server has closed this page; reload it")
        visit.seen = time.monotonic()
        return visit

    def close_visit(self, id: str) -> None:
        """End a visit: stop its work, and remove its uploads and results."""
        visit = self._visits.pop(id, None)
        if visit:
            for stop in visit.stops:
                stop.set()
            for shown in visit.photos.values():
                self._remove(shown)
            for result in visit.results.values():
                result.unlink(missing_ok=True)

    def expire(self) -> None:
        """End the visits that have timed out."""
        now = time.monotonic()
        for id, visit in list(self._visits.items()):
            if now - visit.seen > FORGOTTEN_SECONDS:
                self.close_visit(id)

    def check_room(self, visit: Visit) -> None:
        """Refuse another photo if the page has as many as it may have."""
        if len(visit.photos) >= MOST_UPLOADS:
            raise Problem(429, f"a page holds at most {MOST_UPLOADS} photos; save some, then reload the page")

    def add(self, visit: Visit, upload: Upload) -> Shown:
        """Add an uploaded photo; if its name is taken, append a number."""
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
            raise Problem(404, "the server no longer has this photo; add it again")
        return shown

    def remove(self, id: str, visit: Visit) -> None:
        """Remove an uploaded photo; photos given at the start are kept."""
        shown = visit.photos.pop(id, None)
        if shown:
            self._remove(shown)

    def _remove(self, shown: Shown) -> None:
        as_file(shown.job.source).unlink(missing_ok=True)
        self._forget(shown)
