import io
import threading
import time
import zlib

import pytest
from click.testing import CliRunner
from clients import leftovers, picture, serving
from conftest import scene
from PIL import Image
from samples import deep_png, exif, saved

from enlighten_cli.cli import main
from enlighten_cli.photo import Strip, decode
from enlighten_cli.serve.problems import CODES


def by_command(tmp_path, model, content, name, *options):
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / name).write_bytes(content)
    words = [str(tmp_path / "in" / name), "-o", f"{tmp_path}/out/", "--model", str(model), "--on-conflict", "overwrite"]
    result = CliRunner().invoke(main, [*words, *options])
    assert result.exit_code == 0, result.stderr
    (made,) = (tmp_path / "out").iterdir()
    return made.read_bytes()


PHOTOS = {
    "a.png": lambda: picture(scene(48, 64)),
    "a.jpg": lambda: saved(Image.fromarray(scene(90, 70)), "JPEG", quality=80, exif=b"Exif\0\0" + exif(6)),
    "deep.png": lambda: deep_png(scene(40, 52).astype("uint16") * 200),
    "grey.webp": lambda: saved(Image.fromarray(scene(60, 60)[..., 0]).convert("RGB"), "WEBP"),
    "misnamed.jpg": lambda: picture(scene(30, 50)),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_results_are_those_of_the_command(client, model_file, tmp_path, name):
    content = PHOTOS[name]()
    answer = client.enhance(content, name=name)
    assert answer.status == 200
    assert answer.body == by_command(tmp_path, model_file, content, name)
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"


@pytest.mark.parametrize(
    "words",
    [
        {"strength": "0.3"}, {"mode": "fast"}, {"mode": "full", "tile": "16"}, {"format": "jpg", "quality": "60"},
        {"strip": "all"},
    ],
)  # fmt: skip
def test_options_are_those_of_the_command(client, model_file, tmp_path, words):
    content = PHOTOS["a.jpg"]()
    options = [part for name, value in words.items() for part in (f"--{name}", value)]
    assert client.enhance(content, name="a.jpg", **words).body == by_command(
        tmp_path, model_file, content, "a.jpg", *options
    )


def test_kinds_and_notes(client, photo):
    answer = client.enhance(PHOTOS["deep.png"](), format="jpg", name="süß.png")
    assert answer.headers["content-type"] == "image/jpeg"
    assert "16 are rounded" in answer.headers["enlighten-notes"]
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''s%C3%BC%C3%9F.jpg"
    assert client.enhance(photo, format="tiff").headers["content-type"] == "image/tiff"


def bomb():
    """A PNG of 60,000 x 60,000 pixels, in a few bytes."""

    def chunk(kind, content):
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    header = (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("make", "status", "word"),
    [
        (lambda: b"", 422, "empty"),
        (lambda: b"hello", 415, "not a photo"),
        (lambda: b"%PDF-1.7 ...", 415, "PDF"),
        (lambda: b"<svg onload=alert(1)>", 415, "SVG"),
        (lambda: PHOTOS["a.jpg"]()[:700], 422, ""),
        (lambda: PHOTOS["a.png"]()[:200], 422, ""),
        (bomb, 413, "--max-mpixels"),
    ],
)
def test_hostile_files(client, make, status, word):
    answer = client.enhance(make())
    assert answer.status == status
    assert answer.code == CODES[status]
    assert word in answer.json["error"]["message"]
    assert leftovers(client) == []


def test_a_truncated_photo_if_it_is_asked_for(client):
    content = PHOTOS["a.jpg"]()[:-300]
    assert client.enhance(content).status == 422
    assert client.enhance(content, allow_truncated="true").status == 200


@pytest.mark.parametrize(
    "words",
    [
        {"strength": "2"}, {"strength": "nan"}, {"strength": "x"}, {"mode": "slow"}, {"model": "none"},
        {"model": "../../etc/passwd"}, {"format": "gif"}, {"quality": "0"}, {"tile": "3"}, {"strip": "some"},
        {"tile": "32", "mode": "fast"}, {"strenght": "1"},
        {"skip_brighter_than": "7"}, {"skip_brighter_than": "0"}, {"denoise": "loud"},
    ],
)  # fmt: skip
def test_bad_options(client, photo, words):
    answer = client.enhance(photo, **words)
    assert (answer.status, answer.code) == (422, "cannot_be_done")
    assert leftovers(client) == []


def test_a_path_is_no_model(client, model_file, photo):
    """The server was started with this very file, and yet a client may name no path."""
    assert client.enhance(photo, model=str(model_file)).status == 422
    assert client.enhance(photo, model="mine").status == 200


def test_models_and_health(client):
    models = client.get("/v1/models").json["models"]
    assert [row["name"] for row in models][:2] == ["mine", "lite"]
    assert [row["default"] for row in models].count(True) == 1
    assert client.get("/v1/health").json["status"] == "ok"


def references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def test_the_document_describes_what_is_done(client, photo):
    document = client.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    operation = document["paths"]["/v1/enhance"]["post"]
    for parameter in operation["parameters"]:
        schema, name = parameter["schema"], parameter["name"]
        schema = schema.get("anyOf", [schema])[0]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        value = {"model": "mine", "name": "a.png", "strip": Strip.ALL.value}.get(name)
        if value is None:
            value = str(schema.get("enum", [schema.get("maximum", schema.get("minimum", 0))])[0]).lower()
            value = "false" if schema.get("type") == "boolean" else "32" if name == "tile" else value
        answer = client.enhance(photo, **{name: value})
        assert answer.status == 200, (name, value, answer.body)
        assert str(answer.status) in operation["responses"]
    assert set(operation["responses"]) >= {"413", "415", "422", "429"}
    for path, methods in document["paths"].items():
        assert client.ask("DELETE", path).status == 405, (path, methods)


class Gate:
    """A network that waits."""

    training_pixels, receptive_field_px, bytes_per_pixel, name, provider = 0, 0, 1, "mine", "none"

    def __init__(self):
        self.inside, self.open = threading.Semaphore(0), threading.Event()

    def __call__(self, rgb):
        self.inside.release()
        assert self.open.wait(30)
        return rgb


@pytest.fixture
def gated(tmp_path, model_file):
    def gated(**settings):
        return serving(tmp_path, model=str(model_file), **settings)

    return gated


def test_a_full_queue_says_so(gated, photo):
    with gated(at_once=1, waiting=2) as client:
        gate = Gate()
        client.shared.networks._opened["mine"] = gate
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(client.enhance(photo))) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert gate.inside.acquire(timeout=20)
        while client.get("/v1/health").json["photos"] < 3:
            time.sleep(0.01)
        refused = client.enhance(photo)
        assert (refused.status, refused.code) == (429, "busy")
        assert int(refused.headers["retry-after"]) > 0
        gate.open.set()
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [200] * 3
        assert client.enhance(photo).status == 200
        assert client.get("/v1/health").json["photos"] == 0


