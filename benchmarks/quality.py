"""What a VAE reaches in 1, 3 and 10 minutes on dynamically binarized MNIST, beside a published figure.

784-200-200-50, ELBO with one draw, batch 256, one cycle of Adam's step size up to 5e-3, matrix products
in bfloat16 where the processor has them; as many epochs as fit into the time. Run:
    python benchmarks/quality.py [minutes ...]
The aims are no bounds: to miss one is no failure. Test images are binarized once (seed 0). −ELBO is over
all 10,000 with 20 draws each; NLL is −ELBO less the mean gap to log p(x) by importance sampling (5,000
draws) on the first 500 images, which is far more certain than their NLL alone. Published: 86.76 nats
for this VAE, k = 1 (Burda et al. 2016, table 1).
"""

import argparse
import itertools
import math
import time

import torch

from vae_teach import data, evaluation
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

PUBLISHED = 86.76
AIMS = {1: 89.9, 3: 88.5, 10: 87.4}
BATCH, PEAK = 256, 5e-3
SCORED = 500  # images with 5,000 draws each


def binarized(model, x):
    """The ELBO of images whose pixels are drawn anew at every step."""
    return elbo(model, torch.bernoulli(x))


def trained(images, epochs):
    torch.manual_seed(0)
    model = VAE(50, hidden=(200, 200))
    settings = dict(epochs=epochs, batch_size=BATCH, lr=PEAK, one_cycle=True, progress=False)
    history = fit(model, images, binarized, **settings)
    return model.eval(), sum(history.seconds)


@torch.no_grad()
def scores(model, test):
    """−ELBO, NLL and the standard error of its gap."""
    torch.manual_seed(0)
    bound = torch.cat([elbo(model, x, samples=20).bound for x in test.split(500)])
    gap = evaluation.log_likelihood(model, test[:SCORED], samples=5000) - bound[:SCORED]
    return (
        -bound.mean().item(),
        -(bound.mean() + gap.mean()).item(),
        gap.std().item() / math.sqrt(SCORED),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("minutes", nargs="*", type=float, default=sorted(AIMS))
    minutes = parser.parse_args().minutes
    torch.set_float32_matmul_precision("medium")
    mnist = data.load("mnist")
    test = torch.bernoulli(mnist.test_images, generator=torch.Generator().manual_seed(0))
    trained(mnist.train_images, 1)  # warm
    epoch = trained(mnist.train_images, 3)[1] / 3
    print(f"784-200-200-50, {torch.get_num_threads()} threads, {epoch:.2f} s an epoch")
    print(
        f"{'minutes':>7} {'epochs':>7} {'trained, s':>11} {'−ELBO':>7} {'NLL':>16}   published {PUBLISHED}"
    )
    found = []
    for limit in minutes:
        epochs = max(1, int(60 * limit / epoch))
        started = time.perf_counter()
        model, seconds = trained(mnist.train_images, epochs)
        bound, nll, error = scores(model, test)
        aim = AIMS.get(limit)
        told = "" if aim is None else f"   aim {aim}: missed by {nll - aim:.1f}"
        if aim is not None and nll <= aim:
            told = f"   aim {aim}: reached{' too late' if seconds > 63 * limit else ''}"
        print(
            f"{limit:7g} {epochs:7d} {seconds:11.0f} {bound:7.2f} {nll:8.2f} ± {error:.2f}{told}",
            flush=True,
        )
        print(f"{'':7} scoring took {time.perf_counter() - started - seconds:.0f} s")
        found.append((seconds / 60, nll))
    for (short, worse), (long, better) in itertools.pairwise(found):
        if worse > better:
            price = (long - short) / (worse - better)
            print(f"From {worse:.1f} to {better:.1f} nats: {price:.1f} more minutes a nat.")


if __name__ == "__main__":
    main()
