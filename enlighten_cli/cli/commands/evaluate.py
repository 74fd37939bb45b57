"""``enlighten evaluate FOLDER...``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from enlighten_cli.cli import compared_options, shared_options
from enlighten_cli.cli.choices import Registered, optional_metric_names
from enlighten_cli.cli.command import Command

NEW_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command, short_help="Score the results of models and methods.")
@shared_options.folders
@shared_options.files(
    "--reference",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Well-lit photos of the same scenes, matched by file name without ending.",
)
@compared_options.outputs
@shared_options.files("--report", type=NEW_FILE, help="Write an HTML report.")
@shared_options.files("--compare", type=NEW_FILE, help="Write a contact sheet, .png or .jpg: input, then each method.")
@compared_options.models
@compared_options.methods
@shared_options.mode
@shared_options.device
@shared_options.threads
@compared_options.on
@shared_options.messages(
    "--metric",
    "metrics",
    multiple=True,
    type=Registered("metric", optional_metric_names),
    help="Another metric to measure; repeatable. With --reference: aligned_psnr and aligned_ssim (after scaling the "
    "result to the reference's mean), ciede2000, chroma_ratio, contrast_ratio. Without: darkest, the 5th percentile "
    "of luma.",
)
@shared_options.messages("--per-photo", is_flag=True, help="Print a row for each photo too.")
@compared_options.layout
@compared_options.quiet
@shared_options.verbose
@click.pass_context
def evaluate(ctx: click.Context, /, **given: Any) -> None:
    """Enhance the photos of each FOLDER in memory, and print their scores.

    NIQE, LOE, colour shift and mean luma need no reference; PSNR and SSIM need --reference.
    Without --model and --method, the default model is scored. A photo that cannot be read is left
    out for all of them.
    """
    from enlighten_cli.cli.evaluate import EvaluateArguments, score

    ctx.meta["verbosity"] = given["verbose"]
    ctx.exit(score(EvaluateArguments(**given)))
