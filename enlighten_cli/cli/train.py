"""``enlighten train``: make a model from unpaired photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--low", type=FOLDER, required=True, help="Folder of low-light photos.")
@click.option("--normal", type=FOLDER, required=True, help="Folder of normal-light photos, of anything else.")
@click.option("-o", "--output", "run", type=FOLDER, required=True, help="Folder of the run, made if absent.")
@click.option("--config", "options", type=FILE, help="JSON file of options; those given here win.")
@click.option("--from", "start", default="pretrained", show_default=True, metavar="pretrained|random|FILE")
@click.option("--width", type=int)
@click.option("--images", type=int)
@click.option("--vgg", type=FILE)
@click.option("--val", type=FOLDER)
@click.option("--workers", type=int, default=2)
@click.option("--resume", is_flag=True)
def train(low: Path, normal: Path, run: Path, options: Path | None, start: str, vgg: Path, val: Path | None, workers: int, resume: bool, **given: Any) -> None:
    """Train a model on unpaired folders of low-light and normal-light photos."""
    import torch

    from enlighten_cli import photo
    from enlighten_cli.discover import find_photos
    from enlighten_cli.training.checkpoint import TrainState, read_tensors
    from enlighten_cli.training.config import TrainConfig, read_options
    from enlighten_cli.training.dataset import UnpairedPhotos
    from enlighten_cli.training.loop import CHECKPOINT, Watch
    from enlighten_cli.training.loop import train as run_training
    from enlighten_cli.training.perceptual import VggFeatures

    torch.set_flush_denormal(True)
    chosen = read_options(options) if options else {}
    chosen |= {name: value for name, value in given.items() if value is not None}
    config = TrainConfig.from_mapping({**chosen, "low": str(low), "normal": str(normal), "start": start}, "options")
    run.mkdir(parents=True, exist_ok=True)
    device = torch.device("cpu")
    photos = UnpairedPhotos(config)
    features = VggFeatures(read_tensors(vgg).tensors).to(device, memory_format=torch.channels_last)
    state = TrainState.load(run / CHECKPOINT, config, device) if resume else TrainState(config, device)
    (run / "config.json").write_text(config.to_json())
    sheet = [photo.decode(path).pixels for path in find_photos(val)] if val else []
    run_training(state, photos, features, run, workers, Watch(sheet=sheet, tell=print))
