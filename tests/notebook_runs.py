"""The notebooks, for the tests: how they are built, and what they print."""

import importlib.util
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent / "notebooks"
spec = importlib.util.spec_from_file_location("build", HERE / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(notebook):
    """All text that a run notebook's cells print."""
    return "\n".join(
        output.text
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream"
    )
