"""The page, in a real browser."""

import base64
import io
import time
import zipfile

import pytest
from browsers import wait_until
from click.testing import CliRunner
from clients import leftovers, picture, serving
from conftest import scene, write_photos

from enlighten_cli.cli import main

NAMES = ("a.jpg", "b.jpg", "broken.jpg")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for seed, name in enumerate(NAMES):
        content = picture(scene(240, 320, seed=seed), "JPEG", quality=90)
        (folder / name).write_bytes(content[:600] if name == "broken.jpg" else content)
    return folder


@pytest.fixture(scope="module")
def by_command(photos, model_file, tmp_path_factory):
    """What the command makes of the photos at strength 0.6."""
    out = tmp_path_factory.mktemp("out")
    CliRunner().invoke(main, [str(photos), "-o", f"{out}/", "--model", str(model_file), "--strength", "0.6"])
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def opened(browser, client, request):
    """An empty page; afterwards nothing was complained of, and nobody else asked."""
    size = getattr(request, "param", (1280, 800))
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = f"http://127.0.0.1:{client.port}/"
    page.goto(address)
    yield page
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((address, f"blob:{address}"))] == []


def drop(page, *paths):
    """Drop files on the page, as a person does."""
    page.evaluate(
        """(files) => { const transfer = new DataTransfer();
        for (const [name, content] of files) {
          const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type: "image/jpeg" })); }
        for (const kind of ["dragover", "drop"])
          document.body.dispatchEvent(
            new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true })); }""",
        [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths],
    )


def wait_for_photo(page):
    wait_until(
        page, "Boolean(document.querySelector('#pane-after .base').src) && document.getElementById('busy').hidden", 60
    )
    wait_until(
        page, "document.querySelector('#pane-after .base').src !== document.querySelector('#pane-before .base').src", 60
    )


def light(page, side):
    """How bright a side of the stage is, 0 to 255."""
    return page.evaluate(
        f"""(() => {{ const image = document.querySelector('#pane-{side} .base');
        const canvas = document.createElement('canvas'), context = canvas.getContext('2d');
        canvas.width = canvas.height = 1; context.drawImage(image, 0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, each) => sum + each) / 3; }})()"""
    )


def set_strength(page, value):
    page.locator("#strength").fill(str(value))


def test_drop_slide_choose_and_save_all(opened, photos, by_command):
    assert "Drop dark photos here" in opened.locator("#empty").inner_text()
    drop(opened, *(photos / name for name in NAMES))
    wait_until(opened, "document.querySelectorAll('.thumb').length === 3")
    wait_for_photo(opened)
    assert light(opened, "after") > light(opened, "before") + 10

    box = opened.locator("#stage").bounding_box()
    middle = box["y"] + box["height"] / 2
    opened.mouse.move(box["x"] + box["width"] / 2, middle)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 2 - 100, middle, steps=3)
    opened.mouse.up()
    assert int(opened.locator("#divide").input_value()) < 50

    bright = light(opened, "after")
    set_strength(opened, 0.6)
    wait_until(opened, "document.getElementById('strength-text').textContent === '0.60'")
    wait_until(opened, "document.querySelector('#busy').hidden")
    for _ in range(100):
        if light(opened, "after") < bright - 2:
            break
        opened.wait_for_timeout(50)
    assert light(opened, "before") < light(opened, "after") < bright

    # The trouble of the broken one stands beside it, and nowhere else.
    wait_until(opened, "document.querySelectorAll('.thumb[data-state=failed]').length === 1")
    assert opened.locator("#trouble").is_hidden()
    opened.locator(".thumb[data-state=failed]").click()
    assert "broken.jpg" in opened.locator("#trouble").inner_text()
    assert opened.locator("#download-one").is_disabled()

    with opened.expect_download() as download:
        opened.locator("#download-all").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == by_command
    wait_until(opened, "document.getElementById('saved').textContent.includes('2 photos saved')")
    assert opened.locator(".thumb[data-state=saved]").count() == 2


