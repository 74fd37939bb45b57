"""Handlers of the page's requests for results at full size, with their progress."""

from __future__ import annotations

import json
import queue
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.outcome import Status
from enlighten_cli.errors import EnlightenError
from enlighten_cli.serve.bodies import receive_json
from enlighten_cli.serve.enhancing import disposition
from enlighten_cli.serve.gallery import Visit
from enlighten_cli.serve.look import look_of, one_of
from enlighten_cli.serve.problems import Problem
from enlighten_cli.serve.saving import Event, Wanted
from enlighten_cli.serve.shared import SAVES_AT_ONCE, Shared
from enlighten_cli.serve.work import Stop, StoppedError, Streamed
from enlighten_cli.stores.address import as_file

ARCHIVE_NAME = "enlightened.zip"
FETCHED_SECONDS = 60.0  # after which an archive expires if no browser has begun to fetch it
NEWS_SECONDS = 0.2
CONFLICTS = (Conflict.SKIP, Conflict.RENAME, Conflict.OVERWRITE)
NEWS = {"content-type": "application/x-ndjson"}


@dataclass
class Archive:
    """An archive for the browser to fetch, and the events about it for the page."""

    wanted: list[Wanted]
    stop: Stop
    news: queue.Queue[Event | None] = field(default_factory=queue.Queue)
    is_fetched: bool = False


class Saves:
    """Handlers of saving and of fetching what was saved.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._archives: dict[str, Archive] = {}
        self._running = 0
        self.routes = [
            Route("/visits/{visit}/saves", self.save, methods=["POST"]),
            Route("/visits/{visit}/results/{result}", self.result),
            Route("/visits/{visit}/archives/{archive}", self.archive),
        ]

    async def save(self, request: Request) -> ASGIApp:
        """Save photos, and answer with one line of JSON for each event.

        ``to`` is ``folder``, ``file`` (each line has the address of a result) or ``archive`` (the first line has
        the address of the archive, whose photos are enhanced while it is fetched).
        """
        shared = self._shared
        visit = shared.gallery.visit(request.path_params["visit"])
        words = await receive_json(request, shared.settings)
        to = one_of(words, "to", ("folder", "file", "archive"), "file")
        wanted = self._wanted(words, visit)
        if to == "folder" and shared.settings.output is None:
            raise Problem(422, "the server has no output folder; start it with -o FOLDER")
        conflict = Conflict(one_of(words, "conflict", [each.value for each in CONFLICTS], Conflict.SKIP.value))
        if self._running >= SAVES_AT_ONCE:
            raise Problem(429, "too many photos are being saved; try again in a moment")
        work = {"folder": self._into_folder, "file": self._into_files, "archive": self._news_of_archive}[to]

        def run(give: Callable[[bytes], None], stop: Stop) -> None:
            def tell(event: Event) -> None:
                give(json.dumps(event).encode("ascii") + b"\n")

            try:
                work(wanted, conflict, tell, stop, visit)
            except (StoppedError, Problem):
                raise
            except EnlightenError as error:
                tell({"error": str(error)})

        self._running += 1
        streamed = Streamed(run, shared.saves, shared.closing, NEWS, lambda: self._ended(visit, streamed.stop))
        visit.stops.add(streamed.stop)
        return streamed

    def _ended(self, visit: Visit, stop: Stop) -> None:
        self._running -= 1
        visit.stops.discard(stop)

    def _wanted(self, words: dict[str, Any], visit: Visit) -> list[Wanted]:
        rows = words.get("photos")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise Problem(422, "`photos` must be a list of objects with `id`, and strength, mode and model")
        names = self._shared.networks.names()
        wanted = {}
        for row in rows:
            look = look_of(row)
            if look.model and look.model not in names:
                raise Problem(422, f"there is no model of this name; available: {', '.join(names)}")
            photo = self._shared.gallery.photo(row.get("id"), visit)
            wanted[photo.id] = Wanted(photo, look)
        return list(wanted.values())

    def _into_folder(
        self, wanted: list[Wanted], conflict: Conflict, tell: Callable[[Event], None], stop: Stop, visit: Visit
    ) -> None:
        self._shared.saver.into_folder(wanted, conflict, self._shared.gallery.sources(), tell, stop)

    def _into_files(
        self, wanted: list[Wanted], conflict: Conflict, tell: Callable[[Event], None], stop: Stop, visit: Visit
    ) -> None:
        folder = self._shared.folder.new()
        for event, outcome in self._shared.saver.into_files(wanted, folder, tell, stop):
            if outcome.status is Status.DONE:
                id = secrets.token_urlsafe(12)
                visit.results[id] = as_file(outcome.output)
                event["href"] = f"/visits/{visit.id}/results/{id}"
            tell(event)

    def _news_of_archive(
        self, wanted: list[Wanted], conflict: Conflict, tell: Callable[[Event], None], stop: Stop, visit: Visit
    ) -> None:
        id, archive = secrets.token_urlsafe(12), Archive(wanted, stop)
        self._archives[id] = archive
        tell({"href": f"/visits/{visit.id}/archives/{id}"})
        end = time.monotonic() + FETCHED_SECONDS
        try:
            while archive.is_fetched or time.monotonic() < end:
                stop.check()
                try:
                    event = archive.news.get(timeout=NEWS_SECONDS)
                except queue.Empty:
                    continue
                if event is None:
                    return
                tell(event)
        finally:
            self._archives.pop(id, None)

    async def archive(self, request: Request) -> ASGIApp:
        """Send an archive while its photos are enhanced."""
        self._shared.gallery.visit(request.path_params["visit"])
        archive = self._archives.get(request.path_params["archive"])
        if archive is None or archive.is_fetched:
            raise Problem(404, "this archive was fetched already, or has expired; save again")
        archive.is_fetched = True

        def work(give: Callable[[bytes], None], stop: Stop) -> None:
            try:
                folder = self._shared.folder.new()
                self._shared.saver.as_archive(archive.wanted, folder, give, archive.news.put, Stop(stop, archive.stop))
            except EnlightenError as error:
                archive.news.put({"error": str(error)})
                raise StoppedError from error
            except BaseException:
                archive.news.put({"error": "the download was interrupted; save again"})
                raise
            finally:
                archive.news.put(None)

        headers = {"content-type": "application/zip", "content-disposition": disposition(ARCHIVE_NAME)}
        return Streamed(work, self._shared.saves, self._shared.closing, headers, archive.stop.set)

    async def result(self, request: Request) -> FileResponse:
        """Send a result, once."""
        visit = self._shared.gallery.visit(request.path_params["visit"])
        path = visit.results.pop(request.path_params["result"], None)
        if path is None:
            raise Problem(404, "this result was fetched already; save again")
        return FileResponse(
            path,
            media_type="application/octet-stream",
            headers={"content-disposition": disposition(path.name)},
            background=BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True),
        )
