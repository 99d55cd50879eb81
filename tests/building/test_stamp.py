"""`make stamp` renews scripts and styles in stored notebooks, line by line, and runs nothing."""

import difflib

import nbformat
import pytest
import torch

from vae_teach.building import stamp
from vae_teach.explorers import Interpolation, LatentPlane, LatentSliders
from vae_teach.models import VAE
from vae_teach.page import files


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A stored notebook of three explorers, where `make stamp` looks for them."""
    model, images = VAE(2, hidden=(8,)), torch.rand(12, 1, 28, 28)
    made = [LatentPlane(model, images, torch.arange(12) % 10), LatentSliders(model)]
    made.append(Interpolation(model, images))
    saved = {}
    for explorer in made:
        saved |= explorer._saved()
    state = {"state": saved, "version_major": 2, "version_minor": 0}
    stored = nbformat.v4.new_notebook(metadata={"widgets": {stamp.STATE: state}})
    nbformat.write(nbformat.from_dict(stored), tmp_path / "01_three.ipynb")
    for explorer in made:
        explorer.close()
    monkeypatch.setattr(stamp, "NOTEBOOKS", tmp_path)
    return tmp_path / "01_three.ipynb"


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["stamp", *arguments])
    stamp.main()


def edit(monkeypatch, old, new, path="page/common.js"):
    """As if a script of the package had been edited."""
    before = files.text(path)
    assert before.count(old) == 1
    read = files.text
    edited = lambda other: before.replace(old, new) if other == path else read(other)  # noqa: E731
    monkeypatch.setattr(files, "text", edited)
    monkeypatch.setattr(stamp, "text", edited)


def changed(before, after):
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line.startswith("+ ")]


def test_a_changed_line_changes_one_line_of_a_notebook(notebook, monkeypatch, capsys):
    before = notebook.read_text("utf-8")
    run(monkeypatch)
    assert notebook.read_text("utf-8") == before
    edit(monkeypatch, "const clip = (v, low, high)", "const clip = (v, low, high = 1)")
    with pytest.raises(SystemExit, match="make stamp"):
        run(monkeypatch, "--check")
    assert notebook.read_text("utf-8") == before
    assert "older than the package: 01_three" in capsys.readouterr().out
    run(monkeypatch)
    after = notebook.read_text("utf-8")
    (line,) = changed(before, after)
    assert "high = 1" in line
    run(monkeypatch, "--check")
    run(monkeypatch)
    assert notebook.read_text("utf-8") == after


def test_a_script_imported_since_is_added_and_one_needed_no_more_is_gone(notebook, monkeypatch):
    path = "explorers/latent_sliders/latent_sliders.js"
    edit(
        monkeypatch,
        "\nconst STEP",
        'import { line } from "../draw_digit/paper.js";\n\nconst STEP',
        path,
    )
    run(monkeypatch)
    read = nbformat.read(notebook, as_version=4)
    saved = read.metadata.widgets[stamp.STATE].state
    paths = [one.state.path for one in saved.values() if "path" in one.state]
    assert len(paths) == len(set(paths))
    assert "explorers/draw_digit/paper.js" in paths
    (sliders,) = (one.state for one in saved.values() if "dimensions" in one.state)
    wanted = [saved[link.removeprefix(stamp.LINK)].state.path for link in sliders.files]
    assert wanted == files.needed(path)
    assert all(
        one.state.text == files.text(one.state.path)
        for one in saved.values()
        if "path" in one.state
    )
    monkeypatch.undo()
    monkeypatch.setattr(stamp, "NOTEBOOKS", notebook.parent)
    run(monkeypatch)
    assert "draw_digit" not in notebook.read_text("utf-8")


def test_explorers_of_another_time_and_unknown_names_are_named(notebook, monkeypatch, capsys):
    old = nbformat.read(notebook, as_version=4)
    for one in old.metadata.widgets[stamp.STATE].state.values():
        one.state.pop("files", None)
    nbformat.write(old, notebook)
    with pytest.raises(SystemExit, match="01_three: its explorers are older.*make notebooks"):
        run(monkeypatch)
    with pytest.raises(SystemExit):
        run(monkeypatch, "09_none")
    assert "no 09_none in" in capsys.readouterr().err
