"""What the tests read in a run notebook."""

from vae_teach.building.build import code as code_cells

__all__ = ["code_cells", "printed"]


def printed(notebook):
    """All text that a run notebook's cells print."""
    return "\n".join(
        output.text
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream"
    )
