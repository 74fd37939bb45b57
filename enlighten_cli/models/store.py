"""The models on this machine: find them by name, check, store and remove them."""

from __future__ import annotations

import json
import os
import re
from glob import glob
from pathlib import Path

from enlighten_cli.atomic_write import write_whole
from enlighten_cli.errors import ModelError, OutputError, UnknownModelError, UsageError, did_you_mean
from enlighten_cli.models.download import sha256_of
from enlighten_cli.models.folders import imported_folder, weights_folder
from enlighten_cli.models.metadata import checked_numbers
from enlighten_cli.models.registry import MODELS

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SHA256 = re.compile(r"[0-9a-f]{64}")
RECORD_PARTS = ("provenance", "sha256")
MOST_RECORD_BYTES = 1 << 20


def weights_file(name: str) -> Path:
    """Return the path of a file of the bundled weights.

    Raises
    ------
    ModelError
        If it is missing.
    """
    path = weights_folder() / name
    if not os.path.isfile(path):
        raise ModelError(f"{path} is missing from this installation; reinstall the package")
    return path


def imported_names() -> list[str]:
    """Return the names of imported models, sorted."""
    names = (name.removesuffix(".json") for name in glob("*.json", root_dir=imported_folder()))
    return sorted(filter(NAME.fullmatch, names))


def locate(model: str) -> Path:
    """Return the ``.onnx`` file of a model, given its name or its path.

    Raises
    ------
    UnknownModelError
        If there is neither a model nor a file of that name.
    ModelError
        If it is not downloaded yet, or damaged.
    """
    if model in MODELS:
        row = MODELS[model]
        path = row.path()
        if not row.bundled and not os.path.isfile(path):
            raise ModelError(f"{model} is not downloaded yet; run: enlighten models fetch {model}")
        if damage := damage_of(model):
            cure = "reinstall the package" if row.bundled else f"run: enlighten models fetch {model}"
            raise ModelError(f"{damage}; {cure}")
        return path
    if NAME.fullmatch(model) and os.path.isfile(imported_folder() / f"{model}.json"):
        if damage := damage_of(model):
            raise ModelError(f"{damage}; import it again")
        return imported_folder() / f"{model}.onnx"
    path = Path(model)
    if not os.path.isfile(path):
        raise UnknownModelError(
            f"{model}: neither a file nor a model{did_you_mean(model, [*MODELS, *imported_names()])}"
        )
    return path


def damage_of(name: str) -> str:
    """Describe the damage of a model on this machine; return an empty string if there is none."""
    if name in MODELS:
        row = MODELS[name]
        for file in row.files:
            path = row.folder() / file.name
            if not os.path.isfile(path):
                return f"{path} is missing"
            if not file.matches(path):
                return f"{path}: damaged: {path.stat().st_size:,} bytes, SHA-256 {sha256_of(path)}, not {file.wanted}"
        return ""
    try:
        digests = read_record(name)["sha256"]
    except ModelError as error:
        return str(error)
    for file_name, digest in digests.items():
        path = imported_folder() / file_name
        if not os.path.isfile(path):
            return f"{path} is missing"
        if sha256_of(path) != digest:
            return f"{path}: damaged: SHA-256 {sha256_of(path)}, not {digest}"
    return ""


def read_record(name: str) -> dict[str, dict[str, str]]:
    """Read the record that was written when a model was imported.

    Raises
    ------
    ModelError
        If it cannot be read, or a number in it is out of range.
    """
    path = imported_folder() / f"{name}.json"
    try:
        with path.open("rb") as file:
            record = json.loads(file.read(MOST_RECORD_BYTES))
        if not _is_record(record, name):
            raise ValueError
        checked_numbers(record["provenance"], str(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not a readable record of an imported model") from error
    return {part: record[part] for part in RECORD_PARTS}


def _is_record(record: object, name: str) -> bool:
    """Tell whether a record holds only strings, and names only files of this model, with their hashes."""
    if not isinstance(record, dict) or not all(isinstance(record.get(part), dict) for part in RECORD_PARTS):
        return False
    provenance, digests = (record[part] for part in RECORD_PARTS)
    return (
        all(isinstance(word, str) for word in [*provenance.values(), *digests.values()])
        and f"{name}.onnx" in digests
        and all(Path(file_name).name == file_name and file_name.startswith(name) for file_name in digests)
        and all(SHA256.fullmatch(digest) for digest in digests.values())
    )


def check_new_name(name: str, *, replace: bool = False) -> None:
    """Refuse a name that an imported model cannot have.

    Raises
    ------
    UsageError
        If it is invalid or taken.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid model name; use lower-case letters, digits, dots, hyphens, underscores"
        )
    if name in MODELS:
        raise UsageError(f"{name} is a model of this project; choose another name")
    if not replace and name in imported_names():
        raise UsageError(f"{name} exists already; --replace replaces it")


def keep(name: str, content: dict[str, bytes], provenance: dict[str, str]) -> Path:
    """Store an imported model: first its files, then the record by which it is found.

    Parameters
    ----------
    name : str
    content : dict
        The bytes of each file by its name; ``<name>.onnx`` among them.
    provenance : dict
        Its source, how it was converted, its licence.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import hashlib

    folder = imported_folder()
    record = {
        "provenance": provenance,
        "sha256": {file_name: hashlib.sha256(data).hexdigest() for file_name, data in content.items()},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be created: {error.strerror}") from error
    for file_name, data in content.items():
        write_whole(folder / file_name, data)
    write_whole(folder / f"{name}.json", (json.dumps(record, indent=2) + "\n").encode())
    return folder / f"{name}.onnx"


def remove(name: str) -> list[Path]:
    """Remove an imported or a downloaded model, and return the removed files.

    Raises
    ------
    UsageError
        If it is part of the package, or there is no such model.
    ModelError
        If none of its files is on this machine.
    """
    if name in MODELS and MODELS[name].bundled:
        raise UsageError(f"{name} is part of the package and cannot be removed")
    if name in MODELS:
        paths = [MODELS[name].folder() / file.name for file in MODELS[name].files]
    elif name in imported_names():
        files = list(read_record(name)["sha256"])
        paths = [imported_folder() / f"{name}.json", *(imported_folder() / file_name for file_name in files)]
    else:
        raise UsageError(
            f"{name}: no such model{did_you_mean(name, [*MODELS, *imported_names()])}; see: enlighten models list"
        )
    here = [path for path in paths if os.path.isfile(path)]
    if not here:
        raise ModelError(f"{name} is not downloaded: nothing to remove")
    for path in here:
        path.unlink()
    return here
