"""Put files of the repository on the site, so that docs/ may link to them (a hook of MkDocs).

Pages of docs/ link to ../weights/MODEL_CARD.md and the like, which works where the repository is read. On the site the
same files stand at the same places beside the pages, so the links lose their ``../``.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PAGES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/experiments.md",
    "benchmarks/results/ablation.md",
    "benchmarks/results/table1.md",
    "examples/README.md",
    "weights/MODEL_CARD.md",
)
FOLDERS = ("benchmarks/experiments", "benchmarks/results", "examples", "weights")
KINDS = (".jpg", ".png", ".json", ".csv")
UP = re.compile(r"\]\(\.\./")
DOCS = re.compile(r"\]\(((?:\.\./)*)docs/")


def on_files(files: Files, config: Any) -> Files:
    """Add the repository's files to those of docs/."""
    assets = [path for folder in FOLDERS for path in (ROOT / folder).iterdir() if path.suffix in KINDS]
    for path in (*PAGES, *(path.relative_to(ROOT).as_posix() for path in sorted(assets))):
        files.append(File(path, str(ROOT), config["site_dir"], config["use_directory_urls"]))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Change links so that they hold on the site."""
    return DOCS.sub(r"](\1", markdown) if page.file.src_uri in PAGES else UP.sub("](", markdown)
