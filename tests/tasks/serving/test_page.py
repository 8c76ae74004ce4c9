"""The page of a server, used in a browser as a person uses it."""

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {
    "wide": {"viewport": {"width": 1200, "height": 900}},
    "phone": {"viewport": {"width": 380, "height": 800}, "is_mobile": True, "has_touch": True},
    "dark": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
}
TABS = ["mnist", "upscale", "sentiment", "caption", "translate"]
SECONDS = 60_000  # milliseconds that an answer may take on a busy machine

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here; Debian's package `chromium` has it")


@pytest.fixture(scope="module")
def address():
    process = subprocess.Popen(
        [sys.executable, "cli.py", "serve", "--port", "0", "--quiet"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    yield process.stdout.readline().split()[-1]
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as found:
        opened = found.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, address):
    """Return what opens the page at a tab; in the end it has said nothing on the console, and asked no other host."""
    contexts, said, hosts = [], [], set()

    def open_tab(tab, size="wide", **more):
        context = browser.new_context(**SIZES[size] | more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: hosts.add(re.sub(r"^(https?://[^/]+|data|blob).*", r"\1", request.url)))
        page.goto(f"{address}/#{tab}")
        page.locator(f"#panel-{tab} .panel").wait_for()
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert [text for text in said if "status of 422" not in text] == []  # what Chromium says of a refused picture
    assert hosts <= {address, "data", "blob"}


def answered(page, tab):
    """Wait for an answer, and return the panel."""
    panel = page.locator(f"#panel-{tab}")
    panel.locator("dl", has_text="ms in all").wait_for()
    assert panel.locator(".error").first.text_content() == ""
    return panel


def draw_three(page):
    box = page.locator(".paper canvas").bounding_box()
    side = box["width"] / 280
    corners = [(80, 80), (140, 50), (200, 80), (200, 110), (140, 140), (200, 160), (210, 200), (150, 235), (80, 210)]
    places = [(box["x"] + x * side, box["y"] + y * side) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def test_a_drawn_digit_shows_its_label_and_every_layer(opened):
    page = opened("mnist")
    draw_three(page)
    panel = answered(page, "mnist")
    panel.get_by_text("Read as 3").wait_for()
    assert panel.locator(".layers figure").count() == 5
    shown = page.evaluate("""() => [...document.querySelectorAll('.layers canvas')].map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, place) => place % 4 < 3 && value > 200);
    })""")
    assert shown == [True] * 5
    assert panel.locator("img.pixels").evaluate("image => image.naturalWidth") == 28
    panel.get_by_role("button", name="Clear").click()
    panel.locator("img.pixels").wait_for(state="hidden")


def test_a_digit_is_drawn_with_the_keyboard(opened):
    page = opened("mnist")
    page.locator(".paper").focus()
    for key in ["Space"] + ["Shift+ArrowDown"] * 4 + ["Space"]:
        page.keyboard.press(key)
    panel = answered(page, "mnist")
    panel.get_by_text("Read as 1").wait_for()


def test_a_picture_is_enlarged_and_saved(opened, tmp_path):
    page = opened("upscale")
    page.get_by_role("button", name="Sample").click()
    panel = answered(page, "upscale")
    after = panel.locator("img.after")
    assert after.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [400, 300]
    with page.expect_download() as found:
        panel.get_by_text("Save as PNG").click()
    found.value.save_as(tmp_path / "cat.png")
    with Image.open(tmp_path / "cat.png") as saved:
        assert saved.size == (400, 300)
    panel.get_by_role("slider").press("Home")


def test_a_chosen_picture_that_cannot_be_read_is_refused_in_place(opened):
    page = opened("caption")
    page.locator("#panel-caption input[type=file]").set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    page.locator("#panel-caption .error", has_text="picture").wait_for()
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(file, "PNG")
    page.locator("#panel-caption input[type=file]").set_input_files(
        {"name": "green.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    answered(page, "caption")


def test_words_get_weights_as_one_types(opened):
    page = opened("sentiment")
    answered(page, "sentiment")
    box = page.get_by_label("Text")
    box.fill("A wonderful and moving film.")
    page.locator("#panel-sentiment", has_text="wonderful").get_by_text("Read as pos").wait_for()
    box.fill("A dull and awful film.")
    page.locator("#panel-sentiment").get_by_text("Read as neg").wait_for()
    box.fill(" ")
    page.locator("#panel-sentiment .status", has_text="Type").wait_for()


def test_each_word_of_a_caption_shows_where_the_network_looked(opened):
    page = opened("caption")
    page.get_by_role("button", name="Sample: a cat").click()
    panel = answered(page, "caption")
    words = panel.locator(".word")
    assert words.count() > 3
    words.nth(1).focus()
    panel.get_by_role("heading", name="Training pictures that look most alike").wait_for()


def test_a_translation_shows_what_belongs_together(opened):
    page = opened("translate")
    panel = answered(page, "translate")
    page.get_by_label("Text").fill("A dog runs.")
    panel.get_by_text("Ein Hund rennt.", exact=True).first.wait_for()
    panel.locator("summary", has_text="matrix").click()
    assert panel.locator("table.matrix td").first.is_visible()
    page.get_by_label("Text").fill("Quarterly depreciation schedules were amended retroactively.")
    panel.get_by_text("not sure", exact=True).wait_for()


def test_the_lines_to_copy_work(opened):
    page = opened("sentiment")
    panel = answered(page, "sentiment")
    panel.locator("summary", has_text="shell or Python").click()
    curl, python = (panel.locator("pre code").nth(place).text_content() for place in (0, 1))
    for words in (shlex.split(curl), [sys.executable, "-c", python]):
        if shutil.which(words[0]):
            found = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
            assert "label" in found
            assert words[0] == sys.executable or json.loads(found)["answers"][0]["label"] == "pos"


@pytest.mark.parametrize("size", SIZES)
def test_everyone_can_use_every_tab(opened, size):
    from axe_core_python.sync_playwright import Axe

    page = opened("mnist", size)
    for place, tab in enumerate(TABS):
        if place:
            page.locator("#tabs [role=tab][aria-selected=true]").press("ArrowRight")
            page.locator(f"#tab-{tab}").press("Enter")
        page.locator(f"#panel-{tab} .panel").wait_for()
        if tab in ("sentiment", "translate"):
            answered(page, tab)
        found = Axe().run(page)["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_is_light_and_quick(opened, address):
    page = opened("mnist")
    entries = page.evaluate("""() => ['navigation', 'resource'].flatMap((kind) =>
        performance.getEntriesByType(kind).map((entry) => [entry.name, entry.decodedBodySize]))""")
    assert sum(size for name, size in entries if name.startswith(address)) < 150_000
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 10_000
