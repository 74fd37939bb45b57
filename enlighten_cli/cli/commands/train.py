"""``enlighten train``: train a model, or fine-tune one, on unpaired folders of photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.choices import Suggested, model_names
from enlighten_cli.cli.requirements import require_tensorboard, require_training

MOST_EPOCHS = 1e9
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(short_help="Train a model, or fine-tune one on your photos.")
@click.option("--low", type=FOLDER, help="Folder of photos taken in too little light; subfolders are searched.")
@click.option("--normal", type=FOLDER, help="Folder of well-lit photos; they may show other scenes.")
@click.option(
    "--pairs",
    type=FOLDER,
    nargs=2,
    metavar="LOW HIGH",
    help="Two folders of the same scenes, dark and well lit, under the same names; for a supervised objective only.",
)
@click.option("-o", "--output", "run", type=FOLDER, required=True, metavar="RUN", help="Folder of the run.")
@click.option("--config", "file", type=FILE, help="JSON file of options; the command line wins.")
@click.option(
    "--from",
    "start",
    type=Suggested("start", lambda: ("pretrained", "random", *model_names()), ending=".safetensors"),
    metavar="pretrained|random|NAME|FILE",
    help="Initial weights: those of the default model (pretrained), random ones, those of another model of the "
    "package, or of a checkpoint, .safetensors or .pth.  [default: pretrained]",
)
@click.option(
    "--objective",
    metavar="NAME",
    help="Training objective: enlightengan, the losses of the paper; distillation, the results of a teacher; denoise; "
    "or that of another paper: zero-dce (--normal may be left out), cyclegan, llnet (--normal alone), "
    "retinexnet (supervised: --pairs).  [default: enlightengan]",
)
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Any option of the recipe, such as one of the objective (sfp_weight=0.5); repeatable.",
)
@click.option(
    "--width",
    type=int,
    help="Channels of the first level; the paper has 32. Initial weights can be widened to a multiple of their width.",
)
@click.option(
    "--epochs",
    type=shared_options.Number(0, MOST_EPOCHS),
    metavar="NUMBER",
    help="Length in epochs of 1016 images; the paper has 200.",
)
@click.option("--images", type=int, help="Length in images, instead of --epochs.")
@click.option("--crop", "crop_px", type=int, metavar="PX", help="Side of a crop; the paper has 320.")
@click.option("--batch", type=int, help="Batch size; the paper has 32, below 8 artefacts are likely.")
@click.option(
    "--lr", type=shared_options.Number(0), metavar="NUMBER", help="Learning rate of the generator; the paper has 1e-4."
)
@click.option(
    "--ema",
    "ema_images",
    type=int,
    metavar="IMAGES",
    help="Half-life of the moving average of the weights; 0: no average.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Precision of the networks; losses are always fp32. fp16 is for GPUs without bf16.",
)
@click.option("--seed", type=int, help="Seed of all random numbers.")
@shared_options.device
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes that prepare crops; 0: the training process, on its GPU if the photos fit there (at most 3 GB).  "
    "[default: 1; on a GPU 0, or one per core]",
)
@click.option(
    "--vgg",
    type=FILE,
    help="VGG-16 weights, if the objective needs them; by default torchvision's are downloaded (553 MB).",
)
@click.option("--val", type=FOLDER, help="Folder of photos for sample sheets and scores during the run.")
@click.option("--skip-bad", is_flag=True, help="Skip photos that cannot be read.")
@click.option("--resume", is_flag=True, help="Continue RUN from its last checkpoint.")
@click.option("--tensorboard", is_flag=True, help="Write curves for TensorBoard too.")
@click.option("--dry-run", is_flag=True, help="Print the options of the run, and stop.")
@shared_options.verbose
@click.pass_context
def train(ctx: click.Context, /, verbose: int, tensorboard: bool, **given: Any) -> None:
    """Train on two folders of unpaired photos: low-light ones and well-lit ones.

    By default this fine-tunes the default model. RUN receives the model (model.onnx, to use with
    --model), its weights, checkpoints, sample sheets, curves.png, config.json, log.txt and
    stats.jsonl. Ctrl-C writes a checkpoint, from which --resume continues. On several GPUs or
    machines: torchrun --nproc-per-node 2 -m enlighten_cli train, with the same options.
    """
    ctx.meta["verbosity"] = verbose
    require_training()
    if tensorboard:
        require_tensorboard()
    from enlighten_cli.cli.train import TrainArguments, train_network

    # What is not an argument of the command itself is an option of the recipe.
    own = {name: given.pop(name) for name in TrainArguments.names() if name in given}
    train_network(TrainArguments(**own, tensorboard=tensorboard, recipe=given))
