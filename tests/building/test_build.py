"""What a build runs, and what it keeps: only what has changed changes."""

import subprocess
import sys

import nbformat
import pytest

from vae_teach.building import build

TEXT = """# %% [markdown]
# # A chapter
#
# A sentence.

# %%
n = 1

# %% tags=["aside", "measured"]
print(seconds)

# %% tags=["exercise"]
def twice(x):
    # solution
    return 2 * x

# %% [markdown]
# The end.
"""


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A source and its notebook's place; whatever is run answers with the number of the run."""
    runs = []

    def execute(notebook):
        runs.append(notebook)
        for count, cell in enumerate(build.code(notebook), start=1):
            text = f"run {len(runs)}\n"
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
            cell.execution_count = count
        return notebook

    monkeypatch.setattr(build, "execute", execute)
    source, target = tmp_path / "05_vae.py", tmp_path / "05_vae.ipynb"
    source.write_text(TEXT, "utf-8")
    return source, target, runs


def said(target):
    """What the cells of a stored notebook that run say."""
    return [cell.outputs[0].text for cell in build.code(nbformat.read(target, 4))]


def test_built_twice_is_built_once(chapter):
    source, target, runs = chapter
    assert build.build(source, target).startswith("run in ")
    before = target.read_bytes()
    assert "outputs kept (--again runs it)" in build.build(source, target)
    assert target.read_bytes() == before
    assert len(runs) == 1


def test_a_changed_sentence_changes_its_cell_alone_and_runs_nothing(chapter):
    source, target, runs = chapter
    build.build(source, target)
    before = target.read_text("utf-8").splitlines()
    source.write_text(TEXT.replace("A sentence.", "Another sentence."), "utf-8")
    build.build(source, target)
    after = target.read_text("utf-8").splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [b.strip() for _, b in changed] == ['"Another sentence."']
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("n = 1", "n = 2"), ('"aside", "measured"', '"aside"'), ("return 2 * x", "return x + x")],
)
def test_changed_code_runs(chapter, old, new):
    source, target, runs = chapter
    build.build(source, target)
    assert old in TEXT
    source.write_text(TEXT.replace(old, new), "utf-8")
    build.build(source, target)
    assert len(runs) == 2
    assert said(target)[0] == "run 2\n"


def test_a_measurement_is_kept_while_nothing_before_it_changes(chapter):
    source, target, _ = chapter
    build.build(source, target)
    build.build(source, target, again=True)
    assert said(target) == ["run 2\n", "run 1\n", "run 2\n", "run 2\n"]
    source.write_text(TEXT.replace("return 2 * x", "return x + x"), "utf-8")
    build.build(source, target)
    assert said(target) == ["run 3\n", "run 1\n", "run 3\n", "run 3\n"]
    source.write_text(TEXT.replace("n = 1", "n = 2"), "utf-8")
    build.build(source, target)
    assert said(target) == ["run 4\n"] * 4


def test_chapters_that_are_not_there():
    command = [sys.executable, "-m", "vae_teach.building.build", "05_vea"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no chapter 05_vea in vae_teach/chapters/__init__.py" in done.stderr