def test_a_photo_that_takes_too_long(gated, photo):
    with gated(at_once=1, waiting=2, seconds=6) as client:
        gate = Gate()
        client.shared.networks._opened["mine"] = gate
        slow = threading.Thread(target=client.enhance, args=(photo,))
        slow.start()
        assert gate.inside.acquire(timeout=20)
        waiting = client.enhance(photo)  # behind it, in the line
        assert (waiting.status, waiting.code) == (503, "took_too_long")
        gate.open.set()
        slow.join()
        assert client.shared.photos.inside == 0


def test_work_for_a_client_that_is_gone_stops(gated, photo):
    import http.client

    with gated(at_once=1) as client:
        gate = Gate()
        client.shared.networks._opened["mine"] = gate
        connection = http.client.HTTPConnection("127.0.0.1", client.port)
        connection.request("POST", "/v1/enhance?mode=full&tile=16", picture(scene(200, 200)))
        assert gate.inside.acquire(timeout=20)
        connection.close()
        time.sleep(0.3)
        gate.open.set()
        while client.shared.photos.inside:
            time.sleep(0.01)
        assert not gate.inside.acquire(timeout=0.2)  # one tile of many
        assert leftovers(client) == []


def test_an_internal_error_tells_a_client_nothing(gated, photo, capfd):
    with gated() as client:

        def fails(rgb):
            raise RuntimeError("secret\x1b[31m path")

        gate = Gate()
        gate.__class__ = type("Broken", (Gate,), {"__call__": lambda self, rgb: fails(rgb)})
        client.shared.networks._opened["mine"] = gate
        answer = client.enhance(photo)
        assert (answer.status, answer.code) == (500, "internal_error")
        assert b"secret" not in answer.body
    said = capfd.readouterr().err
    assert "RuntimeError: secret" in said
    assert "\x1b" not in said
    assert "Traceback" not in said


def test_a_photo_for_which_memory_is_too_small_fails_alone(gated, photo, capfd):
    with gated() as client:

        def fails(error):
            raise error

        gate = Gate()
        gate.__class__ = type("Greedy", (Gate,), {"__call__": lambda self, rgb: fails(MemoryError())})
        client.shared.networks._opened["mine"] = gate
        answer = client.enhance(photo)
        assert (answer.status, answer.code) == (503, "took_too_long")
        assert b"too little memory" in answer.body
        assert client.get("/v1/health").status == 200
    assert "internal error" not in capfd.readouterr().err


def test_results_decode(client, photo):
    assert decode(client.enhance(photo, format="avif").body).format == "AVIF"
    assert Image.open(io.BytesIO(client.enhance(photo, format="webp").body)).size == (64, 48)
