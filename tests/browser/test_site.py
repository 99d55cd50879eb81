"""The site, opened as files in a real browser without a network: live, readable, reachable."""

import re

import nbformat
import pytest
from notebook_runs import code_cells

from vae_teach.building import build
from vae_teach.building import site as course_site

NAMES = [source.stem for source in build.sources()]
READY = "() => window.MathJax?.startup?.promise && MathJax.startup.promise.then(() => true)"
FORMULAS = """() => {
  const text = document.querySelector("main").cloneNode(true);
  for (const e of text.querySelectorAll("pre, code, script, style, mjx-container, .vae-teach")) e.remove();
  return {
    raw: text.textContent.match(/.{0,30}(\\$|\\\\[a-z(\\[]).{0,30}/g) ?? [],
    drawn: document.querySelectorAll("mjx-container").length,
    failed: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map((e) => e.outerHTML),
  };
}"""
STATES = """() => {
  const saved = document.getElementById("vae-teach-state");
  const places = [...document.querySelectorAll("[data-explorer]")];
  const states = Object.entries(JSON.parse(saved?.textContent ?? "{}"));
  return {
    dead: places.filter((p) => !p.querySelector(":scope > .vae-teach-live")).map((p) => p.outerHTML),
    idle: states.filter(([id, { state }]) =>
      state._model_name === "LayoutModel" || (state._esm && !places.some((p) => p.dataset.explorer === id))),
    stills: [...document.querySelectorAll(".vae-teach-still")].map((s) => s.checkVisibility()),
  };
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    folder = tmp_path_factory.mktemp("site")
    course_site.build(build.NOTEBOOKS, folder)
    return folder


@pytest.fixture
def visit(browser, site):
    """visit(name, ...) opens a page; what it loaded from elsewhere, or complained about, fails."""
    contexts, trouble = [], []

    def visit(name, **settings):
        context = browser.new_context(offline=True, **settings)
        contexts.append(context)
        context.on("request", lambda r: _is_beside(r.url, site) or trouble.append(r.url[:200]))
        context.on(
            "requestfailed", lambda r: _is_left(r) or trouble.append(f"failed: {r.url[:200]}")
        )
        context.on("console", lambda m: m.type in ("error", "warning") and trouble.append(m.text))
        context.on("weberror", lambda e: trouble.append(str(e.error)))
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto((site / f"{name}.html").as_uri())
        if settings.get("java_script_enabled", True):
            page.wait_for_function(READY)
            places = page.locator("[data-explorer]").count()
            live = "n => document.querySelectorAll('[data-explorer] > .vae-teach-live').length >= n"
            page.wait_for_function(live, arg=places)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert trouble == []


def _is_left(request):
    """Whether a page was left before a script of its own was there: no fault of the page."""
    return request.url.startswith("blob:") and request.failure == "net::ERR_ABORTED"


def _is_beside(address, site):
    return address.startswith((site.as_uri(), "data:", "blob:"))


@pytest.mark.parametrize("name", ["index", *NAMES])
def test_a_page_is_whole_and_live_and_every_reader_can_use_it(visit, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    page = visit(name, viewport={"width": 1366, "height": 768})
    formulas, states = page.evaluate(FORMULAS), page.evaluate(STATES)
    assert (formulas["raw"], formulas["failed"]) == ([], [])
    assert (states["dead"], states["idle"]) == ([], [])
    assert page.locator("img:not([alt]), :not([aria-label]) > img[alt='']").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == page.locator("main").count() == 1
    assert page.title()
    assert serious(axe, page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert serious(axe, page, runOnly=["color-contrast"]) == []
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(300)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390, "on a phone the whole page scrolls sideways"


def serious(axe, page, **options):
    """What axe-core finds serious or critical: rule, number of places, the first of them, why."""
    context = {"exclude": [".marks"]}  # a map's 2,000 digits: minutes, and then no verdict
    options |= {"preload": False, "resultTypes": ["violations"]}  # no file can be read from a file
    found = axe.run(page, context, options).response["violations"]
    return [
        (v["id"], len(v["nodes"]), v["nodes"][0]["html"][:300], v["nodes"][0]["failureSummary"])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def test_the_latent_plane_follows_the_pointer_and_the_keys(visit):
    page = visit("05_vae", viewport={"width": 1366, "height": 768})
    plane = page.locator(".vae-teach-latent-plane").first
    plane.scroll_into_view_if_needed()
    picture = "e => e.querySelector('.image canvas').toDataURL()"
    text, before = plane.locator(".readout").first, plane.evaluate(picture)
    box = plane.locator(".pad").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] - 90, steps=10)
    page.mouse.up()
    page.wait_for_timeout(200)
    dragged = plane.evaluate(picture), text.text_content()
    assert dragged[0] != before
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_timeout(200)
    assert plane.evaluate(picture) != dragged[0]
    assert text.text_content() != dragged[1]


def test_stills_stand_where_nothing_is_live(visit):
    page = visit("05_vae")
    live, stills = page.locator(".vae-teach-live").count(), page.locator(".vae-teach-still")
    shown = [stills.nth(i).is_visible() for i in range(stills.count())]
    assert live >= 1
    assert shown.count(False) == live
    page = visit("05_vae", java_script_enabled=False)
    stills = page.locator(".vae-teach-still")
    assert all(stills.nth(i).is_visible() for i in range(stills.count()))
    assert stills.count() == len(shown)


@pytest.mark.parametrize("name", NAMES)
def test_folded_cells_are_closed_and_can_be_opened(visit, name):
    stored = nbformat.read(build.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    folded = [c for c in code_cells(stored) if c.metadata.get("jupyter", {}).get("source_hidden")]
    page = visit(name, java_script_enabled=False)
    details = page.locator("main details")
    assert details.count() == len(folded)
    assert page.locator("main details[open]").count() == 0
    assert not details.first.locator("pre").is_visible()
    page.locator("main summary").first.focus()
    page.keyboard.press("Enter")
    assert details.first.locator("pre").is_visible()
    written = [" ".join(text.split()) for text in details.locator("pre").all_text_contents()]
    assert written == [" ".join(cell.source.split()) for cell in folded]


def test_every_link_leads_to_a_page(visit, site):
    for page in site.glob("*.html"):
        links = re.findall(r'<a [^>]*href="([^"]*)"', page.read_text("utf-8"))
        for address, place in (link.partition("#")[::2] for link in links if ":" not in link):
            assert (site / (address or page.name)).is_file(), f"{page.name}: {address}"
            if place:
                assert f'id="{place}"' in (site / (address or page.name)).read_text("utf-8")
    page = visit("index", java_script_enabled=False)  # formulas need not be set for this
    listed = page.locator("main li a")
    assert [a.get_attribute("href") for a in listed.all()] == [f"{n}.html" for n in NAMES]
    for following in NAMES:
        page.locator("a[rel=next]").first.click()
        page.wait_for_url(f"**/{following}.html")
    assert page.locator("a[rel=next]").count() == 0
    page.locator("a[rel=prev]").first.click()
    page.wait_for_url(f"**/{NAMES[-2]}.html")
