"""Which sections must be run before a section: seen from the code, and said below the section's heading.

A section begins with a heading of two `#`. Before the first one that counts comes the set-up, which every
section needs: all up to the cell that loads the chapter's pictures or, where none does, to the first section.
"""

import builtins
import dis
import re
from types import CodeType

from IPython.core.inputtransformer2 import TransformerManager

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
LOADS = "data.course_set()"  # in the last cell of the set-up
AT_ONCE = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}  # what runs where it is written


def put_in(notebook):
    """Say below each heading which sections to run first, where there are any; the notebook is changed."""
    lines = {title: line(titles) for title, titles in needed(notebook).items() if titles}

    def with_line(heading):
        return f"{heading[0]}\n\n{lines[heading[1]]}" if heading[1] in lines else heading[0]

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = HEADING.sub(with_line, cell.source)


def line(titles):
    """The sentence that names these sections."""
    return f"*Run first: {', '.join(f'“{title}”' for title in titles)}.*"


def needed(notebook):
    """Section -> those to run before it, in order: with the set-up they make all that its code takes.

    What they need in turn is among them. A name that two sections make is taken from the last one before.
    """
    found, maker = {}, {}
    for title, cells in sections(notebook).items():
        made, direct = set(), set()
        for cell in cells:
            takes, makes = names(cell.source)
            direct |= {maker.get(name) for name in takes - made}
            made |= makes
        wanted = direct.union(*(found[other] for other in direct if other)) - {None}
        maker |= dict.fromkeys(made, title)
        if title:
            found[title] = [other for other in found if other in wanted]
    return found


def sections(notebook):
    """Title -> code cells, in order; the set-up's title is None.

    Raises:
        ValueError: two sections have one title, which could not be told apart.
    """
    loads = any(LOADS in cell.source for cell in notebook.cells if cell.cell_type == "code")
    found, title = {None: []}, None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[title].append(cell)
            loads = loads and LOADS not in cell.source
        elif not loads:
            for title in HEADING.findall(cell.source):
                if title in found:
                    raise ValueError(f"Two sections are called {title!r}: give one another name.")
                found[title] = []
    return found


def names(source):
    """What a cell's code takes from cells before it, and what it makes: two sets of names.

    What is made in the cell before it is used is not taken. The body of a function runs later, when all that
    its cell makes is there.
    """
    code = compile(TransformerManager().transform_cell(source), "<cell>", "exec")
    takes, makes = set(), set()
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME":
            makes.add(step.argval)
        elif step.opname == "LOAD_NAME":
            takes |= {step.argval} - makes
        elif isinstance(step.argval, CodeType) and step.argval.co_name in AT_ONCE:
            takes |= outside(step.argval) - makes
    for part in code.co_consts:
        if isinstance(part, CodeType):
            takes |= outside(part) - makes
    return {name for name in takes if not hasattr(builtins, name)}, makes


def outside(code):
    """Names that a function's, a class's or a comprehension's code takes from outside of it."""
    steps = [(step.opname, step.argval) for step in dis.get_instructions(code)]
    own = {name for kind, name in steps if kind == "STORE_NAME"} | {"__name__"}
    found = {name for kind, name in steps if kind in ("LOAD_GLOBAL", "LOAD_NAME")}
    inside = (outside(part) for part in code.co_consts if isinstance(part, CodeType))
    return (found - own).union(*inside)
