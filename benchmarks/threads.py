"""How many threads serve a learner best: training and Run All in an open JupyterLab, at rest and dragged.

Each setting gets a JupyterLab and a headless browser of its own; its kernels start with it. Measured are
    fit     seconds to train 784-400-20 with batches of 128, while nobody touches the page;
            the same while the latent plane, which the page computes, is dragged without a pause;
            the same while a panel is dragged whose picture the kernel draws
    drag    milliseconds from an event to its painted picture (median over the drags' medians) and frames
            a drag of 200 events in 1.6 s, of both, while the kernel trains
    all     seconds of Run All of one chapter, on strokes, in the same browser
    weights whether the same seed gave the same weights in all three runs, and those of the first setting
Run on a machine that does nothing else:
    python benchmarks/threads.py [--quick] [--chapter 05_vae]        about ten minutes
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

import real_lab
from explorers_notebook import SHOWN, ExplorersNotebook
from tested_explorers import EXPLORERS

from vae_teach.building import build

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
FEWER = max(1, CORES - 1)
DRAGGED = [explorer for explorer in EXPLORERS if explorer.name in ("plane", "decoded")]
# A `fit` that times a few batches on a copy of the model with one thread and with all, and takes the quicker.
ADAPTIVE = """
import copy, time
import torch
from vae_teach import training

def _adaptive(fit, cores=torch.get_num_threads()):
    def seconds(threads, model, images, objective, batch_size=128, device="cpu", **_):
        torch.set_num_threads(threads)
        few = images if isinstance(images, tuple) else (images,)
        few = tuple(part[:5 * batch_size] for part in few)
        few = few if isinstance(images, tuple) else few[0]
        trial = copy.deepcopy(model)
        fit(trial, few, objective, 1, batch_size, progress=False, device=device)  # warm-up
        started = time.perf_counter()
        fit(trial, few, objective, 1, batch_size, progress=False, device=device)
        return time.perf_counter() - started

    def adaptive(model, images, objective, epochs=10, **options):
        taken = {n: seconds(n, model, images, objective, **options) for n in sorted({1, cores})}
        torch.set_num_threads(min(taken, key=taken.get))
        return fit(model, images, objective, epochs, **options)

    return adaptive

training.fit = _adaptive(training.fit)
"""
ALL = {"OMP_NUM_THREADS": str(CORES)}  # PyTorch's own choice; jupyter/ leaves a core to the page
SETTINGS = {  # name -> (variables of the kernel, code that it starts with)
    "as it comes": (ALL, ""),
    f"all cores but one: {FEWER}": ({"OMP_NUM_THREADS": str(FEWER)}, ""),
    "one thread": ({"OMP_NUM_THREADS": "1"}, ""),
    "passive waiting": (ALL | {"OMP_WAIT_POLICY": "PASSIVE"}, ""),
    "adaptive": (ALL, ADAPTIVE),
}
if FEWER == 1:
    del SETTINGS[f"all cores but one: {FEWER}"]  # is "one thread"
TRAIN = """
torch.manual_seed(0)
model = VAE(20, hidden=(400,))
started = time.perf_counter()
fit(model, many, elbo, epochs={epochs}, progress=False)
seconds = time.perf_counter() - started
"""
WEIGHTS = (
    "hashlib.sha256(b''.join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()"
)
RUN_ALL = """() => {
  window.atWork = true;
  jupyterapp.commands.execute("notebook:run-all-cells").finally(() => { window.atWork = false; });
}"""
ERRORS = f"""() => {SHOWN}.content.widgets.flatMap((cell) => cell.model.sharedModel.toJSON().outputs ?? [])
  .filter((output) => output.output_type === "error").map((output) => output.evalue)"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the training, to try it")
    parser.add_argument("--chapter", default="05_vae", help="whose Run All is measured")
    chosen = parser.parse_args()
    images, epochs = (3000, 2) if chosen.quick else (15_000, 4)
    print(f"{CORES} cores; fit: {images:,} images, {epochs} epochs; Run All: {chosen.chapter}")
    print(f"{'':20}{'fit, in s':^24}   drag: page      kernel        all", flush=True)
    print(f"{'':20}   rest    page  kernel   ms frames   ms frames      s   weights", flush=True)
    first = None
    for name, setting in SETTINGS.items():
        try:
            with opened(*setting) as (jupyter, page):
                seconds, drags, weights = train(jupyter, page, images, epochs)
                whole = run_all(jupyter, page, chosen.chapter)
        except real_lab.Missing as reason:
            sys.exit(f"threads are not measured: {reason}")
        first = first or weights[0]
        line = f"{name:20}" + "".join(f"{number:8.1f}" for number in seconds)
        line += "".join(f"{median:5.0f}{frames:7.0f}" for median, frames in drags)
        same = "same" if len(set(weights)) == 1 else "NOT the same"
        other = "" if weights[0] == first else ", other than with the first setting"
        print(f"{line}{whole:7.0f}   {same}{other}", flush=True)


@contextmanager
def opened(variables, code):
    """A JupyterLab whose kernels have these variables and start with this code, and a page."""
    others = {
        k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")
    }
    variables = others | variables | {"VAE_TEACH_DATASET": "strokes"}
    with (
        tempfile.TemporaryDirectory() as home,
        mock.patch.dict(os.environ, variables, clear=True),
        real_lab.chromium() as browser,
    ):
        startup = Path(home) / "ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "threads.py").write_text(code, encoding="utf-8")
        with real_lab.jupyterlab(Path(home)) as jupyter:
            yield jupyter, real_lab.new_page(browser)


def train(jupyter, page, images, epochs):
    """Seconds at rest, and while each of DRAGGED is dragged; (ms, frames) of each; all weights' digests."""
    explorers = ExplorersNotebook(jupyter, page, explorers=DRAGGED)
    explorers.run("import hashlib, time")
    explorers.run(f"many = data.train_images.repeat({images // 3000}, 1, 1, 1)")
    explorers.run(TRAIN.format(epochs=1))  # what is made once is made now
    seconds, drags, weights = [], [], []
    for explorer in (None, *DRAGGED):
        figures = []
        explorers.start(TRAIN.format(epochs=epochs))
        while explorers.busy():
            if explorer is None:
                page.wait_for_timeout(50)
            else:
                figures.append(explorers.drag(explorer))
        seconds.append(explorers.ask("seconds"))
        weights.append(explorers.ask(WEIGHTS))
        if explorer is not None:
            drags.append(
                [statistics.median(f[key] for f in figures) for key in ("median", "frames")]
            )
    return seconds, drags, weights


def run_all(jupyter, page, chapter):
    """Seconds from the command to the last cell's end."""
    jupyter.save("chapter.ipynb", build.unexecuted(build.NOTEBOOKS / "source" / f"{chapter}.py"))
    jupyter.open(page, "chapter.ipynb")
    jupyter.wait_for_kernel(page)
    started = time.perf_counter()
    page.evaluate(RUN_ALL)
    while page.evaluate("window.atWork"):
        page.wait_for_timeout(50)
    seconds = time.perf_counter() - started
    assert page.evaluate(ERRORS) == []
    return seconds


if __name__ == "__main__":
    main()
