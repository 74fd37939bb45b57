"""The rows of the ablation are recipes that can be run, and its table says what was scored."""

from argparse import Namespace

import pytest
from ablation import ROWS, _snapshot, _table
from library.board import Board

from enlighten_cli.training.recipe import config_from


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_a_recipe(row):
    config = config_from(ROWS[row] | {"start": "lite", "images": 40_000, "width": 16}, row)
    assert config.images == 40_000


def test_rows_differ_from_the_paper_s_adversaries_in_what_they_are_named_after():
    def changed(row):
        return {name for name, value in ROWS[row].items() if ROWS["adversaries"].get(name) != value}

    assert changed("no-attention") == {"attention"}
    assert changed("no-sfp") == {"sfp_weight"}
    assert changed("no-local-judge") == {"local_weight"}
    assert changed("consistency") == {"consistency_weight"}


def test_the_table_averages_over_seeds():
    board = Board({"lol": ["a", "b"]}, {
        "start": {"lol": {"psnr": [10.0, 10.0]}},
        "one": {"lol": {"psnr": [20.0, 22.0]}},
        "two": {"lol": {"psnr": [22.0, 20.0]}},
    })  # fmt: skip
    table = _table(board, {"start": ["start"], "row": ["one", "two"]}, 8, None)
    assert "| row | 2 | 21.000 (21.000 to 21.000) |" in table
    assert "| start | 1 | 10.000 (10.000 to 10.000) |" in table


def test_a_row_is_scored_as_it_was_after_so_many_images(tmp_path, tiny_weights):
    run = tmp_path / "lesson-0"
    run.mkdir()
    (run / "generator-00000016.safetensors").write_bytes(tiny_weights.read_bytes())
    asked = Namespace(output=tmp_path, at=16)
    model = _snapshot(asked, "lesson", 0)
    assert model == run / "model-16.onnx"
    assert model.is_file()
    assert _snapshot(asked, "lesson", 1) is None
