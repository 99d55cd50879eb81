"""A section says which sections it needs; what it then says is enough, in every notebook."""

from types import CodeType

import jupytext
import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from vae_teach.building import build, needs

names = pytest.mark.parametrize("source", build.sources(), ids=lambda source: source.stem)


def notebook(*cells):
    """Of cells of code, and of text where one begins with `#`."""
    new = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    return nbformat.v4.new_notebook(cells=[new[text[0] != "#"](text) for text in cells])


@pytest.mark.parametrize(
    ("code", "takes", "makes"),
    [
        ("y = x + 1", {"x"}, {"y"}),
        ("x = 1\ny = x", set(), {"x", "y"}),
        ("y = x\nx = 1", {"x"}, {"x", "y"}),
        ("x += 1", {"x"}, {"x"}),
        ("x[0] = y", {"x", "y"}, set()),
        ("import math as m\nprint(m.pi)", set(), {"m"}),
        ("def f(a, b=c):\n    d = a + b\n    return g(d)\ng = 1", {"c"}, {"f", "g"}),
        ("def f(a):\n    return lambda b: a + b + c", {"c"}, {"f"}),
        ("f = lambda a: a + b", {"b"}, {"f"}),
        ("y = [a + k for a in x]\nk = 2", {"x", "k"}, {"y", "k"}),
        ("y = {a: [b + k for b in a] for a in x}", {"x", "k"}, {"y"}),
        ("y = sum(a * k for a in x)\nk = 2", {"x", "k"}, {"y", "k"}),
        ("class A(B):\n    n = m\n    k = n\n    def f(self):\n        return A, c", {"B", "m", "c"}, {"A"}),
        ("for i, x in y:\n    print(i, x)", {"y"}, {"i", "x"}),
        ("with f() as g:\n    h = g", {"f"}, {"g", "h"}),
    ],
)  # fmt: skip
def test_what_a_cell_takes_and_makes(code, takes, makes):
    assert needs.names(code) == (takes, makes)


def test_a_section_needs_what_made_its_names_last_and_what_that_needs():
    found = needs.needed(
        notebook(
            "# Chapter",
            "import torch",
            "## A",
            "a = torch.ones(2)",
            "## B",
            "b = 2 * a",
            "## C",
            "c = torch.zeros(3)",
            "## D",
            "print(b)",
            "## E\n\n### A part",
            "b = 0",
            "## F",
            "print(b)",
        )
    )
    assert found == {"A": [], "B": ["A"], "C": [], "D": ["A", "B"], "E": [], "F": ["E"]}


def test_the_set_up_ends_where_the_pictures_are_loaded():
    cells = (
        "## Ready?",
        "import torch",
        "## Pictures",
        f"digits = {needs.LOADS}",
        "## A",
        "digits",
    )
    assert needs.needed(notebook(*cells)) == {"A": []}
    found = needs.needed(notebook(*cells[:3], "digits = 1", *cells[4:]))
    assert found == {"Ready?": [], "Pictures": [], "A": ["Pictures"]}


def test_it_is_said_below_the_heading():
    made = notebook(
        "## A", "a = 1", "Seen.\n\n## B\n\nText.\n\n### b", "a", "## C\n\nMore.", "print()"
    )
    made.cells[2].cell_type = "markdown"
    needs.put_in(made)
    said = "Seen.\n\n## B\n\n*Run first: “A”.*\n\nText.\n\n### b"
    assert [cell.source for cell in made.cells][::2] == ["## A", said, "## C\n\nMore."]


def test_two_sections_of_one_name_are_refused():
    with pytest.raises(ValueError, match="Two sections are called 'A': give one another name."):
        needs.needed(notebook("## A", "a = 1", "## A", "a"))


@pytest.mark.fault(
    "Cell order",
    "a section run after the set-up and the sections that it names",
    "every name is there",
)
@names
def test_with_what_it_names_a_section_has_every_name(source):
    """The cells that a reader is told to run make all that the section takes."""
    plain = jupytext.read(source, fmt="py:percent")
    found = needs.sections(plain)
    assert len(found) > 3
    for title, others in needs.needed(plain).items():
        there = {"get_ipython"}
        for part in (None, *others, title):
            for cell in found[part]:
                takes, makes = needs.names(cell.source)
                assert takes <= there, (title, cell.source, takes - there)
                there |= makes


@pytest.mark.fault(
    "Cell order",
    "an earlier section run again after later ones",
    "its functions find what they found before",
)
@names
def test_no_function_changes_its_meaning_when_a_later_section_runs(source):
    """What a section's functions look up when they are called, no later section makes again."""
    plain = jupytext.read(source, fmt="py:percent")
    held, clashes = {}, []
    for title, cells in needs.sections(plain).items():
        makes = set().union(*(needs.names(cell.source)[1] for cell in cells))
        clashes += [(name, held[name], title) for name in makes if name in held]
        for cell in cells:
            code = compile(TransformerManager().transform_cell(cell.source), "<cell>", "exec")
            parts = [part for part in code.co_consts if isinstance(part, CodeType)]
            later = (needs.outside(p) for p in parts if p.co_name not in needs.AT_ONCE)
            held |= dict.fromkeys(set().union(*later), title)
    assert clashes == []
