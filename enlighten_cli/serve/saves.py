"""Handlers of the page's requests for results at full size, with their progress."""

from __future__ import annotations

import queue
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from enlighten_cli.batch.conflict import Conflict
from enlighten_cli.batch.outcome import Status
from enlighten_cli.errors import EnlightenError
from enlighten_cli.serve.enhancing import disposition
from enlighten_cli.serve.gallery import Visit
from enlighten_cli.serve.problems import Problem, json_bytes
from enlighten_cli.serve.request_options import RequestOptions
from enlighten_cli.serve.saving import Event, Wanted
from enlighten_cli.serve.shared import SAVES_AT_ONCE, Shared
from enlighten_cli.serve.work import Stop, StoppedError, Streamed
from enlighten_cli.stores.address import as_file

ARCHIVE_NAME = "enlightened.zip"
FETCHED = "this result was fetched already; save again"
FETCHED_SECONDS = 60.0  # after which an archive expires if no browser has begun to fetch it
NEWS_SECONDS = 0.2
NEWS = {"content-type": "application/x-ndjson"}


@dataclass
class Archive:
    """An archive for the browser to fetch, and the events about it for the page."""

    wanted: list[Wanted]
    stop: Stop
    news: queue.Queue[Event | None] = field(default_factory=queue.Queue)
    is_fetched: bool = False


class PhotoWish(RequestOptions):
    """A photo to save, and its settings."""

    id: str


class SaveWish(BaseModel):
    """What to save, and where: ``folder``, ``file`` or ``archive``."""

    to: Literal["folder", "file", "archive"] = "file"
    conflict: Literal["skip", "rename", "overwrite"] = "skip"
    photos: list[PhotoWish] = Field(min_length=1)


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
        self.router = APIRouter(prefix="/visits/{visit}", include_in_schema=False)
        self.router.add_api_route("/saves", self.save, methods=["POST"])
        self.router.add_api_route("/results/{result}", self.result, methods=["GET", "HEAD"])
        self.router.add_api_route("/archives/{archive}", self.archive, methods=["GET", "HEAD"])

    async def save(self, visit: str, wish: SaveWish) -> Response:
        """Save photos, and answer with one line of JSON for each event.

        ``to`` is ``folder``, ``file`` (each line has the address of a result) or ``archive`` (the first line has
        the address of the archive, whose photos are enhanced while it is fetched).
        """
        shared = self._shared
        of = shared.gallery.visit(visit)
        wanted = self._wanted(wish, of)
        if wish.to == "folder" and shared.settings.output is None:
            raise Problem(422, "the server has no output folder; start it with -o FOLDER")
        if self._running >= SAVES_AT_ONCE:
            raise Problem(429, "too many photos are being saved; try again in a moment")
        work = {"folder": self._into_folder, "file": self._into_files, "archive": self._news_of_archive}[wish.to]

        def run(give: Callable[[bytes], None], stop: Stop) -> None:
            def tell(event: Event) -> None:
                give(json_bytes(event) + b"\n")

            try:
                work(wanted, Conflict(wish.conflict), tell, stop, of)
            except (StoppedError, Problem):
                raise
            except EnlightenError as error:
                tell({"error": str(error)})

        self._running += 1
        streamed = Streamed(run, shared.saves, shared.closing, NEWS, lambda: self._ended(of, streamed.stop))
        of.stops.add(streamed.stop)
        return streamed

    def _ended(self, visit: Visit, stop: Stop) -> None:
        self._running -= 1
        visit.stops.discard(stop)

    def _wanted(self, wish: SaveWish, visit: Visit) -> list[Wanted]:
        wanted = {}
        for row in wish.photos:
            self._shared.networks.check(row.model)
            photo = self._shared.gallery.photo(row.id, visit)
            wanted[photo.id] = Wanted(photo, RequestOptions.model_validate(row.model_dump()))
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

    async def archive(self, visit: str, archive: str, request: Request) -> Response:
        """Send an archive while its photos are enhanced."""
        self._shared.gallery.visit(visit)
        kept = self._archives.get(archive)
        if kept is None or kept.is_fetched:
            raise Problem(404, "this archive was fetched already, or has expired; save again")
        headers = {"content-type": "application/zip", "content-disposition": disposition(ARCHIVE_NAME)}
        if request.method == "HEAD":
            return Response(headers=headers)
        kept.is_fetched = True

        def work(give: Callable[[bytes], None], stop: Stop) -> None:
            try:
                folder = self._shared.folder.new()
                self._shared.saver.as_archive(kept.wanted, folder, give, kept.news.put, Stop(stop, kept.stop))
            except EnlightenError as error:
                kept.news.put({"error": str(error)})
                raise StoppedError from error
            except BaseException:
                kept.news.put({"error": "the download was interrupted; save again"})
                raise
            finally:
                kept.news.put(None)

        return Streamed(work, self._shared.saves, self._shared.closing, headers, kept.stop.set)

    async def result(self, visit: str, result: str) -> Response:
        """Send a result; once it was received whole, it is removed."""
        results = self._shared.gallery.visit(visit).results
        if result not in results:
            raise Problem(404, FETCHED)

        return Result(results, result)


class Result(FileResponse):
    """The file of a result. A request for its headers, for a part, or one that is broken off, does not use it up.

    Parameters
    ----------
    results : dict of str to Path
        This one is taken from it just before the client receives its last bytes: whoever has them all, and asks once
        more, is told that it is gone.
    name : str
    """

    def __init__(self, results: dict[str, Path], name: str) -> None:
        file = results[name]
        headers = {"content-disposition": disposition(file.name)}
        super().__init__(file, media_type="application/octet-stream", headers=headers)
        self._results, self._name, self._file = results, name, file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; Starlette breaks off if the client leaves."""
        is_whole, left = False, 0

        async def watching(message: Message) -> None:
            nonlocal is_whole, left
            if message["type"] == "http.response.start":
                is_whole = scope["method"] == "GET" and message["status"] == 200
                left = int(self.headers["content-length"])
            elif is_whole:
                left -= len(message.get("body", b""))
                if left <= 0:
                    self._results.pop(self._name, None)
            await send(message)

        try:
            await super().__call__(scope, receive, watching)
        except RuntimeError as error:  # removed a moment ago, as another request has received it whole
            if self._file.exists():
                raise
            raise Problem(404, FETCHED) from error
        except BaseException:
            if self._file.exists():
                self._results[self._name] = self._file
            raise
        if self._name not in self._results:
            shutil.rmtree(self._file.parent, ignore_errors=True)
