"""The report in a real browser: Debian's chromium, driven by Playwright; skipped where there is none."""

import re

import numpy as np
import pytest
from browsers import wait_until
from conftest import scene

from enlighten_cli.evaluation.report import Page
from enlighten_cli.evaluation.tables import Scores, rows_of
from enlighten_cli.metrics import measured

EVIL = "<img src=x onerror=alert(1)> & 'quotes'.jpg"


def make(path, count, *, size=(60, 90)):
    page, scores = Page("a report & <its> title"), []
    before = scene(*size, exposure=0.2)
    after = np.minimum(before.astype(int) * 3, 255).astype(np.uint8)
    values = measured(after, before=before)
    for number in range(count):
        name = EVIL if number == 0 else f"{number}.jpg"
        values = {**values, "niqe": 4.0 + number % 7 / 10, "seconds": 0.1}
        scores.append(Scores("night $x$", f"method {number % 2}", name, values))
        page.add(page.picture(scores[-1], before, after))
    page.write(path, rows_of(scores), ["versions: 1 & 2", "model: <lite>"])
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make(tmp_path_factory.mktemp("report") / "report.html", 6)


def test_the_page_is_one_file_that_asks_for_nothing(report):
    text = report.read_text()
    assert not re.search(r"""(?:src|href)=["'](?!data:)[a-z]""", text)
    assert "<script src" not in text
    assert "@import" not in text
    assert "url(http" not in text


def test_names_are_escaped(report):
    text = report.read_text()
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &#39;quotes&#39;.jpg" in text
    assert "model: &lt;lite&gt;" in text


def test_an_empty_report_is_a_page_too(tmp_path):
    Page("nothing").write(tmp_path / "empty.html", [], [])
    assert "Summary" in (tmp_path / "empty.html").read_text()


@pytest.fixture
def opened(browser, report):
    """A page that was watched from before it opened: complaints, and requests that leave it."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, has_touch=True)
    page = context.new_page()
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())
    yield page
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [report.as_uri()]
    context.close()


def share(page):
    """How much of the photo is shown as it was, in percent, as it is drawn."""
    return float(page.locator("#slider").evaluate("slider => slider.style.getPropertyValue('--at')").rstrip("%"))


def drawn_edge(page):
    """Where the line between before and after stands on the picture, from 0 to 1."""
    slider, edge = page.locator("#slider").bounding_box(), page.locator("#slider .edge").bounding_box()
    return (edge["x"] + edge["width"] / 2 - slider["x"]) / slider["width"]


def open_first(page):
    page.locator(".open").first.click()
    wait_until(page, "document.getElementById('before').naturalWidth > 0")


def test_thumbnails_come_when_they_are_seen(opened):
    wait_until(opened, "document.querySelector('[data-lazy]').naturalWidth > 0")
    assert opened.locator("h1").inner_text() == "a report & <its> title"
    assert opened.locator(".photo b").first.inner_text() == EVIL


def test_the_slider_follows_the_mouse(opened):
    open_first(opened)
    assert share(opened) == 50
    box = opened.locator("#slider").bounding_box()
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=5)
    opened.mouse.up()
    assert share(opened) == pytest.approx(80, abs=3)
    assert drawn_edge(opened) == pytest.approx(0.8, abs=0.03)


def test_the_slider_follows_a_finger(opened):
    open_first(opened)
    box = opened.locator("#slider").bounding_box()
    opened.touchscreen.tap(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    assert share(opened) == pytest.approx(25, abs=3)


def test_everything_goes_by_keyboard(opened):
    opened.locator(".open").first.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("#view").evaluate("view => view.open")
    for _ in range(10):
        opened.keyboard.press("ArrowRight")
    assert share(opened) == 60
    opened.keyboard.press("Home")
    assert share(opened) == 0
    opened.keyboard.press("PageDown")
    assert opened.locator("#name").inner_text() == "1.jpg · method 1"
    assert share(opened) == 50
    opened.keyboard.press("PageUp")
    opened.keyboard.press("PageUp")
    assert opened.locator("#name").inner_text() == "5.jpg · method 1"
    opened.keyboard.press("Escape")
    assert not opened.locator("#view").evaluate("view => view.open")
    assert opened.evaluate("document.activeElement.dataset.number") == "5"


def test_scores_stand_by_the_photo(opened):
    open_first(opened)
    assert "niqe" in opened.locator("#foot").inner_text()
    opened.locator("#next").click()
    assert opened.locator("#name").inner_text() == "1.jpg · method 1"
    opened.locator("#close").click()
    assert not opened.locator("#view").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(browser, report, scheme):
    context = browser.new_context(viewport={"width": 375, "height": 700}, color_scheme=scheme)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", back))) > 380) == (scheme == "light")
    page.locator(".open").first.click()
    box = page.locator("#slider").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 376
    context.close()


def test_three_hundred_photos_do_not_freeze_it(browser, tmp_path):
    path = make(tmp_path / "many.html", 300, size=(200, 300))
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri(), timeout=20_000)
    assert page.locator(".open").count() == 300
    loaded = "[...document.querySelectorAll('[data-lazy]')].filter(image => image.src).length"
    wait_until(page, f"{loaded} > 0")
    assert page.evaluate(loaded) < 60
    page.locator(".open").last.click(timeout=10_000)
    wait_until(page, "document.getElementById('after').naturalWidth === 300")
    context.close()
