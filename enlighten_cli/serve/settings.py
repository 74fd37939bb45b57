"""What a server is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from enlighten_cli.models.device import Device
from enlighten_cli.models.registry import DEFAULT_MODEL
from enlighten_cli.photo import Limits

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Settings:
    """What a server is started with.

    Parameters
    ----------
    inputs : tuple of Path
        Photos and folders that the page shows from the start.
    output : Path or None
        The folder that results may be written to; None: they can only be downloaded.
    model : str
        The name, or the ``.onnx`` file, of the model that is used where none is asked for.
    device : Device
    threads : int or None
        Of the network on the CPU.
    memory_bytes : int or None
        What all photos on their way may take together, and the network; half of what is free by default.
    limits : Limits
        What is decoded at all.
    max_bytes : int
        Of one request's body.
    at_once, waiting : int
        Photos that the API works on at the same time, and requests that may wait; more are refused.
    seconds : float
        That one photo may take, waiting included.
    body_seconds : float
        That a client may be silent before its body is given up; see `bodies`.
    token : str
        What requests must present; empty: nothing.
    hosts : tuple of str
        More names, in lower case, under which the server may be addressed.
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
