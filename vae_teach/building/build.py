"""Build the notebooks: notebooks/source/NN_name.py -> notebooks/NN_name.ipynb, executed.

    python -m vae_teach.building.build            all of them, outputs stored
    python -m vae_teach.building.build 05_vae     only these

The sources (Jupytext percent format) are the only form edited by hand. Cell ids come from the
position, so that building twice gives the same file but for the outputs.
"""

import argparse
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from vae_teach.building import contents, exercise
from vae_teach.chapters import CHAPTERS

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SECONDS_A_CELL = 600
FOLDED = {"solution", "aside"}  # tags of cells whose code stays closed until one opens it


def sources():
    """The hand-written sources, in course order."""
    return [NOTEBOOKS / "source" / f"{chapter.stem}.py" for chapter in CHAPTERS]


def tags(cell):
    """The tags of a cell: `exercise`, `solution` and `aside` (folded)."""
    return cell.metadata.get("tags", [])


def unexecuted(source):
    """The notebook of one chapter's source, without outputs; the same bytes every time."""
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.cells = [made for cell in notebook.cells for made in _cells(cell)]
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


def execute(notebook):
    """Run all cells in a fresh kernel of this Python, and keep outputs and widget states."""
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        store_widget_state=True,
        coalesce_streams=True,
        record_timing=False,
    )
    client.execute()
    return notebook


def main():
    """Build the notebooks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 05_vae; default: all")
    wanted = parser.parse_args().names
    unknown = set(wanted) - {s.stem for s in sources()}
    if unknown:
        parser.error(f"no source for {', '.join(sorted(unknown))} in notebooks/source")
    for source in sources():
        if wanted and source.stem not in wanted:
            continue
        started = time.perf_counter()
        print(f"{source.stem}: executing ...", end=" ", flush=True)
        notebook = execute(unexecuted(source))
        target = NOTEBOOKS / f"{source.stem}.ipynb"
        nbformat.write(notebook, target)
        size = target.stat().st_size / 1e6
        print(f"{time.perf_counter() - started:.0f} s, {size:.2f} MB")


if __name__ == "__main__":
    main()
