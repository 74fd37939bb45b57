"""The OpenAPI document of the API."""

from __future__ import annotations

from typing import Any

from enlighten_cli import __version__
from enlighten_cli.enhancement.enhance import DENOISE_WORDS, MAX_DENOISE, MAX_STRENGTH, Mode
from enlighten_cli.photo import CHOICES, Strip
from enlighten_cli.serve.problems import CODES
from enlighten_cli.serve.settings import Settings

MEANINGS = {
    401: "A token is needed, or another one.",
    403: "The request comes from a page of another site, or by a name that is not the server's.",
    408: "The body came too slowly.",
    413: "More bytes or megapixels than the server takes.",
    415: "Not a photo in a format that is read here.",
    422: "The photo is damaged, or an option is none.",
    429: "The queue is full; `retry-after` says when to try again.",
    503: "The photo took too long.",
    507: "No disk space on the server.",
}


def document(models: list[str], settings: Settings) -> dict[str, Any]:
    """Describe the API as OpenAPI 3.1.

    Parameters
    ----------
    models : list of str
        Their names, the default one first.
    settings : Settings
        Whose limits are told.
    """
    options = _options(models)
    photo = {"type": "string", "format": "binary", "description": "A photo's file."}
    form = {"type": "object", "required": ["photo"], "properties": {"photo": photo, **_properties(options)}}
    errors = {str(status): {"$ref": f"#/components/responses/{status}"} for status in MEANINGS}
    enhance = {
        "summary": "Enhance a photo",
        "description": (
            "The photo comes back in its own format, with all that it carried, as `enlighten PHOTO -o OUT` writes it. "
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
                "description": "The photo. `enlighten-notes` is a JSON array of what it could not keep.",
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
            "/v1/models": {"get": _get("Models that `model` takes", "models")},
            "/v1/health": {"get": {**_get("Whether the server lives", "health"), "security": []}},
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
        "strength": (strength, "How much of the change to make."),
        "mode": (
            {"enum": [mode.value for mode in Mode], "default": Mode.AUTO.value},
            "How the network sees the photo.",
        ),
        "model": ({"enum": models, "default": models[0]}, "The network."),
        "tile": ({"type": "integer", "minimum": 0}, "Full mode in tiles of so many pixels."),
        "format": ({"enum": list(CHOICES)}, "Of the result; by default the photo's own."),
        "quality": ({"type": "integer", "minimum": 1, "maximum": 100}, "Of lossy formats."),
        "strip": ({"enum": [strip.value for strip in Strip]}, "Metadata to leave out."),
        "skip_brighter_than": ({"type": "number", "minimum": 0, "maximum": 1}, "Refuse brighter photos (422)."),
        "allow_truncated": ({"type": "boolean", "default": False}, "Take files that end too early."),
        "name": ({"type": "string"}, "The photo's name; its ending tells camera RAW from TIFF."),
    }
    number = {"type": "number", "minimum": 0, "maximum": MAX_DENOISE}
    denoise = {"oneOf": [{"enum": list(DENOISE_WORDS)}, number]}
    options["denoise"] = (denoise, "How strong the noise is taken to be that is removed.")
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
