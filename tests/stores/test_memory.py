"""The whole command with photos in a store, which here is memory."""

import json

import pytest
from click.testing import CliRunner
from conftest import scene, write_photos

from enlighten_cli.cli import main
from enlighten_cli.photo import Photo, decode, encode

fsspec = pytest.importorskip("fsspec", reason="needs the extra cloud")

PNG = encode(Photo(scene(12, 16), "PNG"))


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    for name in ("a.png", "sub/b c.png", "sub/ü.png"):
        memory.pipe_file(f"memory://bucket/night/{name}", PNG)
    yield memory
    memory.store.clear()


def enlighten(*arguments, code=0):
    result = CliRunner().invoke(main, [*map(str, arguments), "--model", "gamma"])
    assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
    return result


def below(store, folder):
    return sorted(name.removeprefix(f"/{folder}/") for name in store.store if name.startswith(f"/{folder}/"))


NAMES = ["a.png", "sub/b c.png", "sub/ü.png"]


def test_a_folder_into_a_folder(store):
    said = enlighten("memory://bucket/night/", "-o", "memory://bucket/bright/").stderr
    assert "Brightened 3 photos" in said
    assert said.endswith("-> memory://bucket/bright/\n")
    assert below(store, "bucket/bright") == NAMES
    assert decode(store.cat_file("/bucket/bright/a.png")).pixels.mean() > decode(PNG).pixels.mean()


def test_results_are_byte_for_byte_those_of_files(store, tmp_path):
    write_photos(tmp_path / "in", 1, exposure=0.2)
    enlighten("in", "-o", "out")
    enlighten("in", "-o", "memory://bucket/from-here/")
    store.pipe_file("/bucket/there/0.png", (tmp_path / "in" / "0.png").read_bytes())
    enlighten("memory://bucket/there/", "-o", "here/")
    expected = (tmp_path / "out" / "0.png").read_bytes()
    assert store.cat_file("/bucket/from-here/0.png") == expected == (tmp_path / "here" / "0.png").read_bytes()


def test_a_second_run_skips_and_a_third_does_what_is_missing(store):
    words = ("memory://bucket/night", "-o", "memory://bucket/bright/")
    enlighten(*words)
    assert enlighten(*words).stderr == "Nothing to do: all 3 results already exist (replace them with --overwrite)\n"
    store.rm("/bucket/bright/a.png")
    assert "Brightened 1 photo" in enlighten(*words).stderr
    assert "Brightened 3 photos" in enlighten(*words, "--overwrite").stderr


def test_existing_results_are_found_by_listing_folders(store, monkeypatch):
    enlighten("memory://bucket/night", "-o", "memory://bucket/bright/")
    asked = []
    for name in ("ls", "info", "exists", "open"):
        method = getattr(type(store), name)
        monkeypatch.setattr(
            type(store),
            name,
            lambda self, path, *a, name=name, method=method, **k: (
                asked.append((name, path)),
                method(self, path, *a, **k),
            )[1],
        )
    enlighten("memory://bucket/night/", "-o", "memory://bucket/bright/")
    outside = [each for each in asked if "bright" in each[1]]
    assert [name for name, _ in outside].count("ls") == 2  # bright, and bright/sub
    assert all(name == "ls" for name, _ in outside)


def test_conflicts(store):
    words = ("memory://bucket/night/a.png", "-o", "memory://bucket/a.png")
    enlighten(*words)
    assert "already exists" in enlighten(*words, "--on-conflict", "error", code=2).stderr
    enlighten(*words, "--on-conflict", "rename")
    enlighten(*words, "--on-conflict", "rename")
    assert [name for name in below(store, "bucket") if "/" not in name] == ["a-1.png", "a-2.png", "a.png"]


def test_a_result_that_somebody_else_writes_meanwhile_is_kept(store, monkeypatch):
    from enlighten_cli.stores.listed import Listed

    store.pipe_file("/bucket/a.png", b"theirs")
    monkeypatch.setattr(Listed, "__contains__", lambda self, address: False)
    words = ("memory://bucket/night/a.png", "-o", "memory://bucket/a.png")
    assert "already exists" in enlighten(*words).stderr
    enlighten(*words, "--on-conflict", "rename")
    assert store.cat_file("/bucket/a.png") == b"theirs"
    assert store.exists("/bucket/a-1.png")


