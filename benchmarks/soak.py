"""Half an hour of what people do, at random: explorers moved as a page moves them, made again and closed,
training, interrupts in the midst of it, weights and data loaded again.

Run:
    python benchmarks/soak.py [--minutes 30] [--seed 0]
Prints the process's memory as it goes. Exits with 1 at the first error, or where the memory's median over the
last fifth of the time is more than 30 MB above that over the second fifth; the first one warms up.
"""

import argparse
import collections
import contextlib
import gc
import io
import os
import random
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

import psutil
import torch
from tested_explorers import EXPLORERS, SETUP
from traitlets import TraitError

from vae_teach import pictures, pretrained
from vae_teach.data.strokes import strokes
from vae_teach.explorers import Bubbles, Film
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

GROWTH = 30.0  # MB
SHORTEST = 60.0  # seconds from which memory is judged
WEIGHTS = ("classifier_strokes", "family_strokes", "vae20_strokes", "multirate_strokes")
MOVES = {  # what the page says of each explorer, by a random generator
    "plane": lambda r: {"z1": r.uniform(-3, 3), "z2": r.uniform(-3, 3), "chosen": r.randint(-1, 7)},
    "sliders": lambda r: {"code": [r.gauss(0, 1) for _ in range(20)]},
    "beta": lambda r: {"step": r.randint(0, 100), "chosen": r.randint(-1, 7)},
    "bubbles": lambda r: {"frame": r.randint(0, 15)},
    "bars": lambda r: {
        "mean": r.uniform(-3, 3), "width": r.uniform(0.1, 1.5), "case": r.choice(["one", "two"]),
    },
    "drawing": lambda r: {"seen": r.randbytes(784), "centred": r.random() < 0.5},
    "between": lambda r: {
        "t": r.random(), "first": r.randint(0, 11), "second": r.randint(0, 11),
    },
    "stepper": lambda r: {"half_step": r.randint(0, 20)},
    "decoded": lambda r: {"k": r.randint(0, 200), "upside_down": r.random() < 0.5, "mark": 1},
    "curve": lambda r: {"k": r.randint(0, 200)},
}  # fmt: skip
WRONG = {"bubbles": {"frame": -1}, "between": {"first": 99}, "stepper": {"half_step": 999}}


class People:
    """What they do, drawn from a seed; each method is one deed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.set = strokes(train=600, test=100)
        self.names, self.requests = {}, 0  # the explorers', as in a notebook
        exec(SETUP, self.names)
        for explorer in EXPLORERS:
            exec(explorer.make, self.names)

    def move(self):
        """A few events of one explorer's page."""
        name = self.random.choice(sorted(MOVES))
        for _ in range(self.random.randint(1, 20)):
            self._send(name, MOVES[name](self.random))
        explorer = self.names[name]
        assert not getattr(explorer, "error", ""), explorer.error

    def mistake(self):
        """An event that no page should send: nothing changes."""
        name = self.random.choice(sorted(WRONG))
        before = repr(self.names[name])
        try:
            self._send(name, WRONG[name])
        except TraitError:
            assert repr(self.names[name]) == before
        else:
            raise AssertionError(f"{name} takes {WRONG[name]}")

    def _send(self, name, state):
        explorer, self.requests = self.names[name], self.requests + 1
        if hasattr(explorer, "values"):  # a panel, which is asked for a picture
            explorer._handle_custom_msg({"number": self.requests, "values": state}, [])
        else:
            explorer.set_state(state)  # which raises what the message's own method would only show

    def make_again(self):
        """Close an explorer and run its cell again."""
        explorer = self.random.choice(EXPLORERS)
        self.names[explorer.name].close()
        exec(explorer.make, self.names)

    def keep(self):
        """A still picture and a page of one of them."""
        explorer = self.names[self.random.choice(EXPLORERS).name]
        assert "<img " in explorer.still()
        assert "</html>" in (
            explorer.to_html(most=9) if hasattr(explorer, "values") else explorer.to_html()
        )

    def train(self):
        """An epoch or two, filmed."""
        model, film = VAE(2, hidden=(32,)), Film(self.set.test_images, self.set.test_labels)
        fit(
            model, self.set.train_images, elbo, epochs=self.random.randint(1, 2), progress=False,
            validation=self.set.test_images, watch=film,
        )  # fmt: skip
        Bubbles(film).close()

    def interrupt(self):
        """Ctrl-C somewhere in a long training; what was seen until then is drawn."""
        model = VAE(2, hidden=(32,))
        key = threading.Timer(self.random.uniform(0.05, 0.5), os.kill, (os.getpid(), signal.SIGINT))
        key.start()
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # of the sentence that says where
                fit(
                    model, self.set.train_images, elbo, epochs=1_000_000, progress=False,
                    validation=self.set.test_images,
                )  # fmt: skip
        except KeyboardInterrupt:
            assert all(weights.isfinite().all() for weights in model.parameters())
            pictures.curves(fit.history, alt="How far it came.")
        finally:
            key.join()

    def load(self):
        """Shipped weights, and data made anew."""
        pretrained.load(self.random.choice(WEIGHTS))
        self.set = strokes(train=600, test=100, seed=self.random.randint(0, 9))


DEEDS = {
    "move": 60,
    "mistake": 5,
    "make_again": 6,
    "keep": 5,
    "train": 6,
    "interrupt": 5,
    "load": 3,
}


def soak(seconds, seed, announce=print):
    """Let people do things for so long.

    Returns:
        list of (time since the start, MB of the process), one after each deed.
    """
    people, done, memory = People(seed), collections.Counter(), []
    process, start, said = psutil.Process(), time.monotonic(), 0
    while (now := time.monotonic() - start) < seconds:
        (deed,) = people.random.choices(list(DEEDS), DEEDS.values())
        done[deed] += 1
        try:
            getattr(people, deed)()
        except BaseException:
            announce(f"seed {seed}, deed {done.total()} ({deed}) went wrong:")
            raise
        memory.append((now, process.memory_info().rss / 1e6))
        if now // 60 > said or not done.total() % 1000:
            said = now // 60
            gc.collect()
            announce(f"{now / 60:5.1f} minutes {done.total():7} deeds {memory[-1][1]:8.0f} MB")
    announce(f"seed {seed}: " + ", ".join(f"{name} {done[name]}" for name in DEEDS))
    return memory


def growth(memory):
    """MB by which the median over the last fifth of the time lies above that over the second."""
    end = memory[-1][0]
    early = [mb for at, mb in memory if end / 5 <= at < 2 * end / 5]
    late = [mb for at, mb in memory if at >= 4 * end / 5]
    return statistics.median(late) - statistics.median(early)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    memory = soak(60 * asked.minutes, asked.seed, lambda line: print(line, flush=True))
    print("no error")
    if memory[-1][0] < SHORTEST:
        print("too short to judge the memory")
        return
    grown = growth(memory)
    print(f"memory grew by {grown:.1f} MB (at most {GROWTH:.0f})")
    sys.exit(int(grown > GROWTH))


if __name__ == "__main__":
    main()
