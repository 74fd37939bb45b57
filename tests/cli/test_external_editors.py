"""The scripts of docs/external-editors.md, as far as they go without the programs."""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import REPOSITORY, write_photos

from enlighten_cli.photo import decode

PAGE = (REPOSITORY / "docs" / "external-editors.md").read_text(encoding="utf-8")


def script(name):
    return re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)[1]


def test_digikams_line_makes_the_result_even_where_there_is_one(tmp_path):
    photos = write_photos(tmp_path / "in", 1, exposure=0.2)
    (tmp_path / "out.png").write_bytes(b"digiKam's own")
    line = script("digikam").replace("$INPUT", str(photos / "0.png")).replace("$OUTPUT", str(tmp_path / "out.png"))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-ec", line], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert decode(tmp_path / "out.png").pixels.mean() > decode(photos / "0.png").pixels.mean()


def test_gimps_plug_in_is_python():
    compile(script("gimp"), "enlighten.py", "exec")
