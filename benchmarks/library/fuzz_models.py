"""Files of models that a hostile site could offer: ONNX, safetensors, records of imported models."""

from __future__ import annotations

import json
import os
import struct
from copy import deepcopy
from pathlib import Path

import numpy as np

from library.fuzz_metadata import Random, pick
from library.soak import identity_model

NUMBERS = ("0", "1", "16", "400000", "-1", "9" * 5000, "1e9", "nan", "\u0663", "", " 7", "4294967296")
WORDS = ("a", "", "\x1b[2J", "x" * 300, "\U0001f600", "true", "True", "../../etc/passwd")
VALUES = (0, -1, 1, 10**9, 10**30, 1.5, None, True, "", "x", [], {}, [1], {"a": 1}, "9" * 5000, [[[]]])


def onnx_file(folder: Path, random: Random) -> Path:
    """Change an ONNX model's metadata, its graph by parts, or its bytes."""
    import onnx

    model = onnx.load(identity_model(folder))
    for key in ("look_pixels", "reach", "width", "align_corners", "name", "licence", pick(random, WORDS)):
        if random.random() < 0.4:
            entry = model.metadata_props.add()
            entry.key, entry.value = key, pick(random, [*NUMBERS, *WORDS])
    graph = model.graph
    for _ in range(int(random.integers(0, 3))):
        end = pick(random, [graph.input[0], graph.output[0]])
        dimension = pick(random, list(end.type.tensor_type.shape.dim) or [None])
        kind = int(random.integers(6))
        if kind == 0 and dimension is not None:
            dimension.dim_value = pick(random, [-1, 0, 1, 3, 16, 1 << 40])
        elif kind == 1:
            end.type.tensor_type.elem_type = int(random.integers(0, 24))
        elif kind == 2:
            graph.node[0].op_type = pick(random, ["Log", "Sqrt", "Neg", "Shape", "Loop", "Nothing", "Exp", "Transpose"])
        elif kind == 3:
            graph.node[0].input[0] = pick(random, WORDS)
        elif kind == 4:
            model.ir_version = int(pick(random, [0, 3, 10, 99]))
        else:
            model.opset_import[0].version = int(pick(random, [0, 1, 20, 99]))
    content = model.SerializeToString()
    if random.random() < 0.3:
        data = bytearray(content)
        for _ in range(int(random.integers(1, 6))):
            data[int(random.integers(len(data)))] = int(random.integers(256))
        content = bytes(data[: int(random.integers(1, len(data) + 1))] if random.random() < 0.3 else data)
    path = folder / "fuzzed.onnx"
    path.write_bytes(content)
    return path


def safetensors_file(folder: Path, random: Random) -> Path:
    """Write weights whose header lies."""
    names = ["conv1_1.weight", "generator.conv1_1.weight", "module.conv1_1.weight", "bn1_1.bias", "", "__metadata__"]
    header: dict[str, object] = {}
    place = 0
    for _ in range(int(random.integers(1, 5))):
        shape = [int(pick(random, [0, 1, 2, 3, 4, 16, 32, 1 << 20, 1 << 40])) for _ in range(int(random.integers(6)))]
        shape = [2, 4, 3, 3] if random.random() < 0.3 else shape
        size = int(np.prod([float(each) for each in shape])) * 4
        entry: object = {"dtype": "F32", "shape": shape, "data_offsets": [place, place + size]}
        place += size
        if isinstance(entry, dict) and random.random() < 0.3:
            entry[pick(random, ["dtype", "shape", "data_offsets"])] = pick(random, VALUES)
        header[pick(random, names)] = entry if random.random() < 0.9 else pick(random, VALUES)
    metadata = {"name": pick(random, WORDS), "align_corners": pick(random, WORDS), "look_pixels": pick(random, NUMBERS)}
    header["__metadata__"] = metadata if random.random() < 0.8 else pick(random, VALUES)
    text = json.dumps(header).encode() if random.random() < 0.95 else b"[" * int(random.integers(1, 200_000))
    length = len(text) if random.random() < 0.9 else int(pick(random, [0, 1, 1 << 31, (1 << 63) - 1]))
    path = folder / "fuzzed.safetensors"
    path.write_bytes(struct.pack("<Q", length) + text + bytes(min(place, 1 << 16)))
    return path


def record(random: Random) -> str:
    """Write the record of an imported model with parts of other kinds."""
    value: dict[str, object] = {
        "provenance": {"source": "x", "licence": "free", "width": "2", "kind": "onnx"},
        "sha256": {"fuzzed.onnx": "0" * 64},
    }
    for _ in range(int(random.integers(1, 4))):
        part = pick(random, ["provenance", "sha256", "more"])
        inner = value.get(part)
        if isinstance(inner, dict) and random.random() < 0.7:
            inner[pick(random, [*inner, *WORDS])] = deepcopy(pick(random, [*VALUES, *WORDS]))
        else:
            value[part] = deepcopy(pick(random, [*VALUES, *WORDS]))
    text = json.dumps(value)
    kind = random.random()
    if kind < 0.1:
        return text[: int(random.integers(len(text)))]
    return '{"a":' * 100_000 if kind < 0.13 else text


def try_onnx(folder: Path, random: Random) -> None:
    from enlighten_cli.enhancement.enhance import Options, enhance
    from enlighten_cli.models.device import Device
    from enlighten_cli.models.session import Model
    from enlighten_cli.photo import Photo

    model = Model(onnx_file(folder, random), device=Device("cpu"), threads=1)
    enhance(Photo(np.full((40, 56, 3), 9, np.uint8), "PNG"), model, Options(memory_bytes=10**8))


def try_safetensors(folder: Path, random: Random) -> None:
    from enlighten_cli.models.weights_header import check_generator
    from enlighten_cli.training.checkpoint import read_weights

    path = safetensors_file(folder, random)
    check_generator(path)
    read_weights(path)


def try_record(folder: Path, random: Random) -> None:
    from click.testing import CliRunner

    from enlighten_cli.cli import main
    from enlighten_cli.errors import ModelError

    os.environ["ENLIGHTEN_DATA"] = str(folder)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "fuzzed.json").write_text(record(random), encoding="utf-8", errors="surrogatepass")
    codes = []
    for words in (["list"], ["list", "--json"], ["verify", "fuzzed"], ["path", "fuzzed"]):
        result = CliRunner().invoke(main, ["models", *words])
        codes.append(result.exit_code)
        if result.exit_code not in (0, 4) or "\x1b" in result.output:
            raise AssertionError(f"{words}: {result.exit_code}: {result.output[:500]!r}")
    if codes[2] or codes[3]:
        raise ModelError("refused")


TRIALS = {"onnx": try_onnx, "safetensors": try_safetensors, "record": try_record}
