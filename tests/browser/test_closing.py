"""An explorer shows its errors, and leaves nothing behind in page and kernel when it is closed."""

import ast
import json

import pytest
from table import EXPLORERS, IN_KERNEL, IN_PAGE

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


CLOSINGS = 3  # of one that a browser may keep until the next takes its place, nothing must pile up


def alert(room, explorer):
    return room.page.locator(f"{explorer.root} [role=alert]:visible")


@pytest.mark.parametrize("explorer", IN_PAGE, ids=lambda explorer: explorer.name)
def test_an_error_in_the_page_is_shown(room, explorer):
    room.go(explorer)
    assert not alert(room, explorer).count()
    room.page.evaluate(BREAK)
    try:
        room.drag(explorer, events=20, patience=300)  # nothing will be painted
    finally:
        room.page.evaluate("mend()")
    assert "no ink today" in alert(room, explorer).text_content()
    room.again(explorer)
    assert not alert(room, explorer).count()


@pytest.mark.parametrize("explorer", IN_KERNEL, ids=lambda explorer: explorer.name)
def test_an_error_in_the_kernel_is_shown_until_it_is_mended(room, explorer):
    room.run("broken = True")
    try:
        room.drag(explorer, events=20, patience=300)
        assert alert(room, explorer).text_content() == "ValueError: no picture today"
    finally:
        room.run("broken = False")
    room.drag(explorer, events=30)
    assert not alert(room, explorer).count()


def test_a_plane_that_cannot_be_drawn_says_so_beside_its_still_picture(room):
    room.start_cell(room.last - 1)
    room.page.wait_for_selector("text=cannot evaluate the layer")
    cell = room.page.locator(f"[data-windowed-list-index='{room.last - 1}']")
    assert cell.locator(".vae-teach-still img").is_visible()
    room.wait(lambda: not room.busy())
    room.run("broken_plane.close(); del broken_plane")


@pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda explorer: explorer.name)
def test_closing_leaves_nothing_behind(room, explorer):
    room.go(explorer)
    room.drag(explorer, events=20)
    kept, widgets = close(room, explorer)
    before = room.memory()
    for _ in range(CLOSINGS):
        room.again(explorer)
        close(room, explorer)
    after = room.memory()
    room.again(explorer)  # the tests to come need it
    growth = {name: after[name] - before[name] for name in before}
    print(f"\n{explorer.name}: {growth}")
    assert growth["page"] <= 2.5e6, "the page still holds its weights"
    assert growth["nodes"] <= 50, "the page still holds its elements"
    assert growth["listeners"] <= 5, "the page still listens"
    assert not kept, "the kernel still holds these"
    assert not widgets, "these are still open"


def close(room, explorer):
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
    left = json.loads(room.run(CLOSE.format(explorer=explorer.name, names=sorted(set(names)))))
    room.page.locator(explorer.root).wait_for(state="detached")
    room.page.wait_for_timeout(300)
    return left
