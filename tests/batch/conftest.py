"""A Ray cluster of two nodes on the loopback."""

import os
import secrets
import socket
import subprocess
import sys
import time
import warnings
from importlib.util import find_spec

import pytest

STARTS_SECONDS = 60
S3_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def s3_port():
    """The port on which S3 is, if moto is installed; nothing listens there before `s3` is asked for."""
    return free_port()


@pytest.fixture(scope="module")
def s3(s3_port):
    """Moto's server, which Ray's processes know as S3."""
    absent = [name for name in ("s3fs", "moto", "flask", "boto3") if find_spec(name) is None]
    if absent:
        pytest.skip(f"needs the extra dev: no {', '.join(absent)} here")
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(s3_port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        end = time.monotonic() + STARTS_SECONDS
        while time.monotonic() < end and server.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", s3_port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{s3_port}"
        server.kill()


@pytest.fixture(scope="module")
def cluster(s3_port):
    """Two nodes, with one core and two; its processes have the credentials of `s3`."""
    if find_spec("ray") is None:
        pytest.skip("needs the extra ray: no ray here")
    patch = pytest.MonkeyPatch()
    for name, value in {**S3_VARIABLES, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3_port}"}.items():
        patch.setenv(name, value)
    patch.setenv("RAY_AUTH_MODE", "token")
    patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    from enlighten_cli.cluster.connection import SETTINGS

    for name, value in SETTINGS.items():
        patch.setenv(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        small = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
        client = {"ray_client_server_port": free_port()} if find_spec("grpc") else {}
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **small, **client})
        cluster.worker = cluster.add_node(num_cpus=2, **small)
        cluster.client_port = client.get("ray_client_server_port")
    yield cluster
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster.shutdown()
    patch.undo()


@pytest.fixture(scope="module")
def ray(cluster):
    """This process, connected to the cluster."""
    from enlighten_cli.cluster.address import ClusterAddress
    from enlighten_cli.cluster.connection import connected

    with connected(ClusterAddress(cluster.address)) as ray:
        yield ray
