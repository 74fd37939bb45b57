import numpy as np

from enlighten_cli.evaluation.sheet import GAP_PX, contact_sheet


def test_rows_are_laid_out_without_enlarging():
    light, dark = np.full((20, 30, 3), 200, np.uint8), np.full((40, 10, 3), 10, np.uint8)
    sheet = contact_sheet([[light, dark], [dark]])
    assert sheet.shape == (40 + GAP_PX + 40, 30 + GAP_PX + 10, 3)
    assert (sheet[:20, :30] == 200).all()
    assert (sheet[-40:, :10] == 10).all()


def test_large_photos_are_reduced_in_proportion():
    assert contact_sheet([[np.zeros((100, 200, 3), np.uint8)]], cell_px=50).shape == (25, 50, 3)