def test_without_o_results_go_beside_and_are_known_again(store):
    for _ in range(2):
        enlighten("memory://bucket/night/")
    assert below(store, "bucket/night") == sorted([*NAMES, *(name.replace(".", "-enlightened.") for name in NAMES)])


def test_results_below_their_photos_are_no_photos(store):
    for _ in range(2):
        enlighten("memory://bucket/night/", "-o", "memory://bucket/night/bright/")
    assert below(store, "bucket/night") == sorted([*NAMES, *(f"bright/{name}" for name in NAMES)])


def test_photos_below_their_results(store):
    enlighten("memory://bucket/night/", "-o", "memory://bucket/")
    assert below(store, "bucket") == sorted([*(f"night/{name}" for name in NAMES), *NAMES])


def test_no_input_is_overwritten(store):
    said = enlighten("memory://bucket/night/", "-o", "memory://bucket/night/", "--overwrite", code=2).stderr
    assert "would overwrite the input" in said
    assert store.cat_file("/bucket/night/a.png") == PNG


def test_keys_never_leave_a_folder_of_this_machine(store, tmp_path):
    for key in ("/bucket/night/../evil.png", "/bucket/night/./c.png", "/bucket/night/..//d.png"):
        store.pipe_file(key, PNG)
    said = enlighten("memory://bucket/night/", "-o", "deep/er/out/", code=1).stderr
    assert "memory://bucket/night/../evil.png: its key has the part '..'" in said
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert files == [f"deep/er/out/{name}" for name in NAMES]


def test_keys_with_dots_are_names_like_others_between_stores(store):
    store.pipe_file("/bucket/night/../x.png", PNG)
    enlighten("memory://bucket/night/", "-o", "memory://bucket/bright/")
    assert "../x.png" in below(store, "bucket/bright")


def test_records_and_plans_name_addresses(store):
    words = ("memory://bucket/night/a.png", "-o", "memory://bucket/a.webp", "--json")
    plan = json.loads(enlighten(*words, "--dry-run").stdout)
    assert plan == {
        "type": "plan",
        "source": "memory://bucket/night/a.png",
        "output": "memory://bucket/a.webp",
        "would": "enhance",
    }
    assert not store.exists("/bucket/a.webp")
    photo, summary = map(json.loads, enlighten(*words).stdout.splitlines())
    assert (photo["source"], photo["output"], photo["status"]) == (plan["source"], plan["output"], "done")
    assert summary["done"] == 1
    assert decode(store.cat_file("/bucket/a.webp")).format == "WEBP"
    assert json.loads(enlighten(*words, "--dry-run").stdout)["would"] == "skip"


def test_lists_and_pipelines(store, tmp_path):
    (tmp_path / "list").write_text("memory://bucket/night/a.png\nmemory://bucket/absent.png\n")
    said = enlighten("--files-from", "list", "-o", "memory://bucket/bright/", code=1).stderr
    assert "memory://bucket/absent.png: no such photo" in said
    assert below(store, "bucket/bright") == ["a.png"]
    runner = CliRunner()
    piped = runner.invoke(main, ["-", "-o", "memory://bucket/p.png", "--model", "gamma"], input=PNG)
    assert piped.exit_code == 0, piped.stderr
    assert store.cat_file("/bucket/p.png") == store.cat_file("/bucket/bright/a.png")
    piped = runner.invoke(main, ["memory://bucket/night/a.png", "-o", "-", "--model", "gamma"])
    assert piped.stdout_bytes == store.cat_file("/bucket/p.png")


