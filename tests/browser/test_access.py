"""Every explorer in JupyterLab by keyboard alone, to a screen reader, in light and dark."""

import pytest
from explorers_notebook import SHOWN
from tested_explorers import EXPLORERS

THEMES = ["JupyterLab Dark", "JupyterLab Light"]
# What Tab should reach, in order: of radio buttons the chosen one of each group.
STOPS = """
(place) => [...document.querySelector(place).querySelectorAll("a[href], button, input, select, [tabindex]")]
  .filter((e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility())
  .filter((e) => e.type !== "radio" || e.checked).length
"""
BEFORE = """
(place) => {
  const output = document.querySelector(place).closest(".jp-OutputArea-output");
  output.tabIndex = -1;
  output.focus();
}
"""
NOW = """
(place) => {
  const now = document.activeElement, style = getComputedStyle(now);
  const state = now.getAttribute("aria-valuetext") ?? now.getAttribute("aria-pressed")
    ?? (now.type === "radio" ? now.labels[0].textContent : now.type === "checkbox" ? now.checked : now.value);
  return { inside: Boolean(now.closest(place)), type: now.type ?? now.tagName, state: String(state),
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) };
}
"""
PRESSED = {  # by role: keys, each of which (the first Home apart) must change what it says of itself
    "slider": ["Home", "End", "ArrowLeft", "Home", "ArrowRight"],
    "combobox": ["ArrowDown", "ArrowUp"],
    "radio": ["ArrowRight", "ArrowLeft"],
    "checkbox": ["Space", "Space"],
}
every = pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda explorer: explorer.name)


@every
def test_keys_reach_and_move_everything(opened, explorer):
    page, place = opened.page, explorer.root
    opened.go(explorer)
    cell = page.evaluate(f"{SHOWN}.content.activeCellIndex")
    count = page.evaluate(STOPS, place)
    assert count
    page.evaluate(BEFORE, place)
    for number in range(count):
        page.keyboard.press("Tab")
        now = page.evaluate(NOW, place)
        assert now["inside"], f"Tab left after {number} of {count} stops"
        assert now["outline"] >= 2, f"the focus cannot be seen on {now}"
        role, name, value = opened.spoken()
        assert name, f"no name: {now}"
        assert role != "slider" or None not in (value, now["state"]), f"no value: {now}"
        keys = PRESSED.get(role, [])
        if role == "button" and now["state"] == "false":  # aria-pressed
            keys = ["Space"]
        for turn, key in enumerate(keys):
            page.keyboard.press(key)
            if (turn, key) == (0, "Home"):
                page.wait_for_timeout(100)
            else:
                opened.wait(lambda now=now: page.evaluate(NOW, place)["state"] != now["state"], 2)
            now = page.evaluate(NOW, place)
            assert now["inside"], f"{key} moved the focus away from {name}"
        if role == "button" and keys:
            page.keyboard.press("Space")  # a switch goes back, a choice stays
    assert page.evaluate(f"{SHOWN}.content.activeCellIndex") == cell, (
        "JupyterLab heard the keys, too"
    )
    page.keyboard.press("Tab")
    assert not page.evaluate(NOW, place)["inside"], f"more than the {count} stops expected"
    opened.run(explorer.reset)  # what the keys chose may leave nothing to move


def test_keys_draw(opened):
    explorer = next(explorer for explorer in EXPLORERS if explorer.name == "drawing")
    opened.run(explorer.reset)
    opened.go(explorer)
    opened.page.locator(explorer.root).locator(explorer.handle).focus()
    for key in ("Home", "Space", "ArrowDown", "Shift+ArrowRight", "Space"):
        opened.page.keyboard.press(key)
    opened.wait(lambda: sum(opened.numbers(explorer)) > 5 * 255)
    opened.wait(lambda: opened.ask(explorer.kernel) == opened.numbers(explorer))
    opened.page.keyboard.press("Delete")
    opened.wait(lambda: not any(opened.numbers(explorer)))


def test_arrows_step_over_the_plane(opened):
    explorer = EXPLORERS[0]
    opened.go(explorer)
    opened.page.locator(explorer.root).locator(explorer.handle).focus()
    for keys, z in {
        ("Home",): [0, 0],
        ("ArrowLeft", "Shift+ArrowUp"): [-0.1, 0.5],
        ("End", "ArrowDown"): [3, 2.9],
    }.items():
        for key in keys:
            opened.page.keyboard.press(key)
        opened.wait(lambda z=z: opened.ask(explorer.kernel) == pytest.approx(z))
        assert opened.numbers(explorer) == pytest.approx(z)


@pytest.mark.parametrize("theme", THEMES)
@every
def test_axe_finds_nothing_serious(opened, theme, explorer):
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened.theme(theme)
    opened.go(explorer)
    found = sync.Axe().run(opened.page, explorer.root).response["violations"]
    serious = {
        rule["id"]: [node["html"][:200] + node["failureSummary"] for node in rule["nodes"]]
        for rule in found
        if rule["impact"] in ("serious", "critical")
    }
    assert not serious
