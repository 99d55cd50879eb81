"""Stored notebooks match their sources and are fit to be read.

nbval runs them as shipped, on the embedded set (see notebooks/conftest.py); test_runs.py runs each once
more, with the solutions put in.
"""

import importlib.util
import re
import statistics

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from notebook_runs import code_cells

from vae_teach.building import build, stamp
from vae_teach.building.build import NOTEBOOKS as HERE

SOURCES = build.sources()
names = pytest.mark.parametrize("source", SOURCES, ids=[s.stem for s in SOURCES])


def stored(source):
    return nbformat.read(HERE / f"{source.stem}.ipynb", as_version=4)


def test_every_notebook_has_a_source():
    assert [s.stem for s in SOURCES] == sorted(p.stem for p in HERE.glob("*.ipynb"))


@names
def test_no_drift_between_source_and_notebook(source):
    fresh, kept = build.unexecuted(source), stored(source)
    assert [(c.id, c.cell_type, c.source) for c in fresh.cells] == [
        (c.id, c.cell_type, c.source) for c in kept.cells
    ], f"run `make notebooks`: {source.stem}.ipynb is not what its source makes"
    nbformat.validate(kept)


@names
def test_stored_outputs_are_whole(source):
    notebook = stored(source)
    whole = len(nbformat.writes(notebook).encode())
    assert whole < 4e6, "with the networks that the page evaluates"
    notebook.metadata.pop("widgets", None)
    assert len(nbformat.writes(notebook).encode()) < 1.5e6, "without them"
    for cell in code_cells(notebook):
        assert cell.execution_count is not None, f"{cell.id} was never run"
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            data = output.get("data", {})
            assert not any(kind.startswith("image/") for kind in data), "an image without alt text"
            for tag in re.findall(r"<img [^>]*>", data.get("text/html", "")):
                assert re.search(r'alt="[^"]{15,}"', tag), f"{cell.id}: no alternative text"
            assert " at 0x" not in data.get("text/plain", ""), f"{cell.id}: a memory address"
        if re.search(r"^(pictures|figures|picture)\.", cell.source, re.MULTILINE):
            assert any("<img " in o.get("data", {}).get("text/html", "") for o in cell.outputs), (
                cell.id
            )


@names
def test_stored_explorers_are_the_package_s(source):
    """Their scripts and styles; each stands in a notebook once."""
    notebook = stored(source)
    assert stamp.stamped(notebook) == notebook, "`make stamp` renews them"
    saved = notebook.metadata.widgets[stamp.STATE]["state"]
    paths = [one["state"]["path"] for one in saved.values() if "path" in one["state"]]
    assert "page/load.js" in paths
    assert len(paths) == len(set(paths))


@names
def test_the_first_cell_installs_the_package_where_it_is_missing(source, monkeypatch):
    first, asked, find = code_cells(stored(source))[0].source, [], importlib.util.find_spec
    shell = InteractiveShell()
    shell.register_magic_function(asked.append, "line", "pip")
    shell.run_cell(first).raise_error()
    assert asked == []
    monkeypatch.setattr("builtins.input", lambda question: "https://example.org/course")
    missing = {"vae_teach": lambda: None}
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: missing.get(n, lambda: find(n))())
    shell.run_cell(first).raise_error()
    assert asked == ['install -q "vae-teach @ git+https://example.org/course"']


@names
def test_cells_are_short(source):
    lengths = [
        len([line for line in cell.source.splitlines() if line.strip()])
        for cell in code_cells(stored(source))
    ]
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 6


@names
def test_no_number_at_the_start_of_a_line_becomes_a_list(source):
    """An indented "1." after text is one, though it only ended a sentence."""
    for cell in stored(source).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\S\n +\d+[.)] ", cell.source), cell.source


@names
def test_solutions_are_collapsed_and_each_exercise_has_one(source):
    tags = [tuple(cell.metadata.get("tags", [])) for cell in stored(source).cells]
    assert tags.count(("exercise",)) == tags.count(("solution",)) > 0
    for cell in stored(source).cells:
        if "solution" in cell.metadata.get("tags", []):
            assert cell.metadata.jupyter.source_hidden
            assert "Right." in cell.outputs[0].text
        if "exercise" in cell.metadata.get("tags", []):
            assert "Not attempted yet" in cell.outputs[0].text
