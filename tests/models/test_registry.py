import re

import pytest
from conftest import REPOSITORY

from enlighten_cli.models.download import sha256_of
from enlighten_cli.models.registry import DEFAULT_MODEL, MODELS
from enlighten_cli.models.store import damage_of, locate

BUNDLED = [row for row in MODELS.values() if row.bundled]


@pytest.mark.parametrize("row", BUNDLED, ids=lambda row: row.name)
def test_shipped_models_are_what_the_table_says(row):
    assert locate(row.name) == row.path()
    assert damage_of(row.name) == ""
    for file in row.files:
        assert (file.size_bytes, file.sha256) == (
            (row.folder() / file.name).stat().st_size,
            sha256_of(row.folder() / file.name),
        )


def test_the_default_needs_no_network():
    assert MODELS[DEFAULT_MODEL].bundled


@pytest.mark.parametrize("row", MODELS.values(), ids=MODELS)
def test_every_row_has_a_licence_an_origin_and_hashes(row):
    assert row.licence
    assert row.origin
    assert all(
        re.fullmatch("[0-9a-f]{64}", file.sha256) or re.fullmatch("[0-9a-f]{40}", file.git_blob) for file in row.files
    )
    assert row.files[0].name == f"{row.name}.onnx"


def test_checksums_cover_every_shipped_file():
    weights = REPOSITORY / "weights"
    listed = dict(line.split("  ")[::-1] for line in (weights / "SHA256SUMS").read_text().splitlines())
    shipped = {path.name for path in weights.iterdir() if path.suffix in (".onnx", ".safetensors", ".npz")}
    assert set(listed) == shipped
    for name, digest in listed.items():
        assert sha256_of(weights / name) == digest
