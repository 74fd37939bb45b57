"""``enlighten train``: make a model, or fit one to new photos, from unpaired folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli.choices import DEVICE, Suggested, model_names
from enlighten_cli.cli.train_options import device_called, new_config, refuse_used, resumed_config, with_settings
from enlighten_cli.cli.train_run import Setting, train_in
from enlighten_cli.errors import UsageError

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(short_help="Make a model, or fit one to new photos.")
@click.option("--low", type=FOLDER, help="Folder of photos taken in too little light, nested or not.")
@click.option("--normal", type=FOLDER, help="Folder of well-lit photos, of anything else.")
@click.option("-o", "--output", "run", type=FOLDER, required=True, metavar="RUN", help="Folder of the run.")
@click.option("--config", "file", type=FILE, help="JSON file of options; those of the command line win.")
@click.option(
    "--from",
    "start",
    type=Suggested("start", lambda: ("pretrained", "random", *model_names()), ending=".safetensors"),
    metavar="pretrained|random|NAME|FILE",
    help="What to begin with: the default model's weights, nothing, those of another model of the package, or "
    "a checkpoint, .safetensors or .pth.  [default: pretrained]",
)
@click.option(
    "--objective",
    metavar="NAME",
    help="What is learned: enlightengan, the paper's losses, or distillation, from a teacher's arithmetic.  "
    "[default: enlightengan]",
)
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Any option of the recipe, one of the objective's own say (sfp_weight=0.5); repeatable.",
)
@click.option(
    "--width",
    type=int,
    help="Channels of the first level: 32 is the paper's. Weights can be widened to a multiple of theirs.",
)
@click.option("--epochs", type=float, help="Length in passes over 1016 images; the paper has 200.")
@click.option("--images", type=int, help="Length in images, instead of epochs.")
@click.option("--crop", "crop_px", type=int, metavar="PX", help="Side of a crop; the paper has 320.")
@click.option("--batch", type=int, help="Crops a step; the paper has 32, fewer than 8 leave artefacts.")
@click.option("--lr", type=float, help="Learning rate of the generator; the paper has 1e-4.")
@click.option(
    "--ema", "ema_images", type=int, metavar="IMAGES", help="Half-life of the average of the weights; 0: none."
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Of the networks; losses are fp32 always. fp16 is for GPUs that lack bf16.",
)
@click.option("--seed", type=int, help="Everything random follows from it.")
@click.option(
    "--device", type=DEVICE, default="auto", show_default=True, metavar="auto|cpu|cuda[:N]", help="Where to compute."
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes that prepare crops; 0: the run itself, on its GPU if that can hold the photos, 3 GB at most.  "
    "[default: 1; on a GPU 0, or one a core]",
)
@click.option(
    "--vgg",
    type=FILE,
    help="VGG-16 weights, where the objective needs them; else torchvision's are downloaded (553 MB).",
)
@click.option("--val", type=FOLDER, help="Photos for the sample sheets and scores of the run.")
@click.option("--skip-bad", is_flag=True, help="Train without the photos that cannot be read.")
@click.option("--resume", is_flag=True, help="Go on with the RUN from its last checkpoint.")
@click.option("--tensorboard", is_flag=True, help="Write the curves for TensorBoard too.")
@click.option("--dry-run", is_flag=True, help="Print the options that the run would have, and stop.")
@click.option("-v", "--verbose", count=True, help="-vv: show tracebacks.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    run: Path,
    file: Path | None,
    start: str | None,
    epochs: float | None,
    device: str,
    workers: int | None,
    vgg: Path | None,
    val: Path | None,
    skip_bad: bool,
    settings: tuple[str, ...],
    resume: bool,
    tensorboard: bool,
    dry_run: bool,
    verbose: int,
    **options: Any,
) -> None:
    """Train on two folders of photos that have nothing to do with each other.

    By default the package's model is fitted to them. RUN receives the model (model.onnx, to use
    with --model), its weights, checkpoints, sample sheets, curves.png, config.json, log.txt and
    stats.jsonl. Ctrl-C writes a checkpoint, from which --resume goes on. On several GPUs or
    machines: torchrun --nproc-per-node 2 -m enlighten_cli train, and the same options.
    """
    ctx.meta["verbosity"] = verbose
    from enlighten_cli.cli.requirements import require_tensorboard, require_training

    require_training()
    if tensorboard:
        require_tensorboard()
    import torch

    # Before the first operation: threads inherit it, and denormals halve the speed.
    torch.set_flush_denormal(True)
    given = {
        name: str(value) if isinstance(value, Path) else value for name, value in options.items() if value is not None
    }
    given = with_settings(given, settings)
    if epochs is not None:
        from enlighten_cli.training.config import IMAGES_AN_EPOCH

        if "images" in given:
            raise UsageError("--epochs and --images say the same; give one")
        given["images"] = round(epochs * IMAGES_AN_EPOCH)
    if resume:
        config, weights = resumed_config(run, {**given, **({"start": start} if start else {})}, file), None
    else:
        refuse_used(run)
        config, weights = new_config(given, file, start)
    if dry_run:
        click.echo(config.to_json(), nl=False)
        return
    setting = Setting(run, device_called(device), workers, vgg, val, skip_bad, tensorboard)
    train_in(setting.remembered() if resume else setting, config, weights)
