"""Show what goes wrong: the example photo far too dark, and noisy, before and after.

python examples/failures.py FOLDER    writes FOLDER/failures.jpg
"""

import sys
from pathlib import Path

import numpy as np
import torch

from enlighten_cli import photo
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import open_model
from enlighten_cli.training.data.augmentation import exposed

LEFT, TOP, WIDTH, HEIGHT = 1000, 500, 640, 400
STOPS_AND_NOISE = ((-4, 0.0), (-2, 3.0))  # deviation in steps of 255

model, random = open_model(DEFAULT_MODEL), np.random.default_rng(0)
whole = torch.from_numpy(photo.as_rgb(photo.decode(Path(__file__).parent / "path.jpg").pixels)).permute(2, 0, 1)
rows = []
for stops, noise in STOPS_AND_NOISE:
    dark = exposed(whole, torch.full((3,), float(stops))).permute(1, 2, 0).numpy() * 255
    dark += random.normal(0, noise, dark.shape)
    before = photo.Photo(np.rint(dark).clip(0, 255).astype(np.uint8), "JPEG")
    after = enhance(before, model, Options())
    rows.append([each.pixels[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] for each in (before, after)])
output = Path(sys.argv[1], "failures.jpg")
write_whole(output, photo.encode(photo.Photo(contact_sheet(rows, cell_px=WIDTH), "JPEG")))
print(output)
