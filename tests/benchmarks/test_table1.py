"""What the table says of a method's length, and its sheet of photos."""

from conftest import write_photos
from library.board import tasks
from table1 import CELL_PX, lines_of_code, sheet

from enlighten_cli.evaluation.sheet import GAP_PX, LABEL_PX


def test_only_lines_of_code_are_counted():
    counts = lines_of_code()
    assert counts["gamma"] == 6  # three imports, a constant, and a function of two lines
    assert all(0 < count <= 150 for count in counts.values())
    assert "input" not in counts  # has no file of its own


def test_a_sheet_has_a_row_a_photo_and_a_cell_a_method(tmp_path):
    for light in ("low", "high"):
        write_photos(tmp_path / "lol" / light, 2, exposure=1.0 if light == "high" else 0.2, size=(300, 480))
    rows = sheet(tasks(tmp_path, ["lol"], 1), ["input", "gamma"])
    height = CELL_PX * 300 // 480 + LABEL_PX
    assert rows.shape == (2 * height + GAP_PX, 3 * CELL_PX + 2 * GAP_PX, 3)
