"""Handlers of the page's requests: its files, uploads, views and removals of photos."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from enlighten_cli import __version__
from enlighten_cli.enhancement.enhance import MAX_DENOISE, MAX_STRENGTH, Mode
from enlighten_cli.errors import TOO_LITTLE_MEMORY, PhotoError
from enlighten_cli.photo import SUFFIXES
from enlighten_cli.serve.bodies import receive_photo
from enlighten_cli.serve.gallery import Shown
from enlighten_cli.serve.preview import Preview, View
from enlighten_cli.serve.problems import Json, Problem
from enlighten_cli.serve.request_options import MOST_PIXELS_OF_A_SIDE, RequestOptions
from enlighten_cli.serve.shared import Shared
from enlighten_cli.serve.work import Stop
from enlighten_cli.stores.address import as_file

MOST_VIEW_PIXELS = 4_200_000
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class ViewWish(RequestOptions):
    """A part of a photo, and how it is to look; without a size, the whole photo."""

    side: Literal["before", "after"] = "after"
    pixels: int = Field(1_000_000, ge=1, le=MOST_VIEW_PIXELS)
    left: int = Field(0, ge=0, le=MOST_PIXELS_OF_A_SIDE)
    top: int = Field(0, ge=0, le=MOST_PIXELS_OF_A_SIDE)
    width: int = Field(0, ge=0, le=MOST_PIXELS_OF_A_SIDE)
    height: int = Field(0, ge=0, le=MOST_PIXELS_OF_A_SIDE)

    def within(self, width: int, height: int) -> View:
        """Return the part, cut off at the borders of a photo of this size."""
        left, top = min(self.left, width - 1), min(self.top, height - 1)
        return View(
            left, top, min(self.width or width, width - left), min(self.height or height, height - top), self.pixels
        )


class Page:
    """Handlers of the page.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        # Read once at the start, so that no request ever opens a file by its address.
        folder = files("enlighten_cli.serve").joinpath("page")
        self._files = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
        self.router = APIRouter(include_in_schema=False)
        photo = "/visits/{visit}/photos/{photo}"
        read, write = ["GET", "HEAD"], ["POST"]
        self.router.add_api_route("/", self.index, methods=read)
        self.router.add_api_route("/page/{name}", self.file, methods=read)
        self.router.add_api_route("/visits", self.begin, methods=write)
        self.router.add_api_route("/visits/{visit}/alive", self.alive, methods=write)
        self.router.add_api_route("/visits/{visit}/close", self.close, methods=write)
        self.router.add_api_route("/visits/{visit}/photos", self.upload, methods=write)
        self.router.add_api_route(photo, self.describe, methods=read)
        self.router.add_api_route(photo + "/view", self.view, methods=read)
        self.router.add_api_route(photo, self.remove, methods=["DELETE"])

    async def index(self) -> Response:
        """Send the page."""
        return self._file("index.html")

    async def file(self, name: str) -> Response:
        """Send one of the page's files."""
        return self._file(name)

    def _file(self, name: str) -> Response:
        media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix)
        if name not in self._files or media_type is None:
            raise Problem(404, "no such page")
        return Response(self._files[name], media_type=media_type)

    async def begin(self) -> Response:
        """Begin a visit, and return everything that the page needs to start."""
        shared, settings = self._shared, self._shared.settings
        return Json(
            {
                "visit": shared.gallery.open_visit(),
                "version": __version__,
                "models": [row.model_dump() for row in shared.networks.rows()],
                "modes": [mode.value for mode in Mode],
                "most_strength": MAX_STRENGTH,
                "most_denoise": MAX_DENOISE,
                "photos": [_entry(shown) for shown in shared.gallery.given],
                "folder": None if settings.output is None else str(settings.output),
                "endings": sorted(SUFFIXES),
                "most_bytes": settings.max_bytes,
            }
        )

    async def alive(self, visit: str) -> Response:
        """Restart the timeout of an open page."""
        self._shared.gallery.visit(visit)
        self._shared.gallery.expire()
        return Json({})

    async def close(self, visit: str) -> Response:
        """End a visit."""
        self._shared.gallery.close_visit(visit)
        return Json({})

    async def upload(self, visit: str, request: Request) -> Response:
        """Receive a photo."""
        shared = self._shared
        shared.gallery.check_room(shared.gallery.visit(visit))
        upload = await receive_photo(request, shared.folder)
        try:
            # The page may have been closed in the meantime.
            shown = shared.gallery.add(shared.gallery.visit(visit), upload)
        except Problem:
            upload.path.unlink(missing_ok=True)
            raise
        return Json(_entry(shown), 201)

    async def remove(self, visit: str, photo: str) -> Response:
        """Remove a photo from the page; files given at the start are kept."""
        self._shared.gallery.remove(photo, self._shared.gallery.visit(visit))
        return Json({})

    async def describe(self, visit: str, photo: str, request: Request) -> Response:
        """Decode a photo, and return its size, format and remarks, or else what is wrong with it.

        The status is 200 even for a damaged photo: the request is valid, and the browser logs no error.
        """
        shown = self._shown(visit, photo)

        def work(stop: Stop) -> dict[str, object]:
            try:
                decoded = self._preview(shown, stop).photo
            except (PhotoError, MemoryError) as error:
                return {"trouble": TOO_LITTLE_MEMORY if isinstance(error, MemoryError) else str(error)}
            facts = {"width": decoded.width, "height": decoded.height, "format": decoded.format, "bits": decoded.bits}
            return {**facts, "notes": list(decoded.notes)}

        async with self._shared.views.place():
            return Json(await self._shared.views.run(request, work))

    async def view(self, visit: str, photo: str, request: Request, wish: Annotated[ViewWish, Query()]) -> Response:
        """Return a part of a photo, before or after."""
        shown = self._shown(visit, photo)

        def work(stop: Stop) -> bytes:
            preview = self._preview(shown, stop)
            stop.check()
            view = wish.within(preview.photo.width, preview.photo.height)
            if wish.side == "before":
                return preview.before(view)
            network = self._shared.networks.network(wish.model)
            name = wish.model or self._shared.networks.default
            content = preview.after(view, name, network, wish.options(), stop.check)
            self._shared.previews.trim()
            return content

        async with self._shared.views.place():
            return Response(await self._shared.views.run(request, work), media_type="image/jpeg")

    def _preview(self, shown: Shown, stop: Stop) -> Preview:
        self._shared.trials.decode(as_file(shown.job.source), self._shared.settings.limits, stop)
        return self._shared.previews.of(shown, stop)

    def _shown(self, visit: str, photo: str) -> Shown:
        return self._shared.gallery.photo(photo, self._shared.gallery.visit(visit))


def _entry(shown: Shown) -> dict[str, object]:
    return {"id": shown.id, "name": shown.name, "given": not shown.is_upload}
