"""The report in a real browser: Debian's chromium, driven by Playwright; skipped where there is none."""

import base64
import io
import re

import numpy as np
import pytest
from browsers import wait_until
from conftest import scene
from PIL import Image

from enlighten_cli.evaluation.plots import COLOURS, method_colours
from enlighten_cli.evaluation.report import VIEW_PX, Page
from enlighten_cli.evaluation.runner import INPUT
from enlighten_cli.evaluation.tables import Scores, rows_of

EVIL = "<img src=x onerror=alert(1)> & 'quotes'.jpg"


def make(path, count, *, size=(60, 90), methods=2):
    """Method 1 is a little better on every photo, and no method differs by luma or LOE."""
    page, scores = Page("a report & <its> title", methods), []
    before = scene(*size, exposure=0.2)
    values = {"loe": 1.0, "luma": 0.5}
    for set_name in ("night $x$", "dusk"):
        for method in (INPUT, *(f"method {number}" for number in range(methods))):
            for number in range(count):
                name = EVIL if number == 0 else f"{number}.jpg"
                niqe = 4 + number * 5 % 7 / 10 - (0.3 if method == "method 1" else 0)
                after = before if method == INPUT else np.minimum(before.astype(int) * (3 + number % 2), 255)
                scores.append(Scores(set_name, method, name, {"niqe": niqe, **values}))
                page.add(page.picture(scores[-1], before, after.astype(np.uint8)))
    page.write(path, rows_of(scores), ["versions: 1 & 2", "model: <lite>"])
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make(tmp_path_factory.mktemp("report") / "report.html", 8)


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


def test_colours_are_fixed_by_name():
    """Whatever else is compared, in whatever order; they are alike only where there are more methods than colours."""
    assert method_colours([INPUT, "lite"])["lite"] == method_colours(["lite"])["lite"]
    assert method_colours(["b", INPUT, "a"]) == method_colours(["a", "b", INPUT])
    assert method_colours([INPUT])[INPUT] == COLOURS[0]
    for count in (len(COLOURS), 2 * len(COLOURS)):
        colours = method_colours([INPUT, *map(str, range(1, count))])
        assert len(colours) == count
        assert len(set(colours.values())) == min(count, len(COLOURS))
        assert list(colours.values()).count(COLOURS[0]) == 1


def test_a_page_has_the_input_once_and_views_of_one_size(tmp_path):
    """Also where the page is so long that later photos are reduced further: methods are compared pixel by pixel."""
    page, large = Page("many", methods=50), scene(20, 2000)
    for method in ("one", "two"):
        for photo in ("a", "b"):
            page.add(page.picture(Scores("s", method, photo, {}), large, large))
    page.write(tmp_path / "page.html", [], [])
    text = (tmp_path / "page.html").read_text()
    widths = []
    for photo in (0, 1):
        pictures = [re.search(rf'id="picture-{photo}-{method}">(\S+) (\S+)<', text)[2] for method in range(3)]
        widths.append({Image.open(io.BytesIO(base64.b64decode(each))).width for each in pictures})
    assert widths == [{VIEW_PX[0][1]}, {VIEW_PX[1][1]}]
    assert text.count('type="text/plain"') == 6


def test_real_differences_are_told_from_chance(report):
    text = re.sub(r"<[^>]+>", " ", report.read_text())
    assert len(re.findall(r"method 1\s+is better\s+by 0.3 \(0.3 to 0.3\)", text)) == 4  # than two, in two sets
    assert text.count("no real difference") == 2 + 2 * 3  # NIQE of the other two, and LOE of all three pairs


def test_scores_are_explained(report):
    text = report.read_text()
    assert "Compares the photo&#39;s fine structure with that of good photos" in text
    assert "lower is better" in text


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


def open_result(page, method="method 0", photo=0):
    page.locator(".photo").nth(photo).locator(".cell", has_text=method).locator(".open").click()
    wait_until(page, "document.getElementById('before').naturalWidth > 0")


def shown(page):
    """The photo's name, and what stands left and right of the edge."""
    tags = [page.locator(f"#slider .tag.{side}").inner_text() for side in "lr"]
    return (page.locator("#name").inner_text(), *tags)