def test_what_is_dropped_before_the_server_answers_is_not_lost(browser, client, photos):
    held = []
    page = browser.new_context().new_page()
    page.route("**/visits", lambda route: held.append(route))
    page.goto(f"http://127.0.0.1:{client.port}/")
    drop(page, photos / "a.jpg")
    wait_until(page, "!document.getElementById('drop').classList.contains('over')")
    assert page.locator(".thumb").count() == 0
    held[0].continue_()
    wait_for_photo(page)
    page.context.close()


def test_by_keyboard_alone(opened, photos, by_command, client):
    opened.locator("#files").set_input_files([photos / "a.jpg", photos / "b.jpg"])  # what the dialog would do
    wait_for_photo(opened)
    for _ in range(40):  # to the strength, from wherever the focus is
        if opened.evaluate("document.activeElement.id") == "strength":
            break
        opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.id") == "strength"
    opened.keyboard.press("Home")
    for _ in range(12):
        opened.keyboard.press("]")
    assert opened.locator("#strength-text").inner_text() == "0.60"
    opened.keyboard.press("Shift+Tab")
    opened.keyboard.press("PageDown")
    wait_until(opened, "document.getElementById('name').textContent === 'b.jpg'")
    wait_for_photo(opened)
    opened.keyboard.press("s")
    assert opened.locator("#as-pair").get_attribute("aria-pressed") == "true"
    opened.keyboard.press("s")
    opened.locator("#stage").focus()
    for _ in range(5):
        opened.keyboard.press("ArrowRight")
    assert opened.locator("#divide").input_value() == "60"
    opened.keyboard.down("b")
    assert "as-it-was" in opened.locator("#stage").get_attribute("class")
    opened.keyboard.up("b")
    with opened.expect_download() as download:
        opened.keyboard.press("d")
    assert download.value.suggested_filename == "b.jpg"
    assert download.value.path().read_bytes() == by_command["b.jpg"]
    wait_until(opened, "!document.getElementById('remove').disabled")  # a download begins before its save has ended
    opened.keyboard.press("Delete")
    wait_until(opened, "document.querySelectorAll('.thumb').length === 1")
    opened.keyboard.press("?")
    assert opened.locator("#keys").is_visible()
    opened.keyboard.press("Escape")
    assert opened.locator("#keys").is_hidden()


def test_no_photo_is_removed_while_results_are_saved(opened, photos):
    drop(opened, photos / "a.jpg")
    wait_for_photo(opened)
    held = []
    opened.route("**/saves", lambda route: held.append(route))
    opened.keyboard.press("d")
    wait_until(opened, "document.getElementById('remove').disabled")
    opened.keyboard.press("Delete")
    assert opened.locator(".thumb").count() == 1
    with opened.expect_download():
        held[0].continue_()
    wait_until(opened, "!document.getElementById('remove').disabled")
    opened.keyboard.press("Delete")
    wait_until(opened, "document.querySelectorAll('.thumb').length === 0")


def test_every_control_has_a_name(opened, photos):
    drop(opened, photos / "a.jpg")
    wait_for_photo(opened)
    nameless = opened.evaluate(
        """[...document.querySelectorAll('button, input:not([type=file]), select, [role=group], ul')].filter((each) =>
        !(each.getAttribute('aria-label') || each.getAttribute('aria-labelledby') || each.textContent.trim()
          || each.labels?.length))
        .map((each) => each.id)"""
    )
    assert nameless == []


