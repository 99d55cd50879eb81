"""Milliseconds from a pointer's event to its painted picture, for every explorer in a real JupyterLab.

Beside them the usual pattern, `interact` with `plt.imshow`, in the same notebook and the same way:
200 events in 1.6 s, 8 ms apart. Of up to three drags each the best counts, as other work on the machine
only makes them slower. Run:
    python benchmarks/dragging.py
Exits with 1 where a bound (tests/browser/room.py) is missed by more than the machine is slow.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

import lab
from room import BOUNDS, PACE, RATIO, Room, misses, slowness
from table import EXPLORERS, USUAL

COLUMNS = ("median", "p95", "frames", "lag")


def main():
    try:
        with (
            tempfile.TemporaryDirectory() as home,
            lab.chromium() as browser,
            lab.jupyterlab(Path(home)) as jupyter,
        ):
            failed = report(Room(jupyter, lab.new_page(browser)))
    except lab.Missing as reason:
        sys.exit(f"dragging is not measured: {reason}")
    sys.exit(int(failed))


def report(room):
    """Print the table; whether a bound was missed."""
    usual, failed = room.best(USUAL), False
    print(f"{'':10} where  " + "".join(f"{name:>8}" for name in (*COLUMNS, "ratio")) + "   missed")
    line("usual", "kernel", usual, usual, "")
    for explorer in EXPLORERS:
        figures = room.best(explorer)
        late = misses(explorer, figures, slowness(usual, explorer))
        missed = [f"{name}{'' if name in late else '*'}" for name in misses(explorer, figures)]
        if not explorer.reads and figures["median"] > RATIO * usual["median"]:
            missed.append("ratio")
            late["ratio"] = figures["median"] / usual["median"]
        line(explorer.name, "kernel" if explorer.reads else "page", figures, usual, missed)
        failed |= bool(late)
    for reads, where in ((False, "page"), (True, "kernel")):
        bounds = ", ".join(f"{name} {bound}" for name, bound in BOUNDS[reads].items())
        print(f"bounds, {where}: {bounds}" + ("" if reads else f", ratio {RATIO}"))
    print(
        f"Bounds are for a machine where the usual pattern takes {PACE} ms; here it takes "
        f"{usual['median'] / PACE:.1f} times as long.\n* kept where bounds are so many times wider, 3 at "
        "most for the page."
    )
    return failed


def line(name, where, figures, usual, missed):
    numbers = [f"{figures[column]:8.0f}" for column in COLUMNS]
    ratio = figures["median"] / usual["median"]
    print(f"{name:10} {where:6} {''.join(numbers)}{ratio:8.2f}   {', '.join(missed)}", flush=True)


if __name__ == "__main__":
    main()
