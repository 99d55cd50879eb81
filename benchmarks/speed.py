"""Seconds an epoch: `fit`, the usual loop and the bare matrix products, in one run, interleaved.

MLP-VAE 784-400-20 (ReLU, Bernoulli), 60,000 MNIST images, batch 128, float32. Run:
    python benchmarks/speed.py [--rounds 3]
Exits with 1 where `fit` takes more than 0.45 of the usual loop's time or reaches less than 0.45 of
the speed of the matrix products alone.
"""

import argparse
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from vae_teach import data
from vae_teach.data.downloaded import cache_directory
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

BATCH, SIZES = 128, (784, 400, 20)


class UsualVAE(nn.Module):
    """The model as most scripts write it."""

    def __init__(self):
        super().__init__()
        pixels, hidden, latent = SIZES
        self.inside = nn.Linear(pixels, hidden)
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.outside, self.pixels = nn.Linear(latent, hidden), nn.Linear(hidden, pixels)

    def forward(self, x):
        h = F.relu(self.inside(x.view(-1, SIZES[0])))
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return torch.sigmoid(self.pixels(F.relu(self.outside(z)))), mean, log_variance


def usual_loop():
    """DataLoader over torchvision's MNIST with ToTensor, default Adam, loss.item() each step."""
    images = datasets.MNIST(cache_directory(), train=True, transform=transforms.ToTensor())
    loader, model = DataLoader(images, batch_size=BATCH, shuffle=True), UsualVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def epoch():
        total = 0.0
        for x, _ in loader:
            optimizer.zero_grad()
            y, mean, log_variance = model(x)
            loss = F.binary_cross_entropy(y, x.view(-1, SIZES[0]), reduction="sum")
            loss = loss - 0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum()
            loss.backward()
            total += loss.item()
            optimizer.step()
        return total / len(images)

    return epoch


def course_fit(images):
    """One epoch of `fit`, as a notebook calls it."""
    model = VAE(SIZES[2], hidden=(SIZES[1],))

    def epoch():
        history = fit(model, images, elbo, epochs=1, batch_size=BATCH, progress=False)
        return -history.train["bound"][-1]

    return epoch


def matrix_products(images):
    """The same products forward and backward, nothing else: no activation, loss or optimizer.

    A layer W (out, in) costs x Wᵀ forward; backward dᵀ x for the weight and, but for the first
    layer, d W for the input.
    """
    pixels, hidden, latent = SIZES
    shapes = [(pixels, hidden), (hidden, 2 * latent), (latent, hidden), (hidden, pixels)]
    weights = [torch.randn(b, a) for a, b in shapes]
    inputs = [torch.randn(BATCH, a) for a, _ in shapes]
    errors = [torch.randn(BATCH, b) for _, b in shapes]

    def epoch():
        for _ in range(-(-len(images) // BATCH)):
            for layer, (w, x, d) in enumerate(zip(weights, inputs, errors, strict=True)):
                torch.mm(x, w.t())
                torch.mm(d.t(), x)
                if layer > 0:
                    torch.mm(d, w)

    return epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    images = data.load("mnist").train_images
    ways = {
        "usual loop": usual_loop(),
        "fit": course_fit(images),
        "matrix products alone": matrix_products(images),
    }
    seconds = {name: [] for name in ways}
    for _ in range(rounds):
        for name, epoch in ways.items():
            started = time.perf_counter()
            epoch()
            seconds[name].append(time.perf_counter() - started)
    of_usual = statistics.median(
        f / u for f, u in zip(seconds["fit"], seconds["usual loop"], strict=True)
    )
    of_products = statistics.median(
        p / f for p, f in zip(seconds["matrix products alone"], seconds["fit"], strict=True)
    )
    print(f"MLP-VAE 784-400-20, MNIST, batch {BATCH}, float32, {torch.get_num_threads()} threads")
    print(
        f"{'seconds an epoch':24} {'median':>8} {'min':>8} {'max':>8}   ({rounds} rounds, in turn)"
    )
    for name, s in seconds.items():
        print(f"{name:24} {statistics.median(s):8.2f} {min(s):8.2f} {max(s):8.2f}")
    print(f"fit / usual loop, time               {of_usual:.2f}   (at most 0.45)")
    print(f"fit / matrix products alone, speed   {of_products:.2f}   (at least 0.45)")
    sys.exit(int(of_usual > 0.45 or of_products < 0.45))


if __name__ == "__main__":
    main()
