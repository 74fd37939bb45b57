"""Settings of a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.models.device import Device
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import Limits

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Settings:
    """Settings of a server.

    Parameters
    ----------
    inputs : tuple of Path
        Photos and folders that the page shows from the start.
    output : Path or None
        Folder for results; with None they can only be downloaded.
    model : str
        Name or ``.onnx`` file of the default model.
    device : Device
    threads : int or None
        Threads of the network on the CPU.
    memory_bytes : int or None
        Memory for all photos in work together, and for the network; by default half of the free memory.
    limits : Limits
        Photos beyond these are not decoded.
    max_bytes : int
        Largest body of a request.
    at_once, waiting : int
        Photos that the API enhances at the same time, and requests that may wait; more are refused.
    seconds : float
        Time limit for one photo, waiting included.
    body_seconds : float
        Time for a body to arrive, beside the time that `bodies` adds for its size.
    token : str
        Token that requests must carry; empty if none is required.
    hosts : tuple of str
        Further names, in lower case, by which the server may be addressed.
    """

    inputs: tuple[Path, ...] = ()
    output: Path | None = None
    model: str = DEFAULT_MODEL
    device: Device = field(default_factory=Device)
    threads: int | None = None
    memory_bytes: int | None = None
    limits: Limits = field(default_factory=Limits)
    max_bytes: int = 1000 * MEGABYTE
    at_once: int = 3
    waiting: int = 16
    seconds: float = 600
    body_seconds: float = 20
    token: str = ""
    hosts: tuple[str, ...] = ()
