"""What is made from the list of chapters says what the list says."""

import pkgutil
import re
import subprocess
import sys

import nbformat
import pytest

import vae_teach.chapters
from vae_teach.building import build, contents
from vae_teach.chapters import CHAPTERS

names = pytest.mark.parametrize("chapter", CHAPTERS, ids=[c.stem for c in CHAPTERS])


def made(chapter):
    return build.unexecuted(build.NOTEBOOKS / "source" / f"{chapter.stem}.py")


def test_every_chapter_has_a_folder_and_a_source_and_no_other_is_there():
    folders = [
        module.name for module in pkgutil.iter_modules(vae_teach.chapters.__path__) if module.ispkg
    ]
    assert folders == sorted(c.name for c in CHAPTERS)
    written = (build.NOTEBOOKS / "source").glob("*.py")
    assert sorted(written) == build.sources()


def test_the_list_is_light():
    code = "import sys, vae_teach.chapters; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_readme_s_table_is_current():
    text = contents.README.read_text("utf-8")
    assert contents.readme(text) == text, "run `make contents`"
    rows = re.findall(r"^\| (\d\d) \| \[(.*)\]\(notebooks/(.*)\.ipynb\) \| (.*) \|$", text, re.M)
    assert [(int(n), *rest) for n, *rest in rows] == [
        (c.number, c.title, c.stem, c.you_will.replace("|", r"\|")) for c in CHAPTERS
    ]


@names
def test_a_notebook_begins_with_its_heading_and_ends_with_links(chapter):
    cells = made(chapter).cells
    assert cells[0].source.splitlines()[0] == f"# {chapter.heading}"
    links = re.findall(r"\[([^\]]*)\]\(([^)]*)\)", cells[-1].source)
    around = CHAPTERS[max(chapter.number - 1, 0) : chapter.number + 2]
    beside = [(c.heading, f"{c.stem}.ipynb") for c in around if c is not chapter]
    assert sorted(links) == sorted(
        [*beside, ("map and notation", "00_start_here.ipynb#The-course")]
    )


@names
def test_every_link_to_a_chapter_leads_to_one(chapter):
    for cell in made(chapter).cells:
        if cell.cell_type == "markdown":
            for text, stem in re.findall(r"\[([^\]]*)\]\((\w+)\.ipynb", cell.source):
                (there,) = (c for c in CHAPTERS if c.stem == stem)
                assert text in (
                    f"chapter {there.number:02}",
                    f"Chapter {there.number:02}",
                    there.title,
                    there.heading,
                    "map and notation",
                )
            unlinked = re.findall(r"[Cc]hapter (\d\d)\b(?!\])", cell.source)
            assert not any(int(number) < len(CHAPTERS) for number in unlinked), cell.source


@names
def test_a_notebook_says_the_minutes_of_the_map(chapter):
    first = made(chapter).cells[0].source
    assert "<!--" not in first
    said = re.search(r"Allow about (\d+) minutes", first)
    assert said is None or int(said[1]) == chapter.minutes


def test_the_start_page_has_the_map():
    cells = made(CHAPTERS[0]).cells
    (cell,) = (c for c in cells if c.source.startswith("## The course\n"))
    assert contents.MAP not in cell.source
    for c in CHAPTERS[1:]:
        row = f"| {c.number:02} | [{c.title}]({c.stem}.ipynb) | {c.limit} | {c.minutes} |"
        assert row in cell.source
    assert "| 00 | **Start here** |" in cell.source


def test_a_link_that_names_no_chapter_is_refused():
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("See [chapter](vea), [chapter](vae).")]
    )
    with pytest.raises(ValueError, match=r"\[chapter\]\(vea\) names no chapter: start_here, "):
        contents.put_in(notebook, "05_vae")
