"""An explorer shows its errors, and leaves nothing behind in page and kernel when it is closed."""

import ast
import json

import pytest
from tested_explorers import EXPLORERS, IN_KERNEL, IN_PAGE

BREAK = """
() => {
  const restore = [], broken = () => { throw new Error("no ink today"); };
  const prototypes = [CanvasRenderingContext2D.prototype, SVGElement.prototype];
  for (const [which, names] of [["putImageData", "clearRect"], ["setAttribute"]].entries())
    for (const name of names) {
      const object = prototypes[which], own = Object.getOwnPropertyDescriptor(object, name);
      object[name] = broken;
      restore.push(() => own ? Object.defineProperty(object, name, own) : delete object[name]);
    }
  window.mend = () => restore.forEach((back) => back());
}
"""
CLOSE = """
parts = {{}}
for name in {names}:
    try:
        parts[name] = weakref.ref(globals()[name])
    except (KeyError, TypeError):
        pass  # a name of a function's, a dict or the like
{explorer}.close()
for name in {names}:
    globals().pop(name, None)
gc.collect()
held = [name for name, part in parts.items() if part() is not None]
print(json.dumps([held, sorted(kind for number, kind in alive().items() if number in made[{explorer!r}])]))
"""


CLOSINGS = 2  # of one that a browser may keep until the next takes its place, nothing must pile up


def alert(opened, explorer):
    return opened.page.locator(f"{explorer.root} [role=alert]:visible")


@pytest.mark.fault("Kernel death", "an error in an explorer's script", "it is shown beside it")
@pytest.mark.parametrize("explorer", IN_PAGE, ids=lambda explorer: explorer.name)
def test_an_error_in_the_page_is_shown(opened, explorer):
    opened.go(explorer)
    assert not alert(opened, explorer).count()
    opened.page.evaluate(BREAK)
    try:
        opened.drag(explorer, events=20, patience=300)  # nothing will be painted
    finally:
        opened.page.evaluate("mend()")
    assert "no ink today" in alert(opened, explorer).text_content()
    opened.again(explorer)
    assert not alert(opened, explorer).count()


@pytest.mark.fault(
    "Kernel death", "an error in a panel's drawing", "it is shown until it is mended"
)
@pytest.mark.parametrize("explorer", IN_KERNEL, ids=lambda explorer: explorer.name)
def test_an_error_in_the_kernel_is_shown_until_it_is_mended(opened, explorer):
    opened.run("broken = True")
    try:
        opened.drag(explorer, events=20, patience=300)
        assert alert(opened, explorer).text_content() == "ValueError: no picture today"
    finally:
        opened.run("broken = False")
    opened.drag(explorer, events=30)
    assert not alert(opened, explorer).count()


def test_a_plane_that_cannot_be_drawn_says_so_beside_its_still_picture(opened):
    opened.start_cell(opened.last - 1)
    opened.page.wait_for_selector("text=cannot evaluate the layer")
    cell = opened.page.locator(f"[data-windowed-list-index='{opened.last - 1}']")
    assert cell.locator(".vae-teach-still img").is_visible()
    opened.wait(lambda: not opened.busy())
    opened.run("broken_plane.close(); del broken_plane")


@pytest.mark.fault(
    "Memory", "explorers that are closed and made again", "nothing of them stays in kernel or page"
)
@pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda explorer: explorer.name)
def test_closing_leaves_nothing_behind(opened, explorer):
    opened.go(explorer)
    opened.drag(explorer, events=20)
    kept, widgets = close(opened, explorer)
    before = opened.memory()
    for _ in range(CLOSINGS):
        opened.again(explorer)
        close(opened, explorer)
    after = opened.memory()
    opened.again(explorer)  # the tests to come need it
    growth = {name: after[name] - before[name] for name in before}
    print(f"\n{explorer.name}: {growth}")
    assert growth["page"] <= 2.5e6, "the page still holds its weights"
    assert growth["nodes"] <= 50, "the page still holds its elements"
    # JupyterLab itself keeps up to three for each that was closed; a panel has five of its own, or more.
    assert growth["listeners"] <= 3 * CLOSINGS, "the page still listens"
    assert not kept, "the kernel still holds these"
    assert not widgets, "these are still open"


def close(opened, explorer):
    """Close it; return which of the cell's objects and which of its widgets are still there."""
    made = ast.walk(ast.parse(explorer.make))
    names = [
        node.id for node in made if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    names += [
        node.name
        for node in ast.walk(ast.parse(explorer.make))
        if isinstance(node, ast.FunctionDef)
    ]
    left = json.loads(opened.run(CLOSE.format(explorer=explorer.name, names=sorted(set(names)))))
    opened.page.locator(explorer.root).wait_for(state="detached")
    opened.page.wait_for_timeout(300)
    return left
