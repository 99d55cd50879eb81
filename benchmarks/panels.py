"""Milliseconds from a control's event to its picture, for everything the kernel draws in the notebooks.

Runs each notebook in a kernel of its own, then moves every control of every Panel through
up to 40 values. Run:
    python benchmarks/panels.py [notebook ...]
Exits with 1 where a control's median is above 50 ms.
"""

import argparse
import sys

from nbformat.v4 import new_code_cell

from vae_teach.building import build

LIMIT = 50.0  # ms
PROBE = """
import gc, statistics, time
from ipywidgets import IntSlider, FloatSlider
from vae_teach.page import Panel

def _values(control):
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options] * 3
    if not hasattr(control, "max"):
        return [True, False] * 5
    kind = int if isinstance(control, IntSlider) else float
    values = [kind(control.min + k / 39 * (control.max - control.min)) for k in range(40)]
    return [control.base**v for v in values] if hasattr(control, "base") else values  # log slider

for panel in [o for o in gc.get_objects() if isinstance(o, Panel)]:
    for control in panel._controls.values():
        times, before = [], control.value
        for value in _values(control):
            if value != control.value:
                started = time.perf_counter()
                control.value = value
                times.append(1e3 * (time.perf_counter() - started))
        control.value = before
        times.sort()
        middle, late = statistics.median(times), times[int(0.95 * (len(times) - 1))]
        print(f"PROBE {control.description or '':34.34} {middle:6.1f} {late:6.1f} ms")
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 05_vae; default: all")
    wanted = parser.parse_args().names
    slow = 0
    print(f"{'event to picture in the kernel, ms':38} median    p95")
    for source in build.sources():
        if wanted and source.stem not in wanted:
            continue
        notebook = build.unexecuted(source)
        notebook.cells.append(new_code_cell(PROBE, id="probe"))
        build.execute(notebook)
        text = "".join(o.get("text", "") for o in notebook.cells[-1].outputs)
        for line in text.splitlines():
            if line.startswith("PROBE "):
                print(f"{source.stem[:2]} {line[6:]}", flush=True)
                slow += float(line.split()[-3]) > LIMIT
    sys.exit(int(slow > 0))


if __name__ == "__main__":
    main()
