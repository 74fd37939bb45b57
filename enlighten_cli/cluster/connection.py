"""Connect to a Ray cluster, quietly and in bounded time."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from enlighten_cli.cluster.address import ClusterAddress, ClusterError, require_ray
from enlighten_cli.resources import available_cores

# Ray reads them when it is imported. Its own remarks are no messages of this program; whoever wants them sets others.
SETTINGS = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # remarks about dead workers, which the crew replaces
    "RAY_USAGE_STATS_ENABLED": "0",  # of clusters that are started here: nothing is sent to Ray's makers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # of clusters that are started here: as urgent as a local run
}
LOGGERS_OF_CLIENT = ("ray.client_builder", "ray.util.client.logsclient")  # which set their own levels
SERVER_LATE = "Starting Ray client server failed"
STATUS_SECONDS = 20.0
STORE_BYTES = 200 * 2**20  # of a cluster that is started here: models and outcomes are small
LONGEST_TEMPORARY = 40  # letters: Ray puts sockets below it, and their paths have 107 letters at most


@contextmanager
def connected(address: ClusterAddress, cores: int | None = None) -> Iterator[Any]:
    """Connect to a cluster, or start one that ends with the context.

    Parameters
    ----------
    address : ClusterAddress
    cores : int, optional
        Of a cluster that is started here; by default all that this process may use.

    Yields
    ------
    module
        Ray.

    Raises
    ------
    MissingDependencyError
        If Ray is not installed, the cluster does not answer, or its Ray or Python has another version.
    """
    require_ray(address)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    address.check_reachable()
    if not address.is_client and not address.is_new:
        _check_answers(address)
    import ray

    options: dict[str, Any] = {
        "address": address.text,
        "logging_level": logging.CRITICAL,
        "log_to_driver": False,
    }
    for name in LOGGERS_OF_CLIENT:
        logging.getLogger(name).disabled = True
    with ExitStack() as stack:
        if address.is_new:
            # Only this run may use it. Without a token, Ray would make one and store it in the user's home.
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
            options |= {
                "num_cpus": cores or available_cores(),
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
            }
            if len(tempfile.gettempdir()) <= LONGEST_TEMPORARY:
                folder = tempfile.TemporaryDirectory(prefix="enlighten-ray-", ignore_cleanup_errors=True)
                options["_temp_dir"] = stack.enter_context(folder)
        leave: Any = ray.shutdown  # without annotations
        stack.callback(leave)
        handler = signal.getsignal(signal.SIGTERM)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                _begin(ray, options)
            except Exception as error:
                raise ClusterError(f"{address.text}: {_reason(error)}") from error
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray installs its own
        yield ray


def _begin(ray: Any, options: dict[str, Any]) -> None:
    """Connect, and try once more if a busy head did not start the client's server in time."""
    try:
        ray.init(**options)
    except Exception as error:
        if SERVER_LATE not in str(error):
            raise
        ray.shutdown()
        ray.init(**options)


def head_of(ray: Any) -> ClusterAddress | None:
    """Return the address of the cluster's head; None where Ray's client connects, which tells itself if it is lost."""
    if ray.util.client.ray.is_connected():
        return None
    return ClusterAddress(ray.get_runtime_context().gcs_address)


def _check_answers(address: ClusterAddress) -> None:
    """Ask a cluster for its status in a process of its own, because Ray waits long for one that does not answer."""
    words = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address.text]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=STATUS_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{address.text}: no Ray cluster answers there within {STATUS_SECONDS:.0f} s") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise ClusterError(f"{address.text}: {_reason(lines[-1] if lines else 'no Ray cluster')}")


def _reason(error: object) -> str:
    """Return Ray's reason in one line."""
    words = " ".join(str(error).split())
    lower = words.lower()
    if "version" in lower and ("mismatch" in lower or "python" in lower):
        ours = f"this machine has Ray {_version()}, Python {sys.version.split()[0]}"
        return f"the cluster has another version of Ray or Python: {words[:300]}; {ours}: install the same on both"
    if "auth" in lower and "token" in lower:
        return "the cluster wants a token: set RAY_AUTH_MODE=token, and see `ray get-auth-token` on its head"
    if "connection timeout" in lower:
        return "no Ray client server answers there, or the cluster wants a token (RAY_AUTH_MODE=token)"
    if "could not find any running ray instance" in lower:
        return "no Ray cluster runs on this machine; start one: ray start --head"
    return f"cannot be used: {words[:300]}"


def _version() -> str:
    from importlib.metadata import version

    return version("ray")
