import json
import re

import numpy as np
import pytest
from browsers import wait_until
from conftest import scene

from enlighten_cli.evaluation.blind import BlindPage
from enlighten_cli.evaluation.tables import Scores
from enlighten_cli.evaluation.votes import read_votes, tallies

METHODS = ("old", "new")


def make(path, count=4, *, methods=METHODS, size=(300, 420), seed=0):
    """New results are white on the left half, old ones are grey."""
    page = BlindPage(seed)
    for number in range(count):
        before = scene(*size, seed=number)
        for method in methods:
            after = np.full_like(before, 240 if method == "new" else 90)
            page.see(Scores("night", method, f"{number}.jpg", {}), before, after)
    page.write(path)
    return path


@pytest.fixture
def page_file(tmp_path):
    return make(tmp_path / "blind.html")


def test_names_are_not_to_be_read_and_nothing_is_asked_for(page_file):
    text = page_file.read_text()
    assert not re.search(r"\b(old|new|night)\b", re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL))
    assert not re.search(r"""(?:src|href)=["'](?!data:)[a-z]""", text)


def test_order_and_sides_are_drawn(tmp_path):
    def pairs(seed):
        page = BlindPage(seed)
        for number in range(40):
            for method in METHODS:
                page.see(Scores("s", method, str(number), {}), scene(16, 16), scene(16, 16))
        return page.pairs()

    drawn = pairs(0)
    assert drawn == pairs(0)
    assert drawn != pairs(1)
    assert [pair.photo for pair in drawn] != sorted(pair.photo for pair in drawn)
    assert 8 < sum(pair.left == "new" for pair in drawn) < 32
    assert sorted(int(pair.photo) for pair in drawn) == list(range(40))


def test_every_two_of_three_methods_meet(tmp_path):
    page = BlindPage()
    for method in ("a", "b", "c"):
        page.see(Scores("s", method, "photo", {}), scene(16, 16), scene(16, 16))
    assert sorted("".join(sorted((pair.left, pair.right))) for pair in page.pairs()) == ["ab", "ac", "bc"]


@pytest.fixture
def opened(browser, page_file):
    context = browser.new_context(viewport={"width": 1000, "height": 700}, accept_downloads=True)
    page = context.new_page()
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    yield page
    assert complaints == []
    assert {url for url in requests if not url.startswith(("data:", "blob:"))} == {page_file.as_uri()}
    context.close()


def level(page, side):
    """How bright the picture of a side is."""
    wait_until(page, f"document.getElementById('{side}').complete")
    return page.evaluate(
        f"""(() => {{ const image = document.getElementById('{side}'), canvas = document.createElement('canvas');
        canvas.width = canvas.height = 1; const context = canvas.getContext('2d'); context.drawImage(image, 0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data[0]; }})()"""
    )


def saved(page, folder):
    with page.expect_download() as download:
        page.keyboard.press("s")
    download.value.save_as(folder / "votes.json")
    return folder / "votes.json"


def test_votes_by_keyboard_find_the_method_that_was_meant(opened, tmp_path):
    """Who always chooses the brighter side has chosen the method that made it."""
    for _ in range(4):
        opened.keyboard.press("ArrowLeft" if level(opened, "left") > level(opened, "right") else "ArrowRight")
    assert "All 4 pairs done" in opened.locator("#where").inner_text()
    (tally,) = tallies(read_votes([saved(opened, tmp_path)]))
    assert (tally.first, tally.wins, tally.losses, tally.ties) == ("new", 4, 0, 0)


def test_buttons_undo_and_ties(opened, tmp_path):
    opened.locator("#vote-same").click()
    opened.locator("#vote-left").click()
    opened.keyboard.press("u")
    assert "Pair 2 of 4" in opened.locator("#where").inner_text()
    opened.locator("#vote-same").click()
    votes = json.loads(saved(opened, tmp_path).read_text())["votes"]
    assert [vote["vote"] for vote in votes] == ["same", "same"]


def test_votes_survive_a_reload(opened):
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("ArrowLeft")
    opened.reload()
    assert "Pair 3 of 4" in opened.locator("#where").inner_text()
    assert opened.locator("#progress").evaluate("progress => progress.value") == 2


def test_at_full_size_both_sides_are_panned_together(browser, tmp_path):
    path = make(tmp_path / "large.html", 1, size=(1200, 1600))
    page = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
    page.goto(path.as_uri())

    def boxes():
        return [page.locator(f"#{side}").bounding_box() for side in ("left", "right")]

    wait_until(page, "document.getElementById('left').complete")
    assert all(box["width"] <= 500 for box in boxes())
    page.keyboard.press("z")
    assert all(round(box["width"]) == 1600 for box in boxes())
    before = boxes()
    page.mouse.move(200, 300)
    page.mouse.down()
    page.mouse.move(140, 260, steps=4)
    page.mouse.up()
    for one, other in zip(before, boxes(), strict=True):
        assert (other["x"] - one["x"], other["y"] - one["y"]) == pytest.approx((-60, -40), abs=1)
    page.keyboard.press("z")
    assert all(box["width"] <= 500 for box in boxes())


def test_the_original_is_shown_on_both_sides_while_it_is_wanted(opened):
    levels = [level(opened, side) for side in ("left", "right")]
    opened.keyboard.press("o")
    assert level(opened, "left") == level(opened, "right") != levels[0]
    opened.keyboard.press("o")
    assert [level(opened, side) for side in ("left", "right")] == levels


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, page_file):
    page = browser.new_context(viewport={"width": 375, "height": 700}).new_page()
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    for button in ("#vote-left", "#vote-same", "#vote-right", "#save", "#undo"):
        box = page.locator(button).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
        assert box["y"] + box["height"] <= 700
