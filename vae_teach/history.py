"""Floor 4: what `fit` records."""

import math
from typing import NamedTuple

import torch


class Epoch(NamedTuple):
    """What is known of one epoch. A new one takes its place after every step, in one assignment, so that
    an interrupt at any line leaves a history that is whole."""

    names: tuple
    sums: torch.Tensor  # of each term over the images seen
    count: int  # images seen
    seconds: float
    validation: dict  # name -> mean

    def means(self):
        """Mean of every term over the images seen."""
        return {n: s / self.count for n, s in zip(self.names, self.sums.tolist(), strict=True)}


class History:
    """What happened during `fit`, one entry an epoch.

    Attributes:
        interrupted: True where the learner stopped it; the last epoch may then be a part of one.
    """

    def __init__(self):
        self.epochs, self.interrupted = [], False

    @property
    def train(self):
        """Term name -> means over the epoch's training images, in the objective's unit (nats)."""
        means = [epoch.means() for epoch in self.epochs]
        return {name: [row[name] for row in means] for name in (means[0] if means else ())}

    @property
    def validation(self):
        """The same on the validation images, after the epoch; NaN where that was cut short, empty
        without any."""
        names = dict.fromkeys(name for epoch in self.epochs for name in epoch.validation)
        return {name: [e.validation.get(name, math.nan) for e in self.epochs] for name in names}

    @property
    def seconds(self):
        """Training time of each epoch, validation left out."""
        return [epoch.seconds for epoch in self.epochs]

    @property
    def images_per_second(self):
        """Training speed of each epoch."""
        return [epoch.count / epoch.seconds for epoch in self.epochs]

    def __repr__(self):
        """One line: epochs, time, the last means."""
        last = ", ".join(f"{name} {values[-1]:.2f}" for name, values in self.train.items())
        stopped = " (interrupted)" if self.interrupted else ""
        return (
            f"History: {len(self.epochs)} epochs{stopped}, {sum(self.seconds):.1f} s; last: {last}"
        )


class NonFiniteLoss(RuntimeError):
    """The loss or a weight became NaN or infinite; `.history` holds what was recorded until then."""

    def __init__(self, message, history):
        super().__init__(message)
        self.history = history
