"""S3 by a server process on the loopback, and what goes wrong between it and us."""

import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest
from click.testing import CliRunner
from conftest import scene
from faulty_proxy import FaultyProxy, once

from enlighten_cli.cli import main
from enlighten_cli.errors import AlreadyThereError, OutputError
from enlighten_cli.photo import Photo, decode, encode
from enlighten_cli.stores import contents, faults, filesystem, folders
from enlighten_cli.stores.address import parsed

ABSENT = [name for name in ("s3fs", "moto", "flask", "boto3") if find_spec(name) is None]
pytestmark = [
    pytest.mark.store,
    pytest.mark.skipif(bool(ABSENT), reason=f"needs the extra dev: no {', '.join(ABSENT)} here"),
]

PNG = encode(Photo(scene(12, 16), "PNG"))
SECRET = "a-secret-that-nobody-may-see"
STARTS_SECONDS = 60


@pytest.fixture(scope="module")
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        end = time.monotonic() + STARTS_SECONDS
        while time.monotonic() < end and server.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
        server.kill()


@pytest.fixture
def proxy(port):
    with FaultyProxy(port) as proxy:
        yield proxy


@pytest.fixture
def bucket(port, proxy, tmp_path, monkeypatch):
    """A bucket, as its owner sees it; the command sees it through the proxy."""
    import boto3

    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": proxy.address,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(faults, "FIRST_WAIT_SECONDS", 0.01)
    filesystem._filesystem.cache_clear()
    name = f"bucket-{time.monotonic_ns()}"
    owner = boto3.resource("s3", endpoint_url=f"http://127.0.0.1:{port}").Bucket(name)
    owner.create()
    yield owner
    owner.meta.client.close()
    filesystem._filesystem.cache_clear()


def fill(bucket, *keys):
    for key in keys:
        bucket.put_object(Key=key, Body=PNG)


def keys(bucket, prefix=""):
    return sorted(each.key.removeprefix(prefix) for each in bucket.objects.filter(Prefix=prefix))


def enlighten(*arguments, code=0):
    result = CliRunner().invoke(main, [*map(str, arguments), "--model", "gamma"])
    assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
    assert SECRET not in result.output
    return result.stderr


def night_to_bright(bucket, *more, code=0):
    return enlighten(f"s3://{bucket.name}/night/", "-o", f"s3://{bucket.name}/bright/", *more, code=code)


ODD = ["a b.png", "sub/ü+&%20=#?.png", "sub/日本.png", "../x.png", "./y.png", "sub//z.png"]


def test_names_of_every_kind(bucket, tmp_path):
    fill(bucket, *(f"night/{key}" for key in ODD))
    assert "Brightened 6 photos" in night_to_bright(bucket)
    assert keys(bucket, "bright/") == sorted(ODD)
    result = bucket.Object("bright/../x.png").get()
    assert decode(result["Body"].read()).pixels.mean() > decode(PNG).pixels.mean()
    assert result["ContentType"] == "image/png"
    said = enlighten(f"s3://{bucket.name}/night/", "-o", "deep/out/", code=1)
    assert "its key has the part '..'" in said
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert files == sorted(f"deep/out/{key}" for key in ODD[:3])


def test_existing_results_are_found_a_page_at_a_time(bucket, proxy, monkeypatch):
    fill(bucket, *(f"night/{number:02}.png" for number in range(20)))
    monkeypatch.setattr(folders, "PAGE", 5)
    monkeypatch.setattr(folders.names_of_page, "__kwdefaults__", {"token": None, "after": "", "most": 5})
    night_to_bright(bucket)
    proxy.requests.clear()
    assert "all 20 results already exist" in night_to_bright(bucket)
    assert all(method == "GET" and "list-type=2" in path for method, path in proxy.requests)
    assert len(proxy.requests) <= 1 + 1 + 4 + 4 + 2  # the bucket, the input, their pages, and one more at each border


