"""The values of ``--on``: where a Ray cluster is."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Self

from enlighten_cli.errors import MissingDependencyError, UsageError, how_to_install

CLIENT = "ray://"
HOST_AND_PORT = re.compile(r"(?:ray://)?(\[[^\]]+\]|[^/:\s]+):(\d{1,5})")
NEW = "local"  # Ray's word for a cluster of its own, on this machine
RUNNING = "auto"  # Ray's word for the cluster that `ray start` started on this machine
CONNECT_SECONDS = 5.0


class ClusterError(MissingDependencyError):
    """The cluster cannot be reached, does not fit this installation, or has gone."""


@dataclass(frozen=True)
class ClusterAddress:
    """Where a Ray cluster is.

    Parameters
    ----------
    text : str
        ``ray://HOST:PORT`` for its client server, ``HOST:PORT`` for its head, `RUNNING` or `NEW`.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a value of ``--on``; ``ray`` is the cluster that RAY_ADDRESS names, or a new one on this machine.

        Raises
        ------
        UsageError
            If it, or RAY_ADDRESS, is no address.
        """
        named, where = text, "--on"
        if text == "ray":
            named, where = os.environ.get("RAY_ADDRESS") or NEW, "RAY_ADDRESS"
        if named not in (NEW, RUNNING) and not HOST_AND_PORT.fullmatch(named):
            raise UsageError(f"{where} {named}: no address of a cluster; write ray, ray://HOST:10001 or HOST:6379")
        return cls(named)

    @property
    def is_client(self) -> bool:
        """Whether Ray's client connects."""
        return self.text.startswith(CLIENT)

    @property
    def is_new(self) -> bool:
        """Whether the cluster is started for this run."""
        return self.text == NEW

    def check_reachable(self) -> None:
        """Refuse a host and port where nothing listens; Ray itself would wait for minutes.

        Raises
        ------
        ClusterError
        """
        found = HOST_AND_PORT.fullmatch(self.text)
        if found is None:
            return
        try:
            socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ClusterError(
                f"{self.text}: no Ray cluster answers ({reason}); start one: ray start --head"
            ) from error


def require_ray(address: ClusterAddress) -> None:
    """Refuse to begin without Ray.

    Raises
    ------
    MissingDependencyError
        The message has the command.
    """
    needed = {"ray": "ray", **({"grpc": "grpcio"} if address.is_client else {})}
    missing = [package for module, package in needed.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(f"--on needs {' '.join(missing)}; {how_to_install('ray', *missing)}")