def test_a_bad_photo_fails_alone_and_other_files_are_counted(store):
    store.pipe_file("/bucket/night/bad.jpg", b"text")
    store.pipe_file("/bucket/night/notes.txt", b"text")
    store.pipe_file("/bucket/night/.hidden.png", PNG)
    said = enlighten("memory://bucket/night/", "-o", "out", code=1).stderr
    assert "memory://bucket/night/bad.jpg: not a photo" in said
    assert "1 other file ignored" in said


def test_a_report_shows_photos_of_stores(store, tmp_path):
    pytest.importorskip("jinja2")
    enlighten("memory://bucket/night/a.png", "-o", "memory://bucket/a.png", "--report", "page.html")
    assert "a.png" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["memory://bucket/absent.png"], 2, "memory://bucket/absent.png: no such photo, folder or bucket"),
        (["memory://bucket/absent/", "-o", "x"], 2, "memory://bucket/absent: no such"),
        (["memory://bucket/night/", "-o", "memory://bucket/x", "--preserve"], 2, "--preserve does not work with URLs"),
        (["watch", "memory://bucket/night/", "-o", "out"], 2, "does not exist"),
        (["preview", "memory://bucket/night/a.png", "-o", "sheet.png"], 2, "give paths, not URLs"),
        (["memory://bucket/night/a.png", "--report", "memory://r.html"], 2, "--report writes a file on this machine"),
        (["memory://bucket/night/a.png", "-o", "https://host/"], 2, "cannot be listed"),
        (["memory://bucket/night/a.png", "-o", "https://host/a.png"], 2, "results cannot be written to the web"),
        (["memory://bucket/night/a.png", "-o", "memory://bucket/x"], 2, "no ending that names a format"),
        (["memory://bucket/night/", "-o", "memory://bucket/x.png"], 2, "names one photo, but a folder was given"),
        (["memory://bucket/night/a.png", "-o", "memory://bucket/x.gif"], 2, ".gif files cannot be written"),
        (["nosuch://bucket/a.png"], 2, "nosuch://: URLs of this kind are not supported; use one of s3"),
        (["s3:/bucket/a.png"], 2, "s3:/bucket/a.png: no such file or folder"),
    ],
)
def test_errors_have_their_codes(store, arguments, code, message):
    said = enlighten(*arguments, code=code).stderr
    assert message in said
    assert len(said.splitlines()) == 1 or "Usage:" in said


def test_an_empty_folder_is_nothing_to_do(store):
    store.pipe_file("/bucket/empty/notes.txt", b"text")
    assert "no photos found" in enlighten("memory://bucket/empty/", "-o", "out", code=5).stderr


@pytest.mark.parametrize(
    ("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("https", "aiohttp")]
)
def test_a_missing_package_is_named(store, monkeypatch, scheme, package):
    import sys

    monkeypatch.setitem(sys.modules, package, None)
    said = enlighten(f"{scheme}://bucket/a.png", "-o", "x.png", code=3).stderr
    assert f"{scheme}:// needs {package}; run: pip install fsspec {package}" in said
    assert len(said.splitlines()) == 1


def test_a_name_that_is_no_unicode_fails_alone(store, tmp_path):
    (tmp_path / "in").mkdir()
    try:
        (tmp_path / "in" / "\udcff.png").write_bytes(PNG)
    except OSError:
        pytest.skip("this file system takes only Unicode")
    (tmp_path / "in" / "good.png").write_bytes(PNG)
    said = enlighten("in", "-o", "memory://bucket/out/", code=1).stderr
    assert "not valid Unicode" in said
    assert below(store, "bucket/out") == ["good.png"]


def test_a_folder_of_results_that_cannot_be_listed_ends_the_batch(store, monkeypatch):
    from enlighten_cli.stores import listed
    from enlighten_cli.stores.faults import Fault, StoreError

    asked = []

    def denied(folder):
        asked.append(str(folder))
        raise StoreError(Fault.DENIED, Fault.DENIED.value)

    monkeypatch.setattr(listed, "whole_folder", denied)
    said = enlighten("memory://bucket/night/a.png", "-o", "memory://bucket/bright/", code=6).stderr
    assert "memory://bucket/bright: cannot be written: permission denied" in said
    assert asked == ["memory://bucket/bright"]