def names(page):
    return [each.split(" ")[0] for each in page.locator(".photo:visible h3").all_text_contents()]


def drag(page, start, end):
    """Drag over the picture, from and to a part of its width."""
    box = page.locator("#slider").bounding_box()
    page.mouse.move(box["x"] + box["width"] * start, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()


def test_thumbnails_come_when_they_are_seen(opened):
    opened.locator(".photo").first.scroll_into_view_if_needed()
    wait_until(opened, "document.querySelector('[data-lazy]').naturalWidth > 0")
    assert opened.locator("h1").inner_text() == "a report & <its> title"
    assert opened.locator(".photo h3").first.text_content().startswith(EVIL)


def test_a_photo_has_one_row_with_all_methods(opened):
    assert opened.locator(".photo").count() == 16
    assert opened.locator(".photo").first.locator(".method").all_text_contents() == [INPUT, "method 0", "method 1"]
    assert "NIQE" in opened.locator(".photo").first.locator(".cell").first.text_content()


def test_a_method_has_one_colour(opened):
    colours = opened.evaluate("""() => [...document.querySelectorAll('.method')].map(
        (each) => [each.textContent, getComputedStyle(each, '::before').backgroundColor])""")
    assert len({tuple(each) for each in colours}) == len({name for name, _ in colours}) == 3


def test_photos_are_sorted_and_filtered(opened):
    opened.locator("#set").select_option("dusk")
    assert opened.locator("#count").inner_text() == "8 of 16 photos"
    opened.locator("#sort").select_option("name")
    opened.locator("#turn").click()
    assert names(opened)[:-1] == [f"{number}.jpg" for number in range(7, 0, -1)]
    opened.locator("#sort").select_option("score")
    assert names(opened)[0] == "4.jpg"  # 4 * 5 % 7 = 6 is the worst
    opened.locator("#turn").click()
    assert names(opened)[2] == "3.jpg"
    opened.locator("#most").fill("4.1")
    assert names(opened)[2:] == ["3.jpg"]
    opened.locator("#method").select_option("method 1")  # lower by 0.3
    opened.locator("#least").fill("3.75")
    opened.locator("#most").fill("4.05")
    assert names(opened) == ["3.jpg", "6.jpg", "2.jpg"]
    opened.locator("#controls [type=reset]").click()
    wait_until(opened, "document.getElementById('count').textContent === '16 of 16 photos'")
    opened.locator("#find").fill("ONERROR")
    assert opened.locator("#count").inner_text() == "2 of 16 photos"


def test_the_page_keys_follow_what_is_shown(opened):
    opened.locator("#set").select_option("dusk")
    opened.locator("#sort").select_option("score")
    order = names(opened)
    opened.locator(".photo:visible .open").nth(2).click()
    for name in (order[1], order[2]):
        opened.keyboard.press("PageDown")
        assert shown(opened)[0] == name


def test_verdicts_are_narrowed_to_a_method(opened):
    assert opened.locator("#verdicts tr[data-pair]:visible").count() == 6
    opened.locator("#versus").select_option("method 1 against each other method")
    assert opened.locator("#verdicts tr[data-pair]:visible").count() == 4


def test_any_two_are_compared(opened):
    open_result(opened, "method 1")
    assert shown(opened) == (EVIL, INPUT, "method 1")
    opened.locator("#left").select_option("method 0")
    assert shown(opened)[1:] == ("method 0", "method 1")
    assert opened.locator("#foot th").all_inner_texts() == ["method 0", "method 1"]
    assert opened.locator("#foot .best").all_inner_texts() == ["3.700"]
    opened.keyboard.press("Escape")
    open_result(opened, "method 1", photo=1)
    assert shown(opened)[1:] == ("method 0", "method 1")
    opened.locator("#swap").click()
    assert shown(opened)[1:] == ("method 1", "method 0")
    sources = [opened.locator(f"#{side}").get_attribute("src") for side in ("before", "after")]
    opened.locator("#range").focus()
    opened.keyboard.press("x")
    assert [opened.locator(f"#{side}").get_attribute("src") for side in ("after", "before")] == sources


def test_the_slider_follows_the_mouse(opened):
    open_result(opened)
    assert share(opened) == 50
    drag(opened, 0.5, 0.8)
    assert share(opened) == pytest.approx(80, abs=1)
    assert drawn_edge(opened) == pytest.approx(0.8, abs=0.01)


def test_the_slider_follows_a_finger(opened):
    open_result(opened)
    box = opened.locator("#slider").bounding_box()
    opened.touchscreen.tap(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    assert share(opened) == pytest.approx(25, abs=1)


def test_everything_goes_by_keyboard(opened):
    opened.locator(".open").nth(1).focus()
    opened.keyboard.press("Enter")
    assert opened.locator("#view").evaluate("view => view.open")
    for _ in range(10):
        opened.keyboard.press("ArrowRight")
    assert share(opened) == 60
    opened.keyboard.press("Home")
    assert share(opened) == 0
    opened.keyboard.press("PageDown")
    assert shown(opened) == ("1.jpg", INPUT, "method 0")
    assert share(opened) == 50
    opened.keyboard.press("PageUp")
    opened.keyboard.press("PageUp")
    assert shown(opened)[0] == "7.jpg"
    opened.keyboard.press("Escape")
    assert not opened.locator("#view").evaluate("view => view.open")
    assert opened.evaluate("document.activeElement.closest('.photo').dataset.number") == "15"


def test_at_100_percent_a_pixel_is_a_pixel_and_the_picture_moves(browser, tmp_path):
    path = make(tmp_path / "large.html", 1, size=(1000, 1500), methods=1)
    context = browser.new_context(viewport={"width": 700, "height": 600}, device_scale_factor=2)
    page = context.new_page()
    page.goto(path.as_uri())
    open_result(page)
    page.keyboard.press("z")
    drawn = [page.locator(f"#{side}").bounding_box() for side in ("before", "after")]
    assert drawn[0] == drawn[1]
    assert (drawn[0]["width"], drawn[0]["height"]) == (750, 500)
    drag(page, 0.8, 0.7)
    moved = page.locator("#before").bounding_box()
    assert moved["x"] < drawn[0]["x"]
    assert share(page) == 50
    drag(page, 0.5, 0.3)
    assert share(page) == pytest.approx(30, abs=1)
    assert page.locator("#before").bounding_box() == moved
    page.keyboard.press("Shift+ArrowLeft")
    assert page.locator("#before").bounding_box()["x"] > moved["x"]
    page.locator("#zoom").click()
    assert page.locator("#before").bounding_box()["width"] < 750
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(browser, report, scheme):
    context = browser.new_context(viewport={"width": 375, "height": 700}, color_scheme=scheme)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", back))) > 380) == (scheme == "light")
    open_result(page)
    box = page.locator("#slider").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 376
    context.close()


def test_a_table_that_scrolls_says_so(browser, report):
    context = browser.new_context(viewport={"width": 375, "height": 700})
    page = context.new_page()
    page.goto(report.as_uri())
    frame = page.locator(".frame", has=page.locator("#verdicts"))
    wait_until(page, "document.querySelector('.frame.more-right #verdicts') !== null")
    assert frame.locator(".hint").is_visible()
    frame.locator(".scroll").focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    wait_until(page, "document.querySelector('.frame.more-left:not(.more-right) #verdicts') !== null")
    page.set_viewport_size({"width": 1280, "height": 700})
    wait_until(page, "document.querySelector('.frame:not(.more-left, .more-right) #verdicts') !== null")
    assert not frame.locator(".hint").is_visible()
    context.close()


def test_three_hundred_photos_do_not_freeze_it(browser, tmp_path):
    path = make(tmp_path / "many.html", 150, size=(200, 300), methods=1)
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri(), timeout=20_000)
    assert page.locator(".photo").count() == 300
    page.locator(".photo").first.scroll_into_view_if_needed()
    loaded = "[...document.querySelectorAll('[data-lazy]')].filter(image => image.src).length"
    wait_until(page, f"{loaded} > 0")
    assert page.evaluate(loaded) < 120
    page.locator(".open").last.click(timeout=10_000)
    wait_until(page, "document.getElementById('after').naturalWidth === 300")
    context.close()
