"""The page of a server in a real browser: each tab used as a person would, with mouse, touch and keyboard."""

import base64
import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from data.pictures.imresize import imresize, whole_levels
from tasks.mnist.maps import GAP

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it is of the extra dev")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("chromium is not installed; apt-get install chromium", allow_module_level=True)

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[3]
PAGE = ROOT / "tasks" / "serving" / "page"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
TABS = ("mnist", "upscale", "sentiment", "caption", "translate")
PHONE = {"viewport": {"width": 380, "height": 800}, "has_touch": True, "is_mobile": True}
THREE = [(80, 80), (140, 50), (200, 80), (200, 110), (140, 140), (200, 160), (210, 200), (150, 235), (80, 210)]
TILE = 44  # pixels of a map that is shown
PIXELS = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
MOST_WEIGHT, MOST_PAINT = 150_000, 1_000  # bytes, milliseconds


@pytest.fixture(scope="module")
def address():
    """Start a server of all tasks, and return its address."""
    command = [sys.executable, "cli.py", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            pytest.fail("the server ended without its address")
        yield found[0]
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(30)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def shown(browser, address, tab, **how):
    """Open a tab; at the end there must be no error in the console, and no request to another host."""
    context = browser.new_context(**how)
    context.set_default_timeout(30_000)
    page, said, hosts = context.new_page(), [], set()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda one: hosts.add(urlsplit(one.url).netloc))
    page.goto(f"{address}/#{tab}")
    panel = page.locator(f"#panel-{tab}")
    panel.locator(".panel").wait_for()
    yield page, panel
    context.close()
    assert not said
    assert hosts - {""} == {urlsplit(address).netloc}  # pictures of the page itself have no host


def answered(panel):
    panel.locator(".facts", has_text="in all").wait_for()


def draw(page, points=THREE):
    box = page.locator(".paper canvas").bounding_box()
    places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def use(page, panel, tab):
    """Get an answer of a tab, as a person would."""
    if tab == "mnist":
        draw(page)
    elif tab in ("upscale", "caption"):
        panel.get_by_role("button", name="Sample: a cat").click()
    answered(panel)


def test_a_drawn_digit_is_read_while_it_is_drawn(browser, address):
    with shown(browser, address, "mnist") as (page, panel):
        draw(page)
        playwright.expect(panel.locator(".answer b")).to_have_text("3")
        assert panel.locator(".bars tr").count() == 10
        layers = panel.locator(".layers figure")
        assert re.fullmatch(r"convolution 1: \d+ maps of \d+\u00d7\d+", layers.first.inner_text())
        assert layers.count() >= 5
        playwright.expect(panel.locator("img")).to_be_visible()
        panel.get_by_role("button", name="Clear").click()
        playwright.expect(panel.locator(".status")).to_have_text("Nothing is drawn.")


def test_an_answer_that_comes_after_the_sheet_was_cleared_is_not_shown(browser, address):
    with shown(browser, address, "mnist") as (page, panel):
        held = []

        def hold(route):
            held.append(route)

        page.route("**/v1/mnist*", hold)
        panel.locator(".paper canvas").click()
        page.wait_for_function("() => document.querySelector('#panel-mnist .panel[aria-busy]')")
        panel.get_by_role("button", name="Clear").click()
        with page.expect_response("**/v1/mnist*"):
            held[0].continue_()
        page.wait_for_function("() => !document.querySelector('#panel-mnist .panel[aria-busy]')")
        playwright.expect(panel.locator(".status")).to_have_text("Nothing is drawn.")
        assert panel.locator(".bars tr").count() == 0


def test_each_map_is_shown_whole(browser, address):
    digit = ROOT / "tasks" / "mnist" / "example.png"
    request = Request(f"{address}/v1/mnist?layers=true", digit.read_bytes(), {"Content-Type": "image/png"})
    with urlopen(request) as response:
        layer = json.load(response)["answers"][0]["layers"][-1]
    with shown(browser, address, "mnist") as (page, panel):
        panel.locator("input[type=file]").set_input_files(digit)
        answered(panel)
        page.wait_for_load_state("networkidle")
        with Image.open(BytesIO(base64.b64decode(layer["image"]))) as image:
            sheet = np.asarray(image.convert("L")).astype(int)
        canvas = panel.locator(".layers canvas").nth(-1)
        width = canvas.evaluate("one => one.width")
        drawn = np.array(canvas.evaluate(PIXELS)).reshape(-1, width, 4)[:, :, 0]
        side, tile, fit = layer["width"], TILE, (width + 3) // (TILE + 3)
        for number in range(layer["channels"]):
            top, left = (part * (side + GAP) for part in divmod(number, layer["columns"]))
            row, column = (part * (tile + 3) for part in divmod(number, fit))
            corners = np.ix_([0, side - 1], [0, side - 1])
            shown_corners = np.ix_([row + 2, row + tile - 3], [column + 2, column + tile - 3])
            assert (drawn[shown_corners] == sheet[top : top + side, left : left + side][corners]).all(), number


