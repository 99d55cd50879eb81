"""Each notebook, run with the solutions put in, on MNIST where it is on disk.

Before every cell the random state is another than in the stored run (see kernels.py), and short cells are run
twice in a row: what prints the same as the stored notebook sets its own seed and starts from its own start.
"""

import re
import time

import nbformat
import pytest
import torch
from notebook_runs import code_cells, differences, printed, said

from vae_teach.building import build
from vae_teach.building.tidy import without_passing

names = pytest.mark.parametrize("source", build.sources(), ids=lambda source: source.stem)

RELATIVE = 0.02
SECONDS = {
    "a few seconds": 9,
    "a quarter of a minute": 15,
    "less than a minute": 60,
    "about a minute": 60,
    "one to two minutes": 120,
}
STATED = re.compile(rf"(?:takes|trained for|while it works) \(?({'|'.join(SECONDS)})")
USUAL = 0.1  # seconds that `products` takes where the stated times were taken


def code_after(notebook, text_cell):
    """Code cells between a text cell and the next one that has a heading."""
    found = []
    for cell in notebook.cells[notebook.cells.index(text_cell) + 1 :]:
        if cell.cell_type == "code":
            found.append(cell)
        elif re.search("^#+ ", cell.source, re.MULTILINE):
            break
    return found


@names
def test_it_runs(source, solved):
    text = printed(solved(source.stem))
    assert "Not attempted yet" not in text
    assert "Not yet" not in text
    count = len([c for c in code_cells(solved(source.stem)) if "exercise" in build.tags(c)])
    assert text.count("Right.") == count > 0


@names
def test_a_cell_that_runs_twice_says_the_same(source, solved):
    cells = [c for c in code_cells(solved(source.stem)) if "again" in c.metadata]
    assert len(cells) > 10
    for cell in cells:
        if "measured" not in build.tags(cell):
            assert said(cell.metadata.again) == said(cell.outputs), cell.source


@names
def test_stored_numbers_are_those_of_a_fresh_run(source, solved, mnist_on_disk):
    if not mnist_on_disk:
        pytest.skip("MNIST, with which the notebooks are stored, is not on this machine")
    stored = nbformat.read(build.NOTEBOOKS / f"{source.stem}.ipynb", 4)
    kept = {cell.source: cell for cell in code_cells(stored)}
    found = []
    for cell in code_cells(solved(source.stem)):
        if cell.source in kept and not {"measured", "solution"} & set(build.tags(cell)):
            pair = ("\n".join(map(plain, c.outputs)) for c in (kept[cell.source], cell))
            found += differences(*pair, RELATIVE)
    assert found == []


def plain(output):
    """What an output says in plain text, without clocks."""
    if output.output_type == "stream":
        return without_passing(output.text) if output.name == "stdout" else ""
    return without_passing(output.get("data", {}).get("text/plain", ""))


@names
def test_no_cell_takes_three_times_the_time_that_the_text_states(source, solved):
    """A usual laptop's times: scaled by what this machine takes for the products of a training step."""
    notebook = solved(source.stem)
    slower = max(1.0, products() / USUAL)
    for number, text_cell in enumerate(c for c in notebook.cells if c.cell_type == "markdown"):
        for words in STATED.findall(" ".join(text_cell.source.split())):
            cells = code_cells(notebook) if number == 0 else code_after(notebook, text_cell)
            seconds = [cell.metadata.seconds for cell in cells] or [0.0]
            took = sum(seconds) if number == 0 else max(seconds)
            assert took < 3 * slower * SECONDS[words], (words, took, slower)


def products():
    """Seconds of 100 products as a network's layer has them; the least of three tries."""
    x, w = torch.rand(384, 784), torch.rand(784, 400)

    def once():
        started = time.perf_counter()
        for _ in range(100):
            x @ w
        return time.perf_counter() - started

    return min(once() for _ in range(3))