def test_overlapping_prefixes(bucket):
    fill(bucket, "night/a.png", "night-2/b.png")
    for _ in range(2):
        enlighten(f"s3://{bucket.name}/night/", "-o", f"s3://{bucket.name}/night/bright/")
    assert keys(bucket) == ["night-2/b.png", "night/a.png", "night/bright/a.png"]
    said = enlighten(f"s3://{bucket.name}/night", "-o", f"s3://{bucket.name}/night/", "--overwrite", code=2)
    assert "would overwrite the input" in said


def test_every_request_fails_once(bucket, proxy):
    fill(bucket, "night/a.png", "night/b.png")
    first = once()
    proxy.fault = lambda method, path, headers: "busy" if first((method, path)) else ""
    assert "Brightened 2 photos" in night_to_bright(bucket)


@pytest.mark.parametrize("fault", ["broken", "lost"])
def test_a_connection_that_breaks_in_an_upload(bucket, proxy, fault):
    fill(bucket, "night/a.png")
    first = once()
    proxy.fault = lambda method, path, headers: fault if method == "PUT" and first(path) else ""
    assert "Brightened 1 photo " in night_to_bright(bucket, "--on-conflict", "rename")
    assert keys(bucket, "bright/") == ["a.png"]


def test_a_connection_that_breaks_in_a_download(bucket, proxy):
    fill(bucket, "night/a.png")
    first = once()
    proxy.fault = lambda method, path, headers: "cut" if path.endswith("a.png") and first((method, path)) else ""
    assert "Brightened 1 photo " in night_to_bright(bucket)


def test_a_store_that_stays_busy_ends_the_batch(bucket, proxy):
    fill(bucket, "night/a.png", "night/b.png")
    proxy.fault = lambda method, path, headers: "busy" if method == "PUT" else ""
    said = night_to_bright(bucket, code=6)
    assert said.endswith("a.png: cannot be written: the store does not answer, or is busy\n")
    assert keys(bucket, "bright/") == []
    proxy.fault = lambda method, path, headers: ""
    assert "Brightened 2 photos" in night_to_bright(bucket)


def test_a_store_without_conditions(bucket, proxy):
    fill(bucket, "night/a.png")
    proxy.fault = lambda method, path, headers: "unsupported" if "If-None-Match" in headers else ""
    night_to_bright(bucket)
    assert keys(bucket, "bright/") == ["a.png"]
    with pytest.raises(AlreadyThereError):
        contents.write(parsed(f"s3://{bucket.name}/bright/a.png"), b"new", replace=False)


@pytest.mark.posix
def test_a_kill_in_the_middle_loses_nothing(bucket, proxy):
    names = [f"{number}.png" for number in range(8)]
    fill(bucket, *(f"night/{name}" for name in names))
    proxy.fault = lambda method, path, headers: "slow" if method == "PUT" else ""
    words = [f"s3://{bucket.name}/night/", "-o", f"s3://{bucket.name}/bright/", "--model", "gamma", "-q"]
    with subprocess.Popen([sys.executable, "-m", "enlighten_cli", *words]) as command:
        end = time.monotonic() + STARTS_SECONDS
        while time.monotonic() < end and command.poll() is None and not keys(bucket, "bright/"):
            time.sleep(0.02)
        command.send_signal(signal.SIGKILL)
    done = keys(bucket, "bright/")
    assert 0 < len(done) < len(names)
    whole = {name: bucket.Object(f"bright/{name}").get()["Body"].read() for name in done}
    assert all(decode(content).pixels.shape == (12, 16, 3) for content in whole.values())
    proxy.fault = lambda method, path, headers: ""
    already = "1 already exists" if len(done) == 1 else f"{len(done)} already exist"
    assert already in night_to_bright(bucket)
    assert keys(bucket, "bright/") == names
    assert all(bucket.Object(f"bright/{name}").get()["Body"].read() == content for name, content in whole.items())


