"""Entries of ``enlighten models list``, one for each model and method."""

from __future__ import annotations

import os
from typing import Any

from enlighten_cli.errors import ModelError
from enlighten_cli.methods.network import BRIGHTENING
from enlighten_cli.models.folders import imported_folder
from enlighten_cli.models.registry import DEFAULT_MODEL, MODELS
from enlighten_cli.models.store import imported_names, read_record

NOT_DOWNLOADED = "not downloaded"


def all_entries() -> list[dict[str, Any]]:
    """Return an entry for each model of the project, each imported one and each method, for JSON."""
    return [
        *map(_of_project, MODELS.values()),
        *map(_of_user, imported_names()),
        *map(_of_method, BRIGHTENING.values()),
    ]


def lines_of(entry: dict[str, Any]) -> list[str]:
    """Return an entry as lines of text."""
    default = ", the default" if entry["default"] else ""
    told = {**entry, "size": _size(entry)}
    keys = ("width", "size", "licence", "origin", "paper", "scores", "note")
    details = [f"    {key:8} {_words(told[key])}" for key in keys if told.get(key)]
    return [f"{entry['name']}  ({entry['state']}{default})", *details]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {number:g}" for key, number in value.items())
    return str(value)


def _size(entry: dict[str, Any]) -> str:
    if entry["size_bytes"] is None:
        return ""
    return f"{'' if entry['size_is_exact'] else 'at most '}{entry['size_bytes']:,} bytes"


def _of_method(method: Any) -> dict[str, Any]:
    return {
        "name": method.name,
        "state": "method",
        "default": False,
        "path": None,
        "width": None,
        "size_bytes": None,
        "size_is_exact": True,
        "licence": "MIT, as this package",
        "origin": method.source,
        "scores": {},
        "note": "",
    }


def _of_project(row: Any) -> dict[str, Any]:
    here = os.path.isfile(row.path())
    file = row.files[0]
    return {
        "name": row.name,
        "state": ("in the package" if row.bundled else "downloaded") if here else NOT_DOWNLOADED,
        "default": row.name == DEFAULT_MODEL,
        "path": os.fspath(row.path()) if here else None,
        "width": row.width,
        "size_bytes": row.path().stat().st_size if here else file.size_bytes,
        "size_is_exact": here or file.exact_size,
        "sha256": file.sha256 or None,
        "licence": row.licence,
        "origin": row.origin,
        "scores": row.scores,
        "note": "" if row.verified else "not verified by the project",
    }


def _of_user(name: str) -> dict[str, Any]:
    path = imported_folder() / f"{name}.onnx"
    state = "imported" if os.path.isfile(path) else "missing"
    try:
        record = read_record(name)
    except ModelError:
        record, state = {"provenance": {}, "sha256": {}}, "damaged"
    provenance = record["provenance"]
    return {
        "name": name,
        "state": state,
        "default": False,
        "path": os.fspath(path),
        "width": int(width) if (width := provenance.get("width", "")).isdecimal() else None,
        "size_bytes": path.stat().st_size if os.path.isfile(path) else None,
        "size_is_exact": True,
        "sha256": record["sha256"].get(path.name),
        "licence": provenance.get("licence"),
        "paper": provenance.get("paper"),
        "origin": f"{provenance.get('source')} ({provenance.get('kind')})" if provenance else None,
        "scores": {},
        "note": "not verified by the project",
    }
