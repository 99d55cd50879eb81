"""A chapter is added to a copy of the course, with the files that CONTRIBUTING.md lists and no others."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vae_teach.chapters import CHAPTERS

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "*.ipynb", "*.safetensors", "__pycache__", "site", "out")
LAST, NUMBER = CHAPTERS[-1], f"{len(CHAPTERS):02}"
ENTRY = """    Chapter(
        name="toy",
        title="One number",
        you_will="double a number, a|b",
        limit="one is not many",
        minutes=1,
    ),
)
"""
FIRST = (ROOT / "notebooks/source/00_start_here.py").read_text("utf-8")
INSTALL = re.search(r'^# %% tags=\["aside"\]\nimport importlib.*?(?=^# %%)', FIRST, re.M | re.S)[0]
FILES = {
    "vae_teach/chapters/toy/__init__.py": '"""What chapter `toy` alone uses."""\n',
    "vae_teach/chapters/toy/figures.py": '''"""One picture."""

from matplotlib.figure import Figure

from vae_teach.pictures.picture import Picture


def line():
    """Doubles."""
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 2])
    return Picture(figure, alt="A line that climbs from 0 to 2.")
''',
    "vae_teach/chapters/toy/panels.py": '''"""One panel."""

import torch
from ipywidgets import FloatSlider

from vae_teach.page import Panel


def grey():
    """A square that darkens."""
    return Panel(
        lambda t: torch.full((1, 8, 8), t),
        {"t": FloatSlider(0.5, max=1)},
        alt="A square, half-way between white and black.",
    )
''',
    "vae_teach/chapters/toy/exercises.py": '''"""One exercise."""

import torch

from vae_teach.exercises import Exercise

check_toy = Exercise(
    "Twice x: (N,) -> (N,).",
    inputs=[(torch.tensor([0.3, -1.2]),), (torch.full((3,), 3.0),)],
    right=lambda x: 2 * x,
    mistakes={
        "the square.": lambda x: x**2,
        "the half.": lambda x: x / 2,
        "x itself.": lambda x: x,
    },
    also_right=[lambda x: x + x],
)
''',
    f"notebooks/source/{NUMBER}_toy.py": f"""# %% [markdown]
# # {NUMBER} · One number
#
# Doubled, as in [chapter]({LAST.name}).

{INSTALL}# %%
from vae_teach.chapters.toy import exercises, figures, panels

# %%
figures.line()

# %%
panels.grey()

# %% tags=["exercise"]
def twice(x):  # (N,) -> (N,)
    # solution
    return 2 * x


exercises.check_toy(twice)
""",
    "tests/chapters/test_toy.py": '''"""What the chapter promises."""

from vae_teach.chapters.toy import figures


def test_toy():
    assert "0 to 2" in repr(figures.line())
''',
}


def listed():
    """The patterns of file names in CONTRIBUTING.md, of a chapter named toy."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.split("### The files of a new chapter")[1].split("\n\n`make")[0]
    names = re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)
    return [name.replace("NAME", "toy").replace("NN", NUMBER) for name in names]


class Copy:
    """A course in a folder, in which Python is run."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, *arguments]
        settings = {"cwd": self.folder, "env": environment, "capture_output": True, "text": True}
        done = subprocess.run(command, **settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def files(self):
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc" and ".pytest_cache" not in path.parts
        }

    def notebook(self, stem):
        return nbformat.read(self.folder / "notebooks" / f"{stem}.ipynb", 4)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The copy, with a chapter more; `changed` are the files that this took."""
    folder = tmp_path_factory.mktemp("copy") / "course"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    course = Copy(folder)
    course.run(
        "-c",
        "import nbformat; from vae_teach.building.build import *\n"
        "for s in sources(): nbformat.write(unexecuted(s), NOTEBOOKS / f'{s.stem}.ipynb')",
    )
    before = course.files()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    chapters = folder / "vae_teach/chapters/__init__.py"
    written = chapters.read_text("utf-8")
    assert written.endswith("    ),\n)\n")
    chapters.write_text(written.removesuffix(")\n") + ENTRY, "utf-8")
    course.built = course.run(
        "-c",
        "from vae_teach.building import build, contents; contents.main(); build.main()",
    )
    after = course.files()
    assert not before.keys() - after.keys()
    course.changed = {name for name, data in after.items() if before.get(name) != data}
    return course


