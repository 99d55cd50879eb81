"""Build the notebooks: notebooks/source/NN_name.py -> notebooks/NN_name.ipynb, executed.

    python -m vae_teach.building.build                  all of them, outputs stored
    python -m vae_teach.building.build 05_vae           only these
    python -m vae_teach.building.build --again          run those, too, whose code is the stored one's
    python -m vae_teach.building.build --into FOLDER    leave the stored ones alone

The sources (Jupytext percent format) are the only form edited by hand. Building twice gives the same
file: ids come from positions, and what says nothing is not stored (see `tidy`). A notebook
whose text alone changed is not run: it keeps its outputs.
"""

import argparse
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from vae_teach.building import contents, exercise, needs
from vae_teach.building.tidy import tidy
from vae_teach.chapters import CHAPTERS

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SECONDS_A_CELL = 600
FOLDED = {"solution", "aside"}  # tags of cells whose code stays closed until one opens it


def sources():
    """The hand-written sources, in course order."""
    return [NOTEBOOKS / "source" / f"{chapter.stem}.py" for chapter in CHAPTERS]


def tags(cell):
    """The tags of a cell: `exercise`, `solution`, `aside` (folded), `measured` (see `kept`)."""
    return cell.metadata.get("tags", [])


def unexecuted(source):
    """The notebook of one chapter's source, without outputs; the same bytes every time."""
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.cells = [made for cell in notebook.cells for made in _cells(cell)]
    needs.put_in(notebook)
    contents.put_in(notebook, source.stem)
    for position, cell in enumerate(notebook.cells):
        cell.id = f"{source.stem}-{position:03d}"
        if FOLDED & set(tags(cell)):
            cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _cells(cell):
    """An exercise's stub and solution; any other cell as it is."""
    if "exercise" not in tags(cell):
        return [cell]
    solved = nbformat.from_dict(cell)
    solved.metadata.tags = ["solution"]
    solved.source = exercise.solution(cell.source)
    cell.source = exercise.stub(cell.source)
    return [cell, solved]


def with_solutions(notebook):
    """A copy in which every exercise's stub is replaced by the solution that follows it."""
    solved = nbformat.from_dict(notebook)
    for cell, after in zip(solved.cells, solved.cells[1:], strict=False):
        if "exercise" in tags(cell):
            cell.source = after.source
    return solved


def execute(notebook, client=NotebookClient):
    """Run all cells in a fresh kernel of this Python, and keep outputs and widget states.

    Args:
        notebook: changed in place, and returned.
        client: the class that runs it.
    """
    client(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        store_widget_state=True,
        coalesce_streams=True,
        record_timing=False,
    ).execute()
    return notebook


def code(notebook):
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def same_code(notebook, before):
    """Whether two notebooks run the same cells, so that one may take the other's outputs."""
    ours, theirs = ([(c.source, tags(c)) for c in code(n)] for n in (notebook, before))
    return ours == theirs


def take_outputs(notebook, before):
    """Put in the outputs and widgets of a notebook that runs the same cells."""
    for cell, old in zip(code(notebook), code(before), strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    notebook.metadata = before.metadata
    return notebook


def keep_measured(notebook, before):
    """Seconds differ from run to run: cells tagged `measured` keep those that are stored.

    Only up to the first cell whose code has changed, for what follows it may have changed, too.
    """
    for cell, old in zip(code(notebook), code(before), strict=False):
        if cell.source != old.source:
            break
        if "measured" in tags(cell) and old.outputs:
            cell.outputs = old.outputs
    return notebook


def build(source, target, again=False):
    """Write the notebook of one source to a file; say what was done.

    Args:
        source: such as notebooks/source/05_vae.py.
        target: such as notebooks/05_vae.ipynb, which may be there already.
        again: run it even where the code is that of the file.
    """
    notebook = unexecuted(source)
    before = nbformat.read(target, 4) if target.exists() else nbformat.v4.new_notebook()
    if same_code(notebook, before) and not again:
        take_outputs(notebook, before)
        done = "the same code, outputs kept (--again runs it)"
    else:
        started = time.perf_counter()
        notebook = keep_measured(tidy(execute(notebook), source.stem), before)
        done = f"run in {time.perf_counter() - started:.0f} s"
    nbformat.write(notebook, target)
    return f"{done}, {target.stat().st_size / 1e6:.2f} MB"


def main():
    """Build the notebooks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 05_vae; default: all")
    parser.add_argument("--again", action="store_true", help="run them though no code changed")
    parser.add_argument("--into", type=Path, default=NOTEBOOKS, metavar="FOLDER")
    asked = parser.parse_args()
    unknown = set(asked.names) - {s.stem for s in sources()}
    if unknown:
        parser.error(f"no chapter {', '.join(sorted(unknown))} in vae_teach/chapters/__init__.py")
    asked.into.mkdir(parents=True, exist_ok=True)
    for source in sources():
        if not asked.names or source.stem in asked.names:
            print(f"{source.stem}:", end=" ", flush=True)
            print(build(source, asked.into / f"{source.stem}.ipynb", asked.again))


if __name__ == "__main__":
    main()