def test_a_digit_is_drawn_with_the_keyboard(browser, address):
    with shown(browser, address, "mnist") as (page, panel):
        page.locator(".paper").focus()
        page.keyboard.press("Space")
        for _ in range(14):
            page.keyboard.press("ArrowDown")
        playwright.expect(panel.locator(".answer b")).to_have_text("1")
        assert "Pen down" in panel.locator("[role=status]").first.inner_text()


def test_a_digit_is_drawn_with_a_finger_and_read_from_a_file(browser, address):
    with shown(browser, address, "mnist", **PHONE) as (page, panel):
        page.locator(".paper canvas").tap()
        answered(panel)
        panel.locator("input[type=file]").set_input_files(ROOT / "tasks" / "mnist" / "example.png")
        playwright.expect(panel.locator(".answer b")).to_have_text("3")


def fact(panel, name):
    return panel.locator(".facts dt", has_text=re.compile(f"^{name}$")).locator("+ dd")


def test_the_facts_are_those_of_the_run_that_answered(browser, address, tmp_path):
    with urlopen(f"{address}/v1/tasks") as response:
        (task,) = [one for one in json.load(response)["tasks"] if one["task"] == "upscale"]
    (alternate,) = [one for one in task["alternates"] if one["name"] == "small-x2-jpeg"]
    Image.new("RGB", (20, 20), "grey").save(tmp_path / "a.png")
    with shown(browser, address, "upscale") as (_, panel):
        panel.get_by_role("button", name="Sample: a cat").click()  # a JPEG file of quality 86
        playwright.expect(fact(panel, "Run")).to_have_text("small-x2-jpeg, in place of small-x2")
        playwright.expect(fact(panel, "Score")).to_contain_text(f"{alternate['score']['value']:.2f}")
        panel.locator("input[type=file]").set_input_files(tmp_path / "a.png")
        playwright.expect(fact(panel, "Run")).to_have_text("small-x2")
        playwright.expect(fact(panel, "Score")).to_contain_text(f"{task['run']['score']['value']:.2f}")


def test_the_facts_are_those_of_a_run_that_has_taken_over(browser, address):
    def renamed(route):
        content = route.fetch().json()
        for one in content.get("tasks", [content]):
            if one["task"] == "mnist":
                one["run"] = {**one["run"], "name": "later", "data": "new data"} if "tasks" in content else "later"
        route.fulfill(json=content)

    with shown(browser, address, "mnist") as (page, panel):
        page.route("**/v1/*", renamed)
        page.locator(".paper canvas").click()
        playwright.expect(fact(panel, "Run")).to_have_text("later")
        playwright.expect(fact(panel, "Data")).to_have_text("new data")


def test_a_picture_is_compared_with_bicubic(browser, address, tmp_path):
    with shown(browser, address, "upscale") as (page, panel):
        small = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(small).save(tmp_path / "small.png")
        panel.locator("input[type=file]").set_input_files(tmp_path / "small.png")
        panel.locator(".stack").wait_for()
        pixels = np.array(panel.locator(".stack canvas").evaluate(PIXELS)).reshape(40, 60, 4)[:, :, :3]
        assert abs(pixels - whole_levels(imresize(small, 2)).astype(int)).max() <= 1
        slider = panel.locator("input[type=range]")
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == "51 % bicubic, 49 % network"
        panel.get_by_label("3:1").check()
        assert panel.locator(".stack").bounding_box()["width"] == 180
        with page.expect_download() as saved:
            panel.get_by_role("link", name="Save as PNG").click()
        with Image.open(saved.value.path()) as image:
            assert image.size == (60, 40)
        assert saved.value.suggested_filename == "small-60x40.png"


