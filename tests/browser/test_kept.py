"""What is left of explorers when the kernel restarts or is gone, and where nobody trusts them."""

import nbformat
import pytest
from explorers_notebook import SHOWN
from tested_explorers import EXPLORERS, IN_KERNEL, IN_PAGE

from vae_teach.building.build import NOTEBOOKS as HERE

STATE = "application/vnd.jupyter.widget-state+json"
WITH_WIDGETS = f"""
() => {SHOWN}.content.widgets.map(({{ model }}, i) => [i, model.sharedModel.toJSON().outputs ?? []])
  .filter(([, outputs]) => JSON.stringify(outputs).includes("widget-view+json")).map(([i]) => i)
"""
KEEP = """
async () => {
  const keep = () => jupyterapp.commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
  const later = () => new Promise((go) => setTimeout(go, 500));
  await keep();
  await later();
  await jupyterapp.commands.execute("docmanager:save");
  await keep();
}
"""


@pytest.fixture(scope="module")
def stored(opened, lab):
    """The notebook as JupyterLab stores it when asked to keep the widgets' state."""
    opened.page.evaluate(KEEP)
    return nbformat.read(lab.folder / "explorers.ipynb", as_version=4)


def answers(opened, explorer):
    opened.go(explorer)
    clear = opened.page.locator(f"{explorer.root} button", has_text="Clear")
    if clear.count():
        clear.click()  # the same stroke drawn twice changes nothing
        opened.page.wait_for_timeout(100)
    before = opened.picture(explorer)
    opened.drag(explorer, events=137, burst=10)
    assert opened.picture(explorer) != before, f"{explorer.name} does not answer"
    assert not opened.page.locator(f"{explorer.root} [role=alert]:visible").count()


def still(opened, explorer):
    """The still picture in the explorer's cell."""
    index = opened.index(explorer)
    opened.go(index)
    return opened.page.locator(f"[data-windowed-list-index='{index}'] .vae-teach-still img")


def test_what_is_stored_speaks_for_itself(stored, opened):
    assert stored.metadata["widgets"][STATE]["state"]
    for explorer in EXPLORERS:
        outputs = stored.cells[opened.index(explorer)].outputs
        texts = [output["data"]["text/plain"] for output in outputs if "data" in output]
        assert len(texts) == 2
        assert not any("0x" in text or "\n" in text for text in texts), texts
        assert any('<img alt="' in output["data"].get("text/html", "") for output in outputs[-2:])


@pytest.mark.fault("Kernel death", "the kernel restarts", "explorers go on in the page")
def test_a_restarted_kernel_leaves_them_alive(stored, opened, lab):
    opened.page.evaluate(f"{SHOWN}.sessionContext.session.kernel.restart()")
    lab.wait_for_kernel(opened.page)
    for explorer in IN_PAGE:
        answers(opened, explorer)


@pytest.mark.fault(
    "Kernel death",
    "a stored notebook is opened, and nothing run",
    "explorers move, panels show their picture and say what to do",
)
def test_stored_state_is_live_without_a_run(stored, opened, lab):
    lab.save("stored.ipynb", stored, trusted=True)
    lab.open(opened.page, "stored.ipynb")
    for explorer in IN_PAGE:
        answers(opened, explorer)
        assert not still(opened, explorer).is_visible()
    for explorer in IN_KERNEL:
        opened.go(explorer)
        panel = opened.page.locator(explorer.root)
        assert panel.locator("canvas").is_visible()
        assert panel.get_by_text("Run the cell to drag").is_visible()


def test_a_notebook_of_the_course_is_live_as_it_is_stored(lab, page):
    lab.save("course.ipynb", nbformat.read(HERE / "05_vae.ipynb", as_version=4), trusted=True)
    lab.open(page, "course.ipynb")
    for index in page.evaluate(WITH_WIDGETS):
        page.evaluate(f"{SHOWN}.content.scrollToItem({index}, 'start')")
        page.locator(f"[data-windowed-list-index='{index}'] .vae-teach-live").first.wait_for()


@pytest.mark.fault(
    "Kernel death", "no kernel, no state, or no trust", "a picture stands in place of each explorer"
)
@pytest.mark.parametrize("kind", ["untrusted", "without state", "without a kernel"])
def test_a_picture_stands_where_nothing_can_move(stored, opened, lab, kind):
    metadata = stored.metadata | {"about": kind}  # another signature
    if kind == "without state":
        del metadata["widgets"]
    if kind == "without a kernel":  # JupyterLab asks for one, and draws no widgets until it has it
        metadata["kernelspec"] = {"name": "none", "display_name": "none", "language": "none"}
        metadata["language_info"] = {"name": "none"}
    changed = nbformat.from_dict(stored | {"metadata": metadata})
    lab.save("changed.ipynb", changed, trusted=kind != "untrusted")
    lab.open(opened.page, "changed.ipynb")
    if kind == "without a kernel":
        opened.page.locator(".jp-Dialog .jp-mod-reject").click()
    for explorer in EXPLORERS:
        picture = still(opened, explorer)
        picture.wait_for()
        assert picture.evaluate("(image) => image.naturalWidth") > 200
        assert len(picture.get_attribute("alt")) > 20
        assert not opened.page.locator(explorer.root).count()