def test_a_large_result_comes_in_parts_and_is_seen_when_all_are_there(bucket, proxy, monkeypatch):
    part = 5 * 2**20  # the least that S3 takes
    monkeypatch.setattr(contents, "PART_BYTES", part)
    content, target = os.urandom(part * 2 + 100), parsed(f"s3://{bucket.name}/large.tif")
    proxy.fault = lambda method, path, headers: "broken" if "partNumber=2" in path else ""
    with pytest.raises(OutputError, match="cannot be written"):
        contents.write(target, content, replace=False)
    assert keys(bucket) == []
    assert not list(bucket.multipart_uploads.all())
    first = once()
    proxy.fault = lambda method, path, headers: "broken" if "partNumber=2" in path and first(1) else ""
    contents.write(target, content, replace=False)
    assert bucket.Object("large.tif").get()["Body"].read() == content
    with pytest.raises(AlreadyThereError):
        contents.write(target, content[1:], replace=False)
    assert contents.read(target, len(content)) == content


def test_what_is_not_there_or_not_allowed(bucket, proxy, monkeypatch):
    fill(bucket, "night/a.png")
    here, away = f"s3://{bucket.name}/night/a.png", "s3://no-such-bucket-here/x/"
    for words, code, message in [
        ((away, "-o", "out"), 2, "s3://no-such-bucket-here/x: no such photo, folder or bucket"),
        ((here, "-o", away), 6, "s3://no-such-bucket-here/x: cannot be written: no such"),
        ((f"s3://{bucket.name}/nothing/", "-o", "out"), 2, "nothing: no such photo, folder or bucket"),
        ((f"s3://{bucket.name}/nothing.png", "-o", "out"), 2, "nothing.png: no such photo"),
    ]:
        said = enlighten(*words, code=code)
        assert message in said
        assert len(said.splitlines()) == 1
    proxy.fault = lambda method, path, headers: "denied"
    assert f"{here}: permission denied" in enlighten(here, "-o", "out/", "-vv", code=2)
    proxy.fault = lambda method, path, headers: "denied" if method == "PUT" else ""
    assert "cannot be written: permission denied" in night_to_bright(bucket, code=6)
    proxy.fault = lambda method, path, headers: "denied" if path.endswith("a.png") and method == "GET" else ""
    assert f"{here}: permission denied" in night_to_bright(bucket, code=1)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    filesystem._filesystem.cache_clear()
    assert "no valid credentials; they come from the variables AWS_" in enlighten(here, "-o", "out/", code=2)


def test_a_store_that_is_not_there(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    said = enlighten(f"s3://{bucket.name}/a.png", "-o", "out/", code=2)
    assert said == f"enlighten: s3://{bucket.name}/a.png: the store does not answer, or is busy\n"


def test_a_signed_web_address_is_read_and_its_signature_never_shown(bucket, port, proxy, tmp_path):
    fill(bucket, "a b.png")
    client = bucket.meta.client
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket.name, "Key": "a b.png"})
    url = url.replace(f"http://127.0.0.1:{port}", proxy.address).replace("http://", f"http://me:{SECRET}@")
    assert "Signature" in url
    said = enlighten(url, "-o", "out/", "-v", "--report", "page.html")
    assert "Signature" not in said + (tmp_path / "page.html").read_text()
    assert SECRET not in (tmp_path / "page.html").read_text()
    assert decode((tmp_path / "out" / "a b.png").read_bytes()).format == "PNG"
    for fault, message in (("denied", "permission denied"), ("busy", "does not answer, or is busy")):
        proxy.fault = lambda method, path, headers, fault=fault: fault
        said = enlighten(url, "-o", "out2/", "-vv", code=2)
        assert message in said
        assert "Signature" not in said
    proxy.fault = lambda method, path, headers: ""
    assert "cannot be written beside" in enlighten(url, code=2)
