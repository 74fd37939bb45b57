import numpy as np
from noise_meter import check

from enlighten_cli.enhancement.noise import BLOCK_PX, block_statistics, package_meter
from enlighten_cli.training.data.noise_samples import Sample


def test_the_table_says_how_near_the_meter_comes(capsys):
    random = np.random.default_rng(0)
    luma = (0.4 + random.normal(0, 3 / 255, (40 * BLOCK_PX, 40 * BLOCK_PX))).astype(np.float32)
    statistics = block_statistics(luma)
    check([Sample(statistics, np.full(len(statistics), 3 / 255, np.float32))], package_meter())
    heading, row = capsys.readouterr().out.splitlines()
    assert "within 20 %" in heading
    assert row.split()[:2] == ["2-4", str(len(statistics))]
    assert float(row.split()[-1]) > 0.9
