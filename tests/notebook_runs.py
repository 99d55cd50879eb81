"""How a notebook is run for the tests, and what they read in it."""

import re
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from vae_teach.building.build import code as code_cells
from vae_teach.building.tidy import without_passing

__all__ = ["Twice", "code_cells", "differences", "printed", "said"]

SHORT = 1.5  # seconds: cells that take less are run twice
NUMBER = re.compile(r"[-+−]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


class Twice(NotebookClient):
    """Runs cells, short ones twice in a row.

    In a cell's metadata are then `seconds` that it took, and `again`, what the second run put out; its
    outputs are those of the first.
    """

    async def async_execute_cell(self, cell, cell_index, **settings):
        started = time.perf_counter()
        await super().async_execute_cell(cell, cell_index, **settings)
        if cell.cell_type == "code":
            cell.metadata.seconds = time.perf_counter() - started
            if cell.metadata.seconds < SHORT:
                cell.metadata.again = await self._again(cell, cell_index, settings)
        return cell

    async def _again(self, cell, cell_index, settings):
        copy = nbformat.from_dict(cell)
        try:
            await super().async_execute_cell(copy, cell_index, **settings)
        except CellExecutionError:
            pass  # which is in its outputs
        self.nb.cells[cell_index] = cell
        return copy.outputs


def printed(notebook):
    """All text that a run notebook's cells print."""
    return "\n".join(
        output.text
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream"
    )


def said(outputs):
    """What a cell prints, shows as text or a picture, or fails with; no progress bar, no widget, no clock."""
    found = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stdout":
            found.append(without_passing(output.text))
        elif output.output_type == "error":
            found.append(f"{output.ename}: {output.evalue}")
        else:
            kinds = sorted(kind for kind in output.get("data", {}) if kind.startswith("text/"))
            plain = without_passing(output.get("data", {}).get("text/plain", ""))
            found += [plain, *(output.data[kind] for kind in kinds if kind != "text/plain")]
    return found


def differences(text, other, relative):
    """Pairs of lines that differ in words, or in a number by more than its last digit and `relative` allow.

    Numbers that both are below 1e-4 in size, written with an exponent, are rounding errors and may differ.
    """
    lines, others = text.splitlines(), other.splitlines()
    if len(lines) != len(others):
        return [(f"{len(lines)} lines", f"{len(others)} lines")]
    return [(a, b) for a, b in zip(lines, others, strict=True) if not _alike(a, b, relative)]


def _alike(line, other, relative):
    words = [NUMBER.sub("#", " ".join(part.split())) for part in (line, other)]
    pairs = zip(NUMBER.findall(line), NUMBER.findall(other), strict=True)
    return words[0] == words[1] and all(_close(a, b, relative) for a, b in pairs)


def _close(written, other, relative):
    a, b = (float(n.replace("−", "-").replace(",", "")) for n in (written, other))
    if "e" in written + other and max(abs(a), abs(b)) < 1e-4:
        return True
    mantissa, _, exponent = written.partition("e")
    last = 10.0 ** (
        int(exponent or 0) - len(mantissa.partition(".")[2])
    )  # a step of the last digit
    return abs(a - b) <= relative * max(abs(a), abs(b)) + 1.01 * last
