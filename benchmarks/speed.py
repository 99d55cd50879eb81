"""Seconds an epoch of `fit`, against the usual loop, two packages and the bare matrix products.

MLP-VAE 784-400-20 (ReLU, Bernoulli), 60,000 MNIST images, batch 128 and 512, float32, CPU; every way
trains the same model with Adam, all in one run and in turn. Run:
    pip install -e .[bench]
    python benchmarks/speed.py [--rounds 3]
Exits with 1 where `fit` misses a bound. Each is a ratio within a round, so that the machine's pace cancels;
the median over the rounds counts. The usual loop and Lightning read torchvision's MNIST image by image, as
most scripts do; pythae and `fit` get one tensor.
"""

import argparse
import contextlib
import io
import logging
import statistics
import sys
import tempfile
import time
import warnings

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

SIZES, BATCHES = (784, 400, 20), (128, 512)
LEAST = {"the usual loop": 3, "pythae": 2, "Lightning": 3, "matrix products alone": 0.6}
PRODUCTS = "matrix products alone"


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


def usual_loss(model, x):
    """Summed over the batch."""
    y, mean, log_variance = model(x)
    loss = F.binary_cross_entropy(y, x.view(-1, SIZES[0]), reduction="sum")
    return loss - 0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum()


def loader(batch):
    images = datasets.MNIST(cache_directory(), train=True, transform=transforms.ToTensor())
    return DataLoader(images, batch_size=batch, shuffle=True)


def usual_loop(batch):
    """DataLoader over torchvision's MNIST with ToTensor, default Adam, loss.item() each step."""
    batches, model = loader(batch), UsualVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def epoch():
        total = 0.0
        for x, _ in batches:
            optimizer.zero_grad()
            loss = usual_loss(model, x)
            loss.backward()
            total += loss.item()
            optimizer.step()
        return total

    return epoch


def lightning(batch):
    """A LightningModule with the same loss, in a Trainer without logger and checkpoints."""
    import lightning as L

    warnings.filterwarnings("ignore", module="lightning")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = UsualVAE()

        def training_step(self, batch):
            return usual_loss(self.model, batch[0])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=1e-3)

    batches, module = loader(batch), Module()
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")

    def epoch():
        trainer = L.Trainer(max_epochs=1, accelerator="cpu", **dict.fromkeys(quiet, False))
        trainer.fit(module, batches)

    return epoch


def pythae(batch, images):
    """The package's VAE with our layers, in its own trainer; the images as one tensor."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE as Theirs
    from pythae.models import VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    logging.disable(logging.INFO)

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.latent_dim, self.usual = SIZES[2], UsualVAE()

        def forward(self, x):
            h = F.relu(self.usual.inside(x.flatten(1)))
            mean, log_variance = self.usual.mean(h), self.usual.log_variance(h)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.usual = UsualVAE()

        def forward(self, z):
            y = torch.sigmoid(self.usual.pixels(F.relu(self.usual.outside(z))))
            return ModelOutput(reconstruction=y.reshape(-1, 1, 28, 28))

    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=SIZES[2], reconstruction_loss="bce")
    model = Theirs(config, Encoder(), Decoder())
    for half, used in (
        (model.encoder, "inside mean log_variance"),
        (model.decoder, "outside pixels"),
    ):
        for name in [name for name, _ in half.usual.named_children() if name not in used.split()]:
            delattr(half.usual, name)
    train = BaseDataset(images, torch.zeros(len(images)))

    def epoch():
        with tempfile.TemporaryDirectory() as folder:
            settings = BaseTrainerConfig(
                output_dir=folder, num_epochs=1, learning_rate=1e-3, no_cuda=True,
                per_device_train_batch_size=batch, per_device_eval_batch_size=batch,
            )  # fmt: skip
            trainer = BaseTrainer(model=model, train_dataset=train, training_config=settings)
            with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
                trainer.train()

    return epoch


def course_fit(batch, images):
    """One epoch of `fit`, as a notebook calls it."""
    model = VAE(SIZES[2], hidden=(SIZES[1],))
    return lambda: fit(model, images, elbo, epochs=1, batch_size=batch, progress=False)


def matrix_products(batch, images):
    """The same products forward and backward, nothing else: no activation, loss or optimizer.

    A layer W (out, in) costs x Wᵀ forward; backward dᵀ x for the weight and, but for the first
    layer, d W for the input.
    """
    pixels, hidden, latent = SIZES
    shapes = [(pixels, hidden), (hidden, 2 * latent), (latent, hidden), (hidden, pixels)]
    weights = [torch.randn(b, a) for a, b in shapes]
    inputs = [torch.randn(batch, a) for a, _ in shapes]
    errors = [torch.randn(batch, b) for _, b in shapes]

    def epoch():
        for _ in range(-(-len(images) // batch)):
            for layer, (w, x, d) in enumerate(zip(weights, inputs, errors, strict=True)):
                torch.mm(x, w.t())
                torch.mm(d.t(), x)
                if layer > 0:
                    torch.mm(d, w)

    return epoch


def measure(batch, images, rounds):
    """Seconds of every way, `rounds` epochs each, in turn."""
    ways = {
        "the usual loop": usual_loop(batch),
        "pythae": pythae(batch, images),
        "Lightning": lightning(batch),
        "fit": course_fit(batch, images),
        PRODUCTS: matrix_products(batch, images),
    }
    seconds = {name: [] for name in ways}
    for _ in range(rounds):
        for name, epoch in ways.items():
            started = time.perf_counter()
            epoch()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def report(batch, seconds):
    """Print the table of one batch size; whether a bound is missed."""
    missed, rounds = False, len(seconds["fit"])
    print(f"\nbatch {batch}, {rounds} rounds{'':14} median     min   fit is so many times as fast")
    for name, values in seconds.items():
        ratios = [other / ours for other, ours in zip(values, seconds["fit"], strict=True)]
        line = f"{name:30} {statistics.median(values):8.2f} {min(values):7.2f}"
        if name in LEAST:
            ratio, least = statistics.median(ratios), LEAST[name]
            missed |= ratio < least
            line += f"   {ratio:.2f} ({'' if ratio >= least else 'missed: '}at least {least})"
        print(line, flush=True)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    images = data.load("mnist").train_images
    print(
        f"MLP-VAE 784-400-20, MNIST, float32, {torch.get_num_threads()} threads; seconds an epoch"
    )
    sys.exit(int(any([report(batch, measure(batch, images, rounds)) for batch in BATCHES])))


if __name__ == "__main__":
    main()