def test_words_have_weights_while_a_text_is_typed(browser, address):
    with shown(browser, address, "sentiment") as (_, panel):
        panel.get_by_label("Text").fill("A dreadful film.")
        playwright.expect(panel.locator(".words li").nth(1)).to_contain_text("dreadful")
        playwright.expect(panel.locator(".answer b")).to_have_text("neg")
        assert re.fullmatch(r"\+\d\.\d\d", panel.locator(".words small").nth(1).inner_text())
        panel.get_by_label("Text").fill("")
        playwright.expect(panel.locator(".status")).to_have_text("Type a text.")


def test_each_word_of_a_caption_shows_where_the_network_looked(browser, address):
    with shown(browser, address, "caption") as (page, panel):
        use(page, panel, "caption")
        panel.locator(".word").first.focus()
        playwright.expect(panel.locator(".looked")).to_be_visible()
        page.keyboard.press("ArrowRight")
        assert panel.locator(".word").nth(1).evaluate("one => one === document.activeElement")
        assert " looked at the " in panel.locator(".word").nth(1).get_attribute("aria-label")
        assert panel.get_by_role("heading", name="Training pictures that look most alike").is_visible()


def test_a_translation_has_alternatives_and_an_alignment(browser, address):
    with shown(browser, address, "translate") as (_, panel):
        panel.get_by_label("Text", exact=True).fill("A dog runs.")
        playwright.expect(panel.locator("output")).to_have_text("Ein Hund rennt.")
        assert panel.locator("ol li").count() == 3
        panel.locator(".piece", has_text="Hund").hover()
        dog = panel.locator(".piece", has_text="dog")
        assert int(dog.evaluate("one => one.style.getPropertyValue('--strength')").rstrip("%")) > 20
        panel.get_by_text("Alignment as a matrix").click()
        assert panel.locator(".matrix tbody tr").count() == panel.locator(".pieces").nth(1).locator(".piece").count()
        panel.get_by_label("Text", exact=True).fill("qwx zzkj vvrt")
        playwright.expect(panel.get_by_text("not sure", exact=True)).to_be_visible()


def test_an_error_stands_in_its_place(browser, address, tmp_path):
    (tmp_path / "none.png").write_bytes(b"no picture")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/#upscale")
    page.locator("#panel-upscale input[type=file]").set_input_files(tmp_path / "none.png")
    playwright.expect(page.locator("#panel-upscale [role=alert]")).not_to_be_empty()
    context.close()


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("name", ["curl", "Python"])
def test_the_lines_to_copy_work(browser, address, tab, name, tmp_path):
    with shown(browser, address, tab) as (page, panel):
        use(page, panel, tab)
        line = panel.get_by_label(f"{name} line").text_content()
        if tab == "mnist":
            with page.expect_download() as saved:
                panel.get_by_role("button", name="Save the drawing").click()
            saved.value.save_as(tmp_path / "digit.png")
    command = ["bash", "-c", line] if name == "curl" else [sys.executable, "-c", line]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True).stdout
    assert '"answers"' in found or "'answers'" in found
    assert name == "Python" or json.loads(found)["task"] == tab


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, address, tab, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with shown(browser, address, tab, color_scheme=scheme, reduced_motion="reduce") as (page, panel):
        use(page, panel, tab)
        for summary in panel.locator("summary").all():
            summary.click()
        found = axe.Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_wider_than_a_phone(browser, address, tab):
    with shown(browser, address, tab, **PHONE) as (page, panel):
        use(page, panel, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_tabs_are_reached_with_the_keyboard(browser, address):
    with shown(browser, address, "mnist") as (page, _):
        page.locator("#tab-mnist").focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("#tab-upscale").get_attribute("aria-selected") == "true"
        page.keyboard.press("End")
        playwright.expect(page.locator("#panel-translate")).to_be_visible()
        playwright.expect(page.locator("#panel-mnist")).to_be_hidden()


def test_the_page_is_light_and_soon_there(browser, address):
    weight = sum(path.stat().st_size for path in PAGE.iterdir())
    with urlopen(f"{address}/v1/tasks") as response:
        weight += len(response.read())
    with shown(browser, address, "mnist") as (page, _):
        page.wait_for_load_state("networkidle")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        kinds = "['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))"
        sizes = page.evaluate(f"{kinds}.map(one => one.decodedBodySize)")
    first = f"{len(sizes)} requests and {sum(sizes):,} bytes for the first tab"
    print(f"Page: {weight:,} bytes in all, {first}, first paint after {paint:.0f} ms.")
    assert weight < MOST_WEIGHT
    assert paint < MOST_PAINT
