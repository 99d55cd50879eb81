"""Milliseconds from a pointer's event to its painted picture, for every explorer in a real JupyterLab.

Each in a notebook of its own, beside the usual pattern, `interact` with `plt.imshow`, dragged the same
way: 200 events in 1.6 s, 8 ms apart. Of up to five drags each the best counts, as other work on the
machine only makes them slower. Run:
    python benchmarks/dragging.py           about seven minutes
    python benchmarks/dragging.py together  all in one notebook of ten, which slows its page
Exits with 1 where a bound (tests/browser/explorers_notebook.py) is missed by more than the machine is slow.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

import real_lab
from explorers_notebook import BOUNDS, PACE, RATIO, ExplorersNotebook, misses, slowness
from tested_explorers import EXPLORERS, USUAL

COLUMNS = ("median", "p95", "frames", "lag")


def main():
    try:
        with (
            tempfile.TemporaryDirectory() as home,
            real_lab.chromium() as browser,
            real_lab.jupyterlab(Path(home)) as jupyter,
        ):
            failed = report(jupyter, real_lab.new_page(browser), "together" in sys.argv[1:])
    except real_lab.Missing as reason:
        sys.exit(f"dragging is not measured: {reason}")
    sys.exit(int(failed))


def report(jupyter, page, together):
    """Print the table; whether a bound was missed."""
    titles = "".join(f"{name:>8}" for name in (*COLUMNS, "usual", "ratio"))
    print(f"{'':10} where  {titles}   missed")
    opened = together and ExplorersNotebook(jupyter, page)
    failed, slow = False, []
    for explorer in EXPLORERS:
        alone = opened or ExplorersNotebook(jupyter, page, explorers=[explorer, USUAL])
        alone.go(explorer)
        page.wait_for_timeout(2000)  # a reader looks before the first drag
        figures, usual = alone.best(explorer), alone.best(USUAL)
        times, ratio = slowness(usual, explorer), figures["median"] / usual["median"]
        late = misses(explorer, figures, times)
        missed = [f"{name}{'' if name in late else '*'}" for name in misses(explorer, figures)]
        if ratio > RATIO:
            missed.append("ratio")
            late["ratio"] = ratio
        numbers = [f"{figures[column]:8.0f}" for column in COLUMNS]
        where = "kernel" if explorer.reads else "page"
        line = f"{explorer.name:10} {where:6} {''.join(numbers)}{usual['median']:8.0f}{ratio:8.2f}"
        print(line, " ", ", ".join(missed), flush=True)
        slow.append(usual["median"] / PACE)
        failed |= bool(late)
    for reads, where in ((False, "page"), (True, "kernel")):
        bounds = ", ".join(f"{name} {bound}" for name, bound in BOUNDS[reads].items())
        print(f"bounds, {where}: {bounds}, ratio {RATIO}")
    print(
        f"Bounds are for a machine where the usual pattern takes {PACE} ms; here it takes "
        f"{min(slow):.1f} to {max(slow):.1f} times as long.\n* kept where bounds are so many times wider, "
        "4 at most for the page."
    )
    return failed


if __name__ == "__main__":
    main()