def test_at_a_hundred_percent_what_is_in_sight_is_fetched(opened, photos, tmp_path):
    large = tmp_path / "large.jpg"
    large.write_bytes(picture(scene(1400, 2000), "JPEG", quality=85))
    drop(opened, large)
    wait_for_photo(opened)
    assert not opened.locator("#pane-after .detail").get_attribute("src")
    opened.keyboard.press("z")
    wait_until(opened, "Boolean(document.querySelector('#pane-after .detail').src)", 60)
    assert round(opened.locator("#pane-after .photo").bounding_box()["width"]) == 2000
    part = opened.locator("#pane-after .detail").bounding_box()
    stage = opened.locator("#stage").bounding_box()
    assert part["x"] <= stage["x"]
    assert part["x"] + part["width"] >= stage["x"] + stage["width"]
    assert part["width"] < stage["width"] + 4
    before = opened.locator("#pane-after .photo").bounding_box()["x"]
    opened.mouse.move(stage["x"] + 150, stage["y"] + 200)
    opened.mouse.down()
    opened.mouse.move(stage["x"] + 90, stage["y"] + 200, steps=3)
    opened.mouse.up()
    assert opened.locator("#pane-after .photo").bounding_box()["x"] == pytest.approx(before - 60, abs=1)
    opened.locator("#fit").click()
    assert opened.locator("#pane-after .photo").bounding_box()["width"] <= stage["width"]


@pytest.mark.parametrize("opened", [(390, 844)], indirect=True)
def test_on_a_phone(opened, photos):
    drop(opened, photos / "a.jpg")
    wait_for_photo(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    strength, stage = opened.locator("#strength").bounding_box(), opened.locator("#stage").bounding_box()
    assert stage["y"] + stage["height"] < strength["y"] + strength["height"] <= 844  # both in sight together
    small = opened.evaluate(
        """[...document.querySelectorAll('button:not(.link), select, input[type=range]:not(#divide)')]
        .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 43).map((each) => each.id)"""
    )
    assert small == []


def test_settings_for_one_photo_alone(opened, photos):
    drop(opened, photos / "a.jpg", photos / "b.jpg")
    wait_for_photo(opened)
    opened.locator("#for-one").click()
    set_strength(opened, 0.2)
    opened.locator(".thumb").nth(1).click()
    assert opened.locator("#strength-text").inner_text() == "1.00"
    set_strength(opened, 1.3)
    opened.locator(".thumb").nth(0).click()
    assert opened.locator("#strength-text").inner_text() == "0.20"
    opened.locator("#for-all").click()
    assert opened.locator("#strength-text").inner_text() == "1.30"


def test_names_are_text(opened, photos, tmp_path):
    hostile = tmp_path / "<img src=x onerror=alert(1)>&amp;.jpg"
    hostile.write_bytes((photos / "broken.jpg").read_bytes())
    drop(opened, hostile)
    wait_until(opened, "document.querySelectorAll('.thumb[data-state=failed]').length === 1")
    assert "img src=x onerror=alert(1)" in opened.locator("#trouble").inner_text()
    assert opened.locator("#trouble img").count() == 0


def test_closing_the_tab_removes_what_was_dropped(browser, client, photos):
    before = set(leftovers(client))
    page = browser.new_context().new_page()
    page.goto(f"http://127.0.0.1:{client.port}/")
    drop(page, photos / "a.jpg")
    wait_for_photo(page)
    dropped = set(leftovers(client)) - before  # pages of other tests may still be closing
    assert len(dropped) == 1
    page.close(run_before_unload=True)
    for _ in range(200):
        if not dropped & set(leftovers(client)):
            break
        time.sleep(0.05)
    assert not dropped & set(leftovers(client))


def test_a_folder_given_at_the_start(browser, model_file, tmp_path):
    night = write_photos(tmp_path / "night", 2, exposure=0.2)
    CliRunner().invoke(main, [str(night), "-o", f"{tmp_path}/by-command", "--model", str(model_file)])
    with serving(
        tmp_path / "s", model=str(model_file), inputs=(night,), output=tmp_path / "out", token="let-me-in"
    ) as client:
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{client.port}/?token=let-me-in")
        assert "let-me-in" not in page.url
        wait_until(page, "document.querySelectorAll('.thumb').length === 2")
        wait_for_photo(page)
        page.locator("#write-all").click()
        wait_until(page, "document.getElementById('saved').textContent.includes('2 photos written')", 60)
        page.locator("#write-all").click()
        wait_until(page, "document.getElementById('saved').textContent.includes('2 skipped')", 60)
        page.context.close()
    for name in ("0.png", "1.png"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "by-command" / name).read_bytes()
