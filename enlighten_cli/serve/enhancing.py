"""The HTTP API: it receives a photo and returns it enhanced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from enlighten_cli import __version__
from enlighten_cli.batch.jobs import Destination
from enlighten_cli.batch.memory import cost_of
from enlighten_cli.enhancement.encoded import Enhanced, enhance_encoded
from enlighten_cli.photo import FORMATS, RAW, RAW_RESULT
from enlighten_cli.photo.source import opened_source
from enlighten_cli.serve.bodies import FORM, Upload, receive_photo
from enlighten_cli.serve.networks import ModelRow
from enlighten_cli.serve.problems import MEANINGS, ErrorBody, as_text
from enlighten_cli.serve.request_options import Enhancement
from enlighten_cli.serve.shared import Shared
from enlighten_cli.serve.work import Stop

MEDIA_TYPES = {"TIFF": "image/tiff", "JXL": "image/jxl", "HEIF": "image/heic"}
MOST_NOTES_LETTERS = 2000
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "model": ErrorBody} for status, text in MEANINGS.items()
}
# The guard checks the token, for all paths; this line describes it.
TOKEN = Security(HTTPBearer(scheme_name="token", auto_error=False))


class ModelList(BaseModel):
    """The models that `model` accepts."""

    models: list[ModelRow]


class Health(BaseModel):
    """That the server runs, and how many photos it works on or keeps waiting."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    photos: int


class Api:
    """Handlers of ``/v1``.

    Parameters
    ----------
    shared : Shared
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        token = [TOKEN] if shared.settings.token else []
        self.router = APIRouter(prefix="/v1")
        self.router.add_api_route("/health", self.health, summary="Tell whether the server runs")
        self.router.add_api_route("/models", self.models, summary="List the models", dependencies=token)
        for path, handler in (("/health", self.health), ("/models", self.models)):
            self.router.add_api_route(path, handler, methods=["HEAD"], include_in_schema=False)
        self.router.add_api_route(
            "/enhance",
            self.enhance,
            methods=["POST"],
            summary="Enhance a photo",
            description=_description(shared),
            response_class=Response,
            responses={**ERRORS, 200: RESULT},
            openapi_extra={"requestBody": BODY},
            dependencies=token,
        )

    async def health(self) -> Health:
        """Report that the server runs, and how many photos it works on or keeps waiting."""
        return Health(photos=self._shared.photos.inside)

    async def models(self) -> ModelList:
        """List the models."""
        return ModelList(models=self._shared.networks.rows())

    async def enhance(self, request: Request, words: Annotated[Enhancement, Query()]) -> Response:
        """Enhance the photo in the body."""
        shared = self._shared
        async with shared.photos.place():
            upload = await receive_photo(request, shared.folder)
            try:
                if upload.fields:
                    words = Enhancement.model_validate({**words.model_dump(exclude_unset=True), **upload.fields})
                shared.networks.check(words.model)
                treatment = words.treatment(shared.settings.limits, shared.memory_bytes)

                def work(stop: Stop) -> Enhanced:
                    shared.trials.decode(upload.path, treatment.limits, stop)
                    network = shared.networks.network(words.model)
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
                            format_of=lambda photo: (
                                words.result_format or (RAW_RESULT if photo.format == RAW else photo.format)
                            ),
                            tell=stop.check,
                        )

                enhanced = await shared.photos.run(request, work)
            finally:
                upload.path.unlink(missing_ok=True)
        return _photo_response(enhanced, upload, words.result_format)


PHOTO = {"type": "string", "format": "binary", "description": "A photo's file."}
BODY = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": PHOTO},
        "image/*": {"schema": PHOTO},
        FORM: {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": PHOTO},
                "additionalProperties": {"type": "string", "description": "Options, as in the address."},
            }
        },
    },
}
RESULT = {
    "description": "The enhanced photo. `enlighten-notes` is a JSON array of what could not be kept.",
    "content": {"image/*": {"schema": PHOTO}},
    "headers": {"enlighten-notes": {"schema": {"type": "string"}}},
}


def _description(shared: Shared) -> str:
    settings = shared.settings
    return (
        "The response is the photo in its own format, with its metadata, as `enlighten PHOTO -o OUT` writes it. "
        f"At most {settings.max_bytes // 1_000_000} MB and {settings.limits.max_mpixels:g} megapixels, "
        f"{settings.at_once} photos at once and {settings.waiting} waiting, {settings.seconds:g} s each."
    )


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
    return f"attachment; filename*=UTF-8''{quote(as_text(name), safe='')}"
