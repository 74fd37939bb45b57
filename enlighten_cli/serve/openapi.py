"""The OpenAPI document of the API."""

from __future__ import annotations

from typing import Any

from enlighten_cli import __version__
from enlighten_cli.enhancement.enhance import DENOISE_WORDS, MAX_DENOISE, MAX_STRENGTH, Mode
from enlighten_cli.photo import CHOICES, Strip
from enlighten_cli.serve.problems import CODES
from enlighten_cli.serve.settings import Settings

MEANINGS = {
    401: "The token is missing or wrong.",
    403: "The request comes from a page of another site, or its `Host` header is not a name of the server.",
    408: "The body arrived too slowly.",
    413: "The photo has more bytes or megapixels than the server accepts.",
    415: "The body is not a photo, or its format is not supported.",
    422: "The photo is damaged, or an option is invalid.",
    429: "The queue is full; try again after the seconds in `retry-after`.",
    503: "The photo took too long, or more memory than is available.",
    507: "The server has no disk space left.",
}


def document(models: list[str], settings: Settings) -> dict[str, Any]:
    """Describe the API as OpenAPI 3.1.

    Parameters
    ----------
    models : list of str
        Their names, the default one first.
    settings : Settings
        Its limits are part of the description.
    """
    options = _options(models)
    photo = {"type": "string", "format": "binary", "description": "A photo's file."}
    form = {"type": "object", "required": ["photo"], "properties": {"photo": photo, **_properties(options)}}
    errors = {str(status): {"$ref": f"#/components/responses/{status}"} for status in MEANINGS}
    enhance = {
        "summary": "Enhance a photo",
        "description": (
            "The response is the photo in its own format, with its metadata, as `enlighten PHOTO -o OUT` writes it. "
            f"At most {settings.max_bytes // 1_000_000} MB and {settings.limits.max_mpixels:g} megapixels, "
            f"{settings.at_once} photos at once and {settings.waiting} waiting, {settings.seconds:g} s each."
        ),
        "parameters": [
            {"name": name, "in": "query", "description": text, "schema": schema}
            for name, (schema, text) in options.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": photo},
                "image/*": {"schema": photo},
                "multipart/form-data": {"schema": form},
            },
        },
        "responses": {
            "200": {
                "description": "The enhanced photo. `enlighten-notes` is a JSON array of what could not be kept.",
                "content": {"image/*": {"schema": photo}},
                "headers": {"enlighten-notes": {"schema": {"type": "string"}}},
            },
            **errors,
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "enlighten",
            "version": __version__,
            "description": "Brighten photos taken in too little light.",
        },
        "paths": {
            "/v1/enhance": {"post": enhance},
            "/v1/models": {"get": _get("The models that `model` accepts", "models")},
            "/v1/health": {"get": {**_get("Whether the server runs", "health"), "security": []}},
        },
        "security": [{"token": []}] if settings.token else [],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"error": _error(), "models": _models(), "health": _health()},
            "responses": {
                str(status): {
                    "description": text,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}},
                }
                for status, text in MEANINGS.items()
            },
        },
    }


def _options(models: list[str]) -> dict[str, tuple[dict[str, Any], str]]:
    strength = {"type": "number", "minimum": 0, "maximum": MAX_STRENGTH, "default": 1}
    options: dict[str, tuple[dict[str, Any], str]] = {
        "strength": (strength, "Strength of the change: 0 for none, 1 for the model's own."),
        "mode": (
            {"enum": [mode.value for mode in Mode], "default": Mode.AUTO.value},
            "Whether the network sees every pixel (full) or thumbnails (fast).",
        ),
        "model": ({"enum": models, "default": models[0]}, "Name of the model."),
        "tile": (
            {"type": "integer", "minimum": 0},
            "Side of the tiles in full mode, in pixels; 0 for the whole photo at once.",
        ),
        "format": ({"enum": list(CHOICES)}, "Format of the result; by default the photo's own."),
        "quality": ({"type": "integer", "minimum": 1, "maximum": 100}, "Quality of lossy formats."),
        "strip": ({"enum": [strip.value for strip in Strip]}, "Metadata to remove."),
        "skip_brighter_than": (
            {"type": "number", "minimum": 0, "maximum": 1},
            "Refuse photos with a mean luma above this (422).",
        ),
        "allow_truncated": ({"type": "boolean", "default": False}, "Accept files that are incomplete."),
        "name": ({"type": "string"}, "Name of the photo; its suffix distinguishes camera RAW from TIFF."),
    }
    number = {"type": "number", "minimum": 0, "maximum": MAX_DENOISE}
    denoise = {"oneOf": [{"enum": list(DENOISE_WORDS)}, number]}
    options["denoise"] = (denoise, "Noise to remove: a factor on the measured noise, or a word.")
    return options


def _properties(options: dict[str, tuple[dict[str, Any], str]]) -> dict[str, Any]:
    return {name: {**schema, "description": text} for name, (schema, text) in options.items()}


def _get(summary: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"summary": summary, "responses": {"200": {"description": summary + ".", "content": content}}}


def _error() -> dict[str, Any]:
    fields = {
        "status": {"type": "integer"},
        "code": {"enum": sorted(set(CODES.values()))},
        "message": {"type": "string"},
    }
    error = {"type": "object", "required": list(fields), "properties": fields}
    return {"type": "object", "required": ["error"], "properties": {"error": error}}


def _models() -> dict[str, Any]:
    text = {"type": "string"}
    fields = {
        "name": text,
        "default": {"type": "boolean"},
        "licence": text,
        "origin": text,
        "verified": {"type": "boolean"},
    }
    row = {"type": "object", "required": list(fields), "properties": fields}
    return {"type": "object", "properties": {"models": {"type": "array", "items": row}}}


def _health() -> dict[str, Any]:
    fields = {"status": {"const": "ok"}, "version": {"type": "string"}, "photos": {"type": "integer"}}
    return {"type": "object", "required": list(fields), "properties": fields}
