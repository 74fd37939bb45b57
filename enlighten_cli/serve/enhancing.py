"""The HTTP API: it receives a photo and returns it enhanced."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enlighten_cli import __version__
from enlighten_cli.batch.jobs import Destination
from enlighten_cli.batch.memory import cost_of
from enlighten_cli.enhancement.encoded import Enhanced, enhance_encoded
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT
from enlighten_cli.photo.source import opened_source
from enlighten_cli.serve.bodies import Upload, receive_photo
from enlighten_cli.serve.look import treatment_of
from enlighten_cli.serve.openapi import document
from enlighten_cli.serve.problems import Problem
from enlighten_cli.serve.shared import Shared
from enlighten_cli.serve.work import Stop

MEDIA_TYPES = {"TIFF": "image/tiff", "JXL": "image/jxl", "HEIF": "image/heic"}
MOST_NOTES_LETTERS = 2000


class Api:
    """Handlers of ``/v1``.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.routes = [
            Route("/v1/enhance", self.enhance, methods=["POST"]),
            Route("/v1/models", self.models),
            Route("/v1/health", self.health),
            Route("/v1/openapi.json", self.openapi),
        ]

    async def health(self, request: Request) -> Response:
        """Report that the server runs, and how many photos it works on or keeps waiting."""
        return JSONResponse({"status": "ok", "version": __version__, "photos": self._shared.photos.inside})

    async def models(self, request: Request) -> Response:
        """List the models."""
        return JSONResponse({"models": self._shared.networks.rows()})

    async def openapi(self, request: Request) -> Response:
        """Return the OpenAPI description of the API."""
        return JSONResponse(document(self._shared.networks.names(), self._shared.settings))

    async def enhance(self, request: Request) -> Response:
        """Enhance the photo in the body."""
        shared = self._shared
        async with shared.photos.place():
            upload = await receive_photo(request, shared.folder, shared.settings)
            try:
                words = {**request.query_params, **upload.fields}
                look, treatment, format = treatment_of(words, shared.settings.limits, shared.memory_bytes)
                if look.model and look.model not in shared.networks.names():
                    raise Problem(
                        422, f"there is no model of this name; available: {', '.join(shared.networks.names())}"
                    )

                def work(stop: Stop) -> Enhanced:
                    stop.check()
                    network = shared.networks.network(look.model)
                    with (
                        opened_source(upload.path, treatment.limits) as source,
                        shared.budget.reserved(cost_of(source)),
                    ):
                        stop.check()
                        return enhance_encoded(
                            source.read(),
                            network,
                            treatment,
                            suffix=upload.path.suffix,
                            format_of=lambda photo: format or (RAW_RESULT if photo.format == RAW else photo.format),
                            tell=stop.check,
                        )

                enhanced = await shared.photos.run(request, work)
            finally:
                upload.path.unlink(missing_ok=True)
        return _photo_response(enhanced, upload, format)


def _photo_response(enhanced: Enhanced, upload: Upload, format: str) -> Response:
    planned = Destination(Path("results"), is_folder=True, format=format or None).job(Path(upload.name), Path())
    headers = {"content-disposition": disposition(planned.output.name)}
    if enhanced.notes:
        headers["enlighten-notes"] = json.dumps(enhanced.notes)[:MOST_NOTES_LETTERS]
    return Response(enhanced.content, media_type=media_type(enhanced.format), headers=headers)


def media_type(format: str) -> str:
    """Return the media type of a format of `photo.FORMATS`."""
    return MEDIA_TYPES.get(format, f"image/{FORMATS[format].name.lower()}")


def disposition(name: str) -> str:
    """Return the content-disposition header with which a browser saves a response under this name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
