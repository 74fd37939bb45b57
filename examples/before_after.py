"""Brighten the example photo from Python, and lay both side by side.

python examples/before_after.py FOLDER    writes FOLDER/before_after.jpg
"""

import sys
from pathlib import Path

from enlighten_cli import photo
from enlighten_cli.atomic_write import write_whole
from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.evaluation.sheet import contact_sheet
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.models.session import open_model

before = photo.decode(Path(__file__).parent / "path.jpg")
after = enhance(before, open_model(DEFAULT_MODEL), Options())
sheet = contact_sheet([[photo.as_srgb(before), photo.as_srgb(after)]], cell_px=800)
output = Path(sys.argv[1], "before_after.jpg")
write_whole(output, photo.encode(photo.Photo(sheet, "JPEG")))
print(output)
