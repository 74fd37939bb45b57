"""``enlighten serve``: a page in the browser, and an API."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enlighten_cli.cli import shared_options
from enlighten_cli.cli.console import say
from enlighten_cli.cli.requirements import require_serving
from enlighten_cli.cli.signals import SIGNALLED, interruptible
from enlighten_cli.errors import UsageError

if TYPE_CHECKING:
    from enlighten_cli.serve.settings import Settings

SHORTEST_TOKEN = 8
POLL_SECONDS = 0.2


@click.command(short_help="Brighten photos on a page in the browser; an API for programs.")
@click.argument("inputs", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[PHOTO|FOLDER]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to which the page may save results, as a batch does; by default they can only be downloaded.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0: all of them.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; by default any free one.")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option(
    "--token",
    envvar="ENLIGHTEN_TOKEN",
    help="Token that requests must carry; by default one is generated. It is part of the address that is printed.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Accept requests for this host name too, behind a proxy.",
)
@shared_options.model
@shared_options.device
@shared_options.threads
@shared_options.memory
@shared_options.max_mpixels
@click.option(
    "--max-mb", type=click.IntRange(min=1), default=1000, show_default=True, help="Refuse larger files; in MB."
)
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Photos that the API enhances at the same time.",
)
@click.option(
    "--waiting",
    type=click.IntRange(min=0),
    default=16,
    show_default=True,
    help="Requests to the API that may wait; more are refused with status 429.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    show_default=True,
    help="Time limit for one photo, waiting included.",
)
@shared_options.verbose
@click.pass_context
def serve(ctx: click.Context, /, **given: Any) -> None:
    """Open a page in the browser, where you brighten photos and choose the strength by eye.

    Drop photos on it, or name photos and folders here. The page loads nothing from other machines;
    Ctrl-C stops the server. Programs post photos to /v1/enhance; /v1/openapi.json describes the API.
    """
    ctx.meta["verbosity"] = given["verbose"]
    require_serving()
    ctx.exit(_run(given))


def _run(given: dict[str, Any]) -> int:
    from enlighten_cli.serve.private_folder import PrivateFolder
    from enlighten_cli.serve.server import RunningServer, address, is_work_left, listening
    from enlighten_cli.serve.shared import share

    settings = _settings(given)
    listener = listening(given["host"], given["port"])
    with listener, PrivateFolder() as folder, interruptible() as signals:
        shared = share(settings, folder)
        if shared.networks.warning:
            say(f"enlighten: {shared.networks.warning}")
        with RunningServer(shared, listener, given["host"]) as server:
            url = address(given["host"], server.port, settings.token)
            say(f"enlighten: {url}   (Ctrl-C stops the server)")
            if not given["no_open"] and not _open(url, folder.path):
                say("enlighten: open this address in a browser")
            while not signals and server.wait(POLL_SECONDS):
                pass
    code = SIGNALLED + signals[0] if signals else 0
    if is_work_left():
        say("enlighten: stopped while a photo was being enhanced; its result was not written")
        os._exit(code)
    return code


def _settings(given: dict[str, Any]) -> Settings:
    from enlighten_cli.models.device import Device
    from enlighten_cli.models.registry import DEFAULT_MODEL
    from enlighten_cli.photo import Limits
    from enlighten_cli.serve.settings import MEGABYTE, Settings

    return Settings(
        inputs=given["inputs"],
        output=given["output"],
        model=given["model"] or DEFAULT_MODEL,
        device=Device.parse(given["device"]),
        threads=given["threads"],
        memory_bytes=given["memory"] * MEGABYTE if given["memory"] else None,
        limits=Limits(max_mpixels=given["max_mpixels"]),
        max_bytes=given["max_mb"] * MEGABYTE,
        at_once=given["at_once"],
        waiting=given["waiting"],
        seconds=given["seconds"],
        token=_token(given["token"]),
        hosts=tuple(name.lower() for name in given["hosts"]),
    )


def _token(given: str | None) -> str:
    """Return the token that requests must carry: the given one, or a new one."""
    import secrets

    if given is not None:
        if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
            raise UsageError(f"--token: must be at least {SHORTEST_TOKEN} printable ASCII characters, without spaces")
        return given
    return secrets.token_urlsafe(24)


def _open(url: str, folder: Path) -> bool:
    """Open the page in a browser, and tell whether one with a window was found."""
    import html
    import webbrowser

    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    ):
        return False  # a browser without a window would run in this terminal
    # All accounts of a machine can read command lines, and only this account the file.
    page = folder / "open.html"
    text = f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(url)}">'
    page.write_text(text, encoding="utf-8")
    try:
        return webbrowser.open(page.as_uri())
    except webbrowser.Error:
        return False
