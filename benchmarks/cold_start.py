"""How long until something moves, and what each chapter costs: Run All's seconds and peak memory.

Run:
    python benchmarks/cold_start.py [chapter ...]
Kernels have the variables that the course's own Jupyter hands on to them. Exits with 1 where
`import vae_teach` takes above 0.2 s or a kernel needs more than 1.4 GB.
"""

import argparse
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import MagicMock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

import nbformat
import real_lab
from nbclient import NotebookClient

from vae_teach.building import build

IMPORT, MEMORY = 0.2, 1.4  # s, GB
PEAK = "import resource; print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # KiB on Linux
LIVE = ".vae-teach-live"
SETTINGS = build.NOTEBOOKS.parent / "jupyter/etc/jupyter/jupyter_server_config.py"


def import_seconds():
    """`import vae_teach` in a fresh Python, less an empty Python; the median of five."""

    def taken(code):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - started

    return statistics.median(taken("import vae_teach") - taken("pass") for _ in range(5))


def first_picture():
    """From asking for a kernel to the first picture of chapter 05."""
    notebook = build.unexecuted(build.NOTEBOOKS / "source" / "05_vae.py")
    started, first = time.perf_counter(), []

    def drawn(cell, cell_index, execute_reply):
        if any("<img " in o.get("data", {}).get("text/html", "") for o in cell.get("outputs", [])):
            first.append(time.perf_counter() - started)
            raise KeyboardInterrupt

    place = {"metadata": {"path": str(build.NOTEBOOKS)}}
    try:
        NotebookClient(notebook, resources=place, on_cell_executed=drawn).execute()
    except KeyboardInterrupt:
        pass
    return first[0]


def first_drag():
    """From starting JupyterLab to a latent plane that follows, in chapter 05 as stored and trusted."""
    stored = nbformat.read(build.NOTEBOOKS / "05_vae.ipynb", as_version=4)
    at = [cell.source.startswith("LatentPlane(") for cell in stored.cells].index(True)
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as home,
        real_lab.chromium() as browser,
        real_lab.jupyterlab(Path(home)) as jupyter,
    ):
        page = real_lab.new_page(browser)
        jupyter.save("05.ipynb", stored, trusted=True)
        jupyter.open(page, "05.ipynb")
        cells = "jupyterapp.shell.currentWidget.content"
        page.wait_for_function(f"{cells}.widgets.length >= {len(stored.cells)}")
        page.evaluate(f"{cells}.scrollToItem({at}, 'start').then(() => null)")
        plane = page.locator(f"[data-windowed-list-index='{at}'] {LIVE}")
        plane.wait_for()
        before = plane.locator(".readout").inner_text()
        for _ in range(100):  # what lies above may still grow and move it
            plane.locator(".pad").scroll_into_view_if_needed()
            pad = plane.locator(".pad").bounding_box()
            page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + pad["height"] / 2)
            page.mouse.down()
            page.mouse.move(pad["x"] + pad["width"] / 3, pad["y"] + pad["height"] / 3)
            page.mouse.up()
            page.wait_for_timeout(20)
            if plane.locator(".readout").inner_text() != before:
                return time.perf_counter() - started
        raise real_lab.Missing("the latent plane does not follow")


def run_all(source):
    """Seconds and GB of one chapter's kernel."""
    notebook = build.unexecuted(source)
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    started = time.perf_counter()
    build.execute(notebook)
    text = notebook.cells[-1].outputs[0].text
    return time.perf_counter() - started, int(text.split()[-1]) * 1024 / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="such as 05_vae; default: all")
    wanted = parser.parse_args().chapters
    runpy.run_path(str(SETTINGS), {"get_config": MagicMock()})
    seconds = import_seconds()
    failed = seconds > IMPORT
    print(f"import vae_teach                          {seconds:6.2f} s   (at most {IMPORT})")
    print(f"chapter 05: kernel to first picture       {first_picture():6.1f} s")
    try:
        print(f"JupyterLab to the first drag, chapter 05  {first_drag():6.1f} s")
    except real_lab.Missing as reason:
        print(f"JupyterLab to the first drag is not measured: {reason}")
    print(f"\n{'Run All':28} seconds   peak GB of the kernel (at most {MEMORY})", flush=True)
    for source in build.sources():
        if wanted and source.stem not in wanted:
            continue
        seconds, peak = run_all(source)
        failed |= peak > MEMORY
        print(f"{source.stem:28} {seconds:7.0f} {peak:9.2f}", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
