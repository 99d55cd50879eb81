"""Do the generated digits look handwritten? Classifiers trained on one set read the other.

    python -m benchmarks.handwritten

Trains a small convolutional network on MNIST and one on `strokes`, prints how well each reads
both test sets and where it errs, and saves both sets side by side in
benchmarks/out/handwritten.png. Exits with 1 if MNIST's network reads under 90 % of strokes, or
strokes' network under 75 % of MNIST.
"""

import os
import sys
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from vae_teach.data.load import load
from vae_teach.data.strokes import strokes

PICTURE = Path(__file__).parent / "out" / "handwritten.png"
NEEDED = {("mnist", "strokes"): 0.90, ("strokes", "mnist"): 0.75}


def classifier(images, labels, steps=700, batch_size=100, seed=0):
    """Train a small convolutional network on images (N, 1, 28, 28)."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(128, 10),
    )  # fmt: skip
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for _ in range(steps):
        batch = torch.randint(len(images), (batch_size,))
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def confusion(model, images, labels):
    """Counts (10, 10): rows are true digits, columns what the model reads."""
    read = torch.cat([model(part).argmax(1) for part in images.split(1000)])
    return torch.bincount(labels * 10 + read, minlength=100).view(10, 10)


def print_confusion(counts, title):
    """A 10x10 table with the share of each digit that is read rightly."""
    print(f"\n{title}: {accuracy(counts):.1%}")
    print("true \\ read" + "".join(f"{digit:6d}" for digit in range(10)) + "   right")
    for digit, row in enumerate(counts.tolist()):
        cells = "".join(f"{count:6d}" if count else "     ·" for count in row)
        print(f"{digit:11d}{cells}  {row[digit] / sum(row):6.1%}")


def accuracy(counts):
    return (counts.diag().sum() / counts.sum()).item()


def save_picture(sets, path, columns=16):
    """Save the ten digits of each set, a row for each digit."""
    figure = Figure(figsize=(12, 4.2), dpi=150, layout="constrained")
    axes = figure.subplots(1, len(sets))
    for ax, data in zip(axes, sets, strict=True):
        rows = [
            torch.cat(list(data.test_images[data.test_labels == digit][:columns, 0]), dim=1)
            for digit in range(10)
        ]
        ax.imshow(torch.cat(rows), cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(data.name, fontsize=11)
        ax.set_yticks([28 * digit + 13.5 for digit in range(10)], range(10))
        ax.set_xticks([])
        ax.tick_params(length=0)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path)


def main():
    started = time.perf_counter()
    drawn = strokes()
    seconds = time.perf_counter() - started
    sets = (load("mnist"), drawn)
    save_picture(sets, PICTURE)
    results = {}
    for taught in sets:
        model = classifier(taught.train_images, taught.train_labels)
        for asked in sets:
            counts = confusion(model, asked.test_images, asked.test_labels)
            results[taught.name, asked.name] = counts
    for (taught, asked), counts in results.items():
        if taught != asked:
            print_confusion(counts, f"Trained on {taught}, reads {asked}")

    print(f"\n{'trained on':12}{'reads':10}{'accuracy':>9}{'needed':>9}")
    missed = False
    for pair, counts in results.items():
        needed = NEEDED.get(pair)
        missed = missed or (needed is not None and accuracy(counts) < needed)
        print(
            f"{pair[0]:12}{pair[1]:10}{accuracy(counts):9.1%}{f'{needed:.0%}' if needed else '':>9}"
        )
    count = len(drawn.train_images) + len(drawn.test_images)
    print(
        f"\nstrokes: {count:,} images drawn in {seconds:.1f} s ({torch.get_num_threads()} threads)."
    )
    print(f"all in {time.perf_counter() - started:.0f} s; picture: {os.path.relpath(PICTURE)}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
