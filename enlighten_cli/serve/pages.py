"""Handlers of the page's requests: its files, uploads, views and removals of photos."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enlighten_cli import __version__
from enlighten_cli.enhancement.enhance import MAX_DENOISE, MAX_STRENGTH, Mode
from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import SUFFIXES
from enlighten_cli.serve.bodies import receive_photo
from enlighten_cli.serve.gallery import Shown
from enlighten_cli.serve.look import look_of, number, one_of
from enlighten_cli.serve.preview import View
from enlighten_cli.serve.problems import Problem
from enlighten_cli.serve.shared import Shared
from enlighten_cli.serve.work import Stop

MOST_VIEW_PIXELS = 4_200_000
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


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
        self.routes = [
            Route("/", self.index),
            Route("/page/{name}", self.file),
            Route("/visits", self.begin, methods=["POST"]),
            Route("/visits/{visit}/alive", self.alive, methods=["POST"]),
            Route("/visits/{visit}/close", self.close, methods=["POST"]),
            Route("/visits/{visit}/photos", self.upload, methods=["POST"]),
            Route("/visits/{visit}/photos/{photo}", self.describe),
            Route("/visits/{visit}/photos/{photo}", self.remove, methods=["DELETE"]),
            Route("/visits/{visit}/photos/{photo}/view", self.view),
        ]

    async def index(self, request: Request) -> Response:
        """Send the page."""
        return self._file("index.html")

    async def file(self, request: Request) -> Response:
        """Send one of the page's files."""
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix)
        if name not in self._files or media_type is None:
            raise Problem(404, "no such page")
        return Response(self._files[name], media_type=media_type)

    async def begin(self, request: Request) -> Response:
        """Begin a visit, and return everything that the page needs to start."""
        shared, settings = self._shared, self._shared.settings
        return JSONResponse(
            {
                "visit": shared.gallery.open_visit(),
                "version": __version__,
                "models": shared.networks.rows(),
                "modes": [mode.value for mode in Mode],
                "most_strength": MAX_STRENGTH,
                "most_denoise": MAX_DENOISE,
                "photos": [_entry(shown) for shown in shared.gallery.given],
                "folder": None if settings.output is None else str(settings.output),
                "endings": sorted(SUFFIXES),
                "most_bytes": settings.max_bytes,
            }
        )

    async def alive(self, request: Request) -> Response:
        """Restart the timeout of an open page."""
        self._shared.gallery.visit(request.path_params["visit"])
        self._shared.gallery.expire()
        return JSONResponse({})

    async def close(self, request: Request) -> Response:
        """End a visit."""
        self._shared.gallery.close_visit(request.path_params["visit"])
        return JSONResponse({})

    async def upload(self, request: Request) -> Response:
        """Receive a photo."""
        shared = self._shared
        visit = shared.gallery.visit(request.path_params["visit"])
        shared.gallery.check_room(visit)
        upload = await receive_photo(request, shared.folder, shared.settings)
        try:
            # The page may have been closed in the meantime.
            shown = shared.gallery.add(shared.gallery.visit(request.path_params["visit"]), upload)
        except Problem:
            upload.path.unlink(missing_ok=True)
            raise
        return JSONResponse(_entry(shown), 201)

    async def remove(self, request: Request) -> Response:
        """Remove a photo from the page; files given at the start are kept."""
        visit = self._shared.gallery.visit(request.path_params["visit"])
        self._shared.gallery.remove(request.path_params["photo"], visit)
        return JSONResponse({})

    async def describe(self, request: Request) -> Response:
        """Decode a photo, and return its size, format and remarks, or else what is wrong with it.

        The status is 200 even for a damaged photo: the request is valid, and the browser logs no error.
        """
        shown = self._photo(request)

        def work(stop: Stop) -> dict[str, object]:
            try:
                photo = self._shared.previews.of(shown, stop).photo
            except PhotoError as error:
                return {"trouble": str(error)}
            facts = {"width": photo.width, "height": photo.height, "format": photo.format, "bits": photo.bits}
            return {**facts, "notes": list(photo.notes)}

        async with self._shared.views.place():
            return JSONResponse(await self._shared.views.run(request, work))

    async def view(self, request: Request) -> Response:
        """Return a part of a photo, before or after."""
        shown, words = self._photo(request), request.query_params
        side = one_of(words, "side", ("before", "after"), "after")
        look = look_of(words)
        pixels = int(number(words, "pixels", 1_000_000, 1, MOST_VIEW_PIXELS))
        corners = [int(number(words, name, 0, 0, 1 << 20)) for name in ("left", "top", "width", "height")]

        def work(stop: Stop) -> bytes:
            preview = self._shared.previews.of(shown, stop)
            stop.check()
            view = _within(corners, preview.photo.width, preview.photo.height, pixels)
            if side == "before":
                return preview.before(view)
            network = self._shared.networks.network(look.model)
            content = preview.after(
                view, look.model or self._shared.networks.default, network, look.options(), stop.check
            )
            self._shared.previews.trim()
            return content

        async with self._shared.views.place():
            return Response(await self._shared.views.run(request, work), media_type="image/jpeg")

    def _photo(self, request: Request) -> Shown:
        visit = self._shared.gallery.visit(request.path_params["visit"])
        return self._shared.gallery.photo(request.path_params["photo"], visit)


def _entry(shown: Shown) -> dict[str, object]:
    return {"id": shown.id, "name": shown.name, "given": not shown.is_upload}


def _within(corners: list[int], width: int, height: int, pixels: int) -> View:
    """Return the requested part, cut off at the photo's borders; without a size, the whole photo."""
    left, top = min(corners[0], width - 1), min(corners[1], height - 1)
    return View(left, top, min(corners[2] or width, width - left), min(corners[3] or height, height - top), pixels)
