import http.client
import io
import json
import threading
import time
import zipfile

import pytest
from click.testing import CliRunner
from clients import leftovers, picture, serving
from conftest import scene, write_photos

from enlighten_cli.cli import main
from enlighten_cli.errors import NothingToDoError, UsageError


@pytest.fixture
def night(tmp_path):
    """A folder of two photos, one below, and a broken one."""
    write_photos(tmp_path / "night", 2, exposure=0.2)
    write_photos(tmp_path / "night" / "more", 1, exposure=0.2)
    (tmp_path / "night" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return tmp_path / "night"


@pytest.fixture
def by_command(night, model_file, tmp_path):
    """What the command makes of the folder, by its place in it."""
    CliRunner().invoke(main, [str(night), "-o", f"{tmp_path}/by-command", "--model", str(model_file)])
    made = tmp_path / "by-command"
    return {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*.*") if path.is_file()}


def files_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ids(visit):
    return [entry["id"] for entry in visit.facts["photos"]]


def test_a_folder_is_written_as_by_the_command(night, by_command, model_file, tmp_path):
    before = files_below(night)
    with serving(tmp_path / "s", model=str(model_file), inputs=(night,), output=tmp_path / "out") as client:
        visit = client.visit()
        assert [entry["name"] for entry in visit.facts["photos"]] == ["0.png", "1.png", "broken.jpg", "more/0.png"]
        outcomes = visit.outcomes(ids(visit), "folder")
        assert [event["status"] for event in outcomes] == ["done", "done", "failed", "done"]
        assert [event["photo"] for event in outcomes] == ids(visit)
        assert outcomes[2]["reason"]
        assert files_below(tmp_path / "out") == by_command
        assert len(by_command) == 3
        again = visit.outcomes(ids(visit), "folder", conflict="skip")
        assert [event["status"] for event in again] == ["skipped", "skipped", "failed", "skipped"]
    assert files_below(night) == before


def test_the_same_settings_for_all_or_for_one(night, model_file, tmp_path):
    with serving(tmp_path / "s", model=str(model_file), inputs=(night,), output=tmp_path / "out") as client:
        visit = client.visit()
        first, second, _, third = ids(visit)
        wish = {
            "to": "folder",
            "photos": [
                {"id": first, "strength": 0.5}, {"id": second, "strength": 0},
                {"id": third, "strength": 0.5, "mode": "fast"},
            ],
        }  # fmt: skip
        assert client.post_json(f"{visit.path}/saves", wish).body.count(b'"done"') >= 3
        half = client.enhance((night / "0.png").read_bytes(), strength=0.5).body
        none = client.enhance((night / "1.png").read_bytes(), strength=0).body
        fast = client.enhance((night / "more" / "0.png").read_bytes(), strength=0.5, mode="fast").body
    assert files_below(tmp_path / "out") == {"0.png": half, "1.png": none, "more/0.png": fast}


def test_existing_results_are_kept_numbered_or_replaced(night, model_file, tmp_path):
    out = tmp_path / "out"
    with serving(tmp_path / "s", model=str(model_file), inputs=(night,), output=out) as client:
        visit = client.visit()
        first = ids(visit)[0]
        out.mkdir()
        (out / "0.png").write_bytes(b"mine")
        assert visit.outcomes([first], "folder")[0]["status"] == "skipped"
        assert (out / "0.png").read_bytes() == b"mine"
        numbered = visit.outcomes([first], "folder", conflict="rename")[0]
        assert (numbered["status"], numbered["name"]) == ("done", "0-1.png")
        assert (out / "0.png").read_bytes() == b"mine"
        visit.outcomes([first], "folder", conflict="overwrite")
        assert files_below(out) == dict.fromkeys(["0.png", "0-1.png"], (out / "0-1.png").read_bytes())


def test_what_was_dropped_replaces_only_what_this_server_wrote(night, photo, model_file, tmp_path):
    """The results' folder may be where the dropped photo came from."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes(photo)
    with serving(tmp_path / "s", model=str(model_file), output=out) as client:
        visit = client.visit()
        id = visit.upload("a.png", photo)["id"]
        event = visit.outcomes([id], "folder", conflict="overwrite")[0]
        assert (event["status"], event["name"]) == ("done", "a-1.png")
        assert (out / "a.png").read_bytes() == photo
        other = visit.upload("b.png", photo)["id"]
        for _ in range(2):
            assert visit.outcomes([other], "folder", conflict="overwrite")[0]["name"] == "b.png"
    assert sorted(files_below(out)) == ["a-1.png", "a.png", "b.png"]


def test_what_was_dropped_never_falls_on_an_input(night, photo, model_file, tmp_path):
    before = files_below(night)
    inputs = (night / "more", night / "1.png")
    with serving(tmp_path / "s", model=str(model_file), inputs=inputs, output=night / "new") as client:
        visit = client.visit()
        for name in ("0.png", "../0.png", "../more/0.png", "/etc/0.png"):
            id = visit.upload(name, photo)["id"]
            visit.outcomes([id], "folder", conflict="overwrite")
    after = files_below(night)
    assert {name: content for name, content in after.items() if not name.startswith("new/")} == before
    assert len(after) == len(before) + 4


def test_without_a_folder_nothing_is_written(client, photo):
    visit = client.visit()
    id = visit.upload("a.png", photo)["id"]
    answer = client.post_json(f"{visit.path}/saves", {"to": "folder", "photos": [{"id": id}]})
    assert (answer.status, answer.code) == (422, "cannot_be_done")


def test_one_file_is_downloaded_once(client, photo):
    visit = client.visit()
    shown = visit.upload("süß <b>.png", photo)
    assert shown["name"] == "süß _b_.png"
    (event,) = visit.outcomes([shown["id"]], "file")
    answer = client.get(event["href"])
    assert answer.body == client.enhance(photo).body
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''s%C3%BC%C3%9F%20_b_.png"
    assert client.get(event["href"]).status == 404


def fetched(client, visit, wish):
    """Ask for an archive, and fetch it while its news are read."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request("POST", f"{visit.path}/saves", json.dumps(wish), {"Content-Type": "application/json"})
    news = connection.getresponse()
    href = json.loads(news.readline())["href"]
    content = client.get(href).body
    events = [json.loads(line) for line in news.read().splitlines()]
    connection.close()
    assert client.get(href).status == 404
    return content, [event for event in events if "status" in event]


def test_an_archive_is_what_the_command_makes(night, by_command, model_file, tmp_path):
    with serving(tmp_path / "s", model=str(model_file), inputs=(night,)) as client:
        visit = client.visit()
        photos = [*ids(visit), visit.upload("0.png", (night / "0.png").read_bytes())["id"]]
        content, events = fetched(client, visit, {"to": "archive", "photos": [{"id": each} for each in photos]})
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            made = {name: archive.read(name) for name in archive.namelist()}
        assert made.pop("0-1.png") == by_command["0.png"]
        assert made == by_command
        assert [event["status"] for event in events] == ["done", "done", "failed", "done", "done"]
        assert len(leftovers(client)) == 1  # what was uploaded


def test_who_turns_away_stops_the_work(night, model_file, tmp_path):
    """The page's connection ends: photos that were not begun are not made."""
    write_photos(night, 30, exposure=0.2)
    with serving(tmp_path / "s", model=str(model_file), inputs=(night,), output=tmp_path / "out") as client:
        network = client.shared.networks._opened["mine"]
        began, go = threading.Event(), threading.Event()

        class Slow:
            def __getattr__(self, name):
                return getattr(network, name)

            def __call__(self, rgb):
                began.set()
                assert go.wait(30)
                return network(rgb)

        client.shared.networks._opened["mine"] = Slow()
        visit = client.visit()
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=30)
        wish = {"to": "folder", "photos": [{"id": each} for each in ids(visit)]}
        connection.request("POST", f"{visit.path}/saves", json.dumps(wish), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert began.wait(30)
        response.close()
        connection.close()
        time.sleep(0.3)
        go.set()
        while client.shared.saves.borrowed_tokens:
            time.sleep(0.02)
        assert len(files_below(tmp_path / "out")) < 6
        client.shared.networks._opened["mine"] = network
        visit.outcomes(ids(visit)[:1], "folder")  # and it can be done anew


def test_closing_the_page_removes_what_it_uploaded(client, photo):
    before, visit = set(leftovers(client)), client.visit()
    id = visit.upload("a.png", photo)["id"]
    assert visit.view(id).status == 200
    visit.save([id], "file")
    assert len(set(leftovers(client)) - before) == 2
    assert client.ask("POST", f"{visit.path}/close", b"").status == 200
    assert set(leftovers(client)) == before
    assert visit.view(id).status == 404
    assert client.ask("POST", f"{visit.path}/alive").code == "not_found"


def test_a_page_that_gives_no_sign_of_life_is_forgotten(client, photo, monkeypatch):
    visit = client.visit()
    visit.upload("a.png", photo)
    monkeypatch.setattr("enlighten_cli.serve.gallery.FORGOTTEN_SECONDS", -1)
    client.visit()
    assert leftovers(client) == []


def test_pages_do_not_see_what_others_uploaded(client, photo):
    one, other = client.visit(), client.visit()
    id = one.upload("a.png", photo)["id"]
    assert other.view(id).status == 404
    assert client.ask("DELETE", f"{other.path}/photos/{id}").status == 200
    assert one.view(id).status == 200
    answer = client.post_json(f"{other.path}/saves", {"to": "file", "photos": [{"id": id}]})
    assert answer.status == 404


@pytest.mark.parametrize(
    "wish",
    [{}, {"photos": []}, {"photos": "x"}, {"photos": [1]}, {"photos": [{}]}, {"photos": [{"id": "x"}]}, {"to": "/etc"},
     {"photos": [{"id": None, "strength": "much"}]}, []],
)  # fmt: skip
def test_bad_wishes(client, wish):
    visit = client.visit()
    answer = client.post_json(f"{visit.path}/saves", wish)
    assert answer.status in (404, 422)
    assert answer.code
    assert client.ask("POST", f"{visit.path}/saves", b"{}", {"Content-Type": "text/plain"}).status == 422


def test_views(client, photo):
    visit = client.visit()
    id = visit.upload("a.png", photo)["id"]
    facts = client.get(f"{visit.path}/photos/{id}").json
    assert (facts["width"], facts["height"], facts["format"]) == (64, 48, "PNG")
    for words in ({}, {"side": "before"}, {"left": 60, "top": 40, "width": 900, "height": 900}, {"left": 1 << 20}):
        answer = visit.view(id, **words)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    for words in ({"side": "x"}, {"pixels": 10**9}, {"left": -1}, {"strength": 9}, {"model": "/etc/passwd"}):
        assert visit.view(id, **words).status == 422
    broken = visit.upload("b.jpg", b"\xff\xd8\xff\xe0")["id"]
    assert client.get(f"{visit.path}/photos/{broken}").json["trouble"]
    assert visit.view(broken).status == 422


def test_previews_are_dropped_where_they_take_too_much(model_file, tmp_path):
    with serving(tmp_path, model=str(model_file)) as client:
        client.shared.previews._most_bytes = 1_000_000
        visit = client.visit()
        shown = [visit.upload("a.png", picture(scene(120, 160, seed=seed)))["id"] for seed in range(3)]
        for id in (*shown, shown[0]):
            assert visit.view(id).status == 200
        assert list(client.shared.previews._places) == [shown[0]]
        assert client.shared.previews._places[shown[0]].preview.size_bytes > 1_000_000  # one stays, whatever its size


def test_what_cannot_be_served(night, model_file, tmp_path):
    (tmp_path / "none").mkdir()
    for settings, error in (
        ({"inputs": (tmp_path / "none",)}, NothingToDoError),
        ({"inputs": (night,), "output": night}, UsageError),
    ):
        with pytest.raises(error), serving(tmp_path / "s", model=str(model_file), **settings):
            pass