def test_it_takes_the_files_that_are_listed(course):
    patterns = listed()
    assert 8 <= len(patterns) <= 12
    for name in course.changed:
        assert any(fnmatch.fnmatch(name, pattern) for pattern in patterns), name
    for pattern in patterns:
        assert fnmatch.filter(course.changed, pattern), pattern
    by_hand = {"vae_teach/chapters/__init__.py", *FILES}
    assert by_hand == {name for name in patterns if not name.endswith(("README.md", ".ipynb"))}


def test_nothing_else_is_run(course):
    ran = [line.split(":")[0] for line in course.built.splitlines() if ": run in" in line]
    assert ran == [f"{NUMBER}_toy"]


def test_readme_and_map_list_it(course):
    readme = (course.folder / "README.md").read_text("utf-8")
    row = f"| {NUMBER} | [One number](notebooks/{NUMBER}_toy.ipynb) | double a number, a\\|b |"
    assert row in readme
    row = f"| {NUMBER} | [One number]({NUMBER}_toy.ipynb) | one is not many | 1 |"
    assert any(row in cell.source for cell in course.notebook("00_start_here").cells)


def test_links_lead_to_it_and_back(course):
    on = f"[{NUMBER} · One number]({NUMBER}_toy.ipynb) →"
    assert course.notebook(LAST.stem).cells[-1].source.endswith(on)
    toy = course.notebook(f"{NUMBER}_toy")
    assert toy.cells[-1].source.startswith(f"← [{LAST.heading}]({LAST.stem}.ipynb)")
    assert f"[chapter {LAST.number:02}]({LAST.stem}.ipynb)" in toy.cells[0].source


def test_the_site_lists_it(course, tmp_path):
    pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    course.run(
        "-c",
        "from pathlib import Path; from vae_teach.building import build, site\n"
        "site.CHAPTERS = site.CHAPTERS[-2:]  # enough, and faster\n"
        f"site.build(build.NOTEBOOKS, Path({str(tmp_path)!r}))",
    )
    index, page, last = (
        (tmp_path / f"{name}.html").read_text("utf-8")
        for name in ("index", f"{NUMBER}_toy", LAST.stem)
    )
    assert f'<a href="{NUMBER}_toy.html">{NUMBER} · One number</a>: double a number' in index
    assert f'<a href="{LAST.stem}.html" rel="prev">' in page
    assert f'<a href="{NUMBER}_toy.html" rel="next">' in last
    assert '<a href="00_start_here.html#The-course">' in last


def test_the_tests_take_it_up(course):
    said = course.run(
        *("-m", "pytest", "-q", "-m", "not slow", "-k", "toy", "-p", "no:cacheprovider"),
        *("tests/exercises", "tests/chapters/test_toy.py", "tests/test_notebooks.py"),
        *("tests/building/test_contents.py", "tests/test_repository.py", "-rA"),
    )
    for test in (
        f"test_no_drift_between_source_and_notebook[{NUMBER}_toy]",
        f"test_a_notebook_begins_with_its_heading_and_ends_with_links[{NUMBER}_toy]",
        "test_not_attempted[None-toy-check_toy]",
        "test_toy.py::test_toy",
        "test_nothing_imports_upwards[vae_teach/chapters/toy/panels.py]",
    ):
        assert re.search(rf"^PASSED \S*{re.escape(test)}", said, re.MULTILINE), said[-2000:]
    assert "FAILED" not in said
