"""EM stepper: forward and back through the half steps of EM, with the bound that never falls."""

import torch
import traitlets as t
from matplotlib.figure import Figure

from vae_teach.page.networks import halves
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import pixels
from vae_teach.pictures.mixtures import COMPONENTS, MARKERS, ellipse, stairs, window


class EmStepper(WebExplorer):
    """Points with a mixture's responsibilities and ellipses, half step by half step.

    A point's colour mixes the components' colours by its responsibilities, its marker is that of
    the largest one. Beside it log p(x) and ELBO, nats a point, after each half step.

    Args:
        x: (N, 2) points.
        path: list of (name, weights (K,), means (K, 2), covariances (K, 2, 2), responsibilities
            (N, K), log p(x), ELBO) with K at most 3, the last two in nats a point; names "start",
            then "E" and "M" in turn.
        caption: shown below the still picture.

    Attributes:
        half_step: the one shown, from 0.

    Raises:
        ValueError: shapes that do not fit.
    """

    half_step = t.Int(0, min=0).tag(**BOTH_WAYS)
    names = t.List().tag(sync=True)
    points = t.Bytes().tag(sync=True)  # float16
    window = t.List().tag(sync=True)
    weights = t.List().tag(sync=True)
    shapes = t.List().tag(sync=True)  # means, and the lower triangles of the covariances' roots
    shares = t.Bytes().tag(sync=True)  # responsibilities, a byte each; a set for each E step
    owners = t.List().tag(sync=True)  # which of these sets a half step shows
    log_p = t.List().tag(sync=True)
    bound = t.List().tag(sync=True)

    def __init__(self, x, path, caption=""):
        """Check and pack the walk."""
        x = torch.as_tensor(x).detach().double().clone()
        path = [
            (p[0], *(torch.as_tensor(v).detach().double().clone() for v in p[1:])) for p in path
        ]
        _check(x, path)
        self._x, self._path, self._caption = x, path, caption
        roots = [torch.linalg.cholesky(p[3]) for p in path]
        lower = [torch.stack([r[:, 0, 0], r[:, 1, 0], r[:, 1, 1]], 1) for r in roots]
        sets, owners = [], []
        for p in path:
            if not sets or not torch.equal(p[4], sets[-1]):  # an M step keeps them
                sets.append(p[4])
            owners.append(len(sets) - 1)
        super().__init__(
            half_step=min(12, len(path) - 1),
            names=[p[0] for p in path],
            points=halves(x, "x in float16"),
            window=[side.tolist() for side in window(x)],
            weights=[p[1].tolist() for p in path],
            shapes=[torch.cat([p[2], s], 1).tolist() for p, s in zip(path, lower, strict=True)],
            shares=pixels.to_bytes(torch.stack(sets)),
            owners=owners,
            log_p=[p[5].item() for p in path],
            bound=[p[6].item() for p in path],
        )

    @t.validate("half_step")
    def _on_the_path(self, proposal):
        if proposal["value"] >= len(self._path):
            raise t.TraitError(
                f"half_step is {proposal['value']}, 0 to {len(self._path) - 1} is needed."
            )
        return proposal["value"]

    def still(self):
        """HTML of the half step shown and of the curves."""
        gap = self.log_p[self.half_step] - self.bound[self.half_step]
        alt = (
            f"Left: {len(self._x)} points coloured and shaped by responsibility, with ellipses of "
            f"two standard deviations, after half step {self.half_step} "
            f"({self.names[self.half_step]}). Right: the staircase of log p and ELBO, {gap:.4f} nats "
            "apart there; neither ever falls."
        )
        caption = f"{self._caption} Run the cell to step and play.".strip()
        return pixels.still(self._still_png(), alt, caption)

    def _still_png(self):
        name, _, means, covariances, responsibilities, *_ = self._path[self.half_step]
        figure = Figure(figsize=(8.4, 3.7), dpi=96, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
        x, q = self._x.numpy(), responsibilities.numpy()
        winner, colours = q.argmax(1), COMPONENTS[: q.shape[1]]
        for k, colour in enumerate(colours):
            rows = winner == k
            look = {"s": 14, "marker": MARKERS[k], "c": (q[rows] @ colours).clip(0, 1), "lw": 0}
            left.scatter(*x[rows].T, **look)
            left.plot(*ellipse(means[k], covariances[k]), color=colour, lw=2)
        low, high = self.window
        left.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), title=f"{name}, {self.half_step}")
        stairs(right, self.names, self.log_p, self.bound)
        right.axvline(self.half_step, color="black", lw=1.2, ls=":")
        return pixels.figure_png(figure)

    def __repr__(self):
        """One line: points, and the half step shown."""
        last = len(self._path) - 1
        name = self.names[self.half_step]
        return f"EmStepper of {len(self._x)} points: half step {self.half_step} of {last} ({name})"


def _check(x, path):
    if not path:
        raise ValueError("path is empty, at least the start is needed.")
    if x.dim() != 2 or x.shape[1] != 2:
        raise ValueError(f"x has shape {tuple(x.shape)}, (N, 2) is needed.")
    count = len(path[0][1])
    if not 1 <= count <= len(MARKERS):
        raise ValueError(f"path has {count} components, 1 to {len(MARKERS)} are needed.")
    wanted = [(count,), (count, 2), (count, 2, 2), (len(x), count), (), ()]
    kinds = ("weights", "means", "covariances", "responsibilities", "log p(x)", "ELBO")
    for i, (_, *values) in enumerate(path):
        for kind, value, shape in zip(kinds, values, wanted, strict=True):
            if value.shape != shape:
                raise ValueError(
                    f"path[{i}]'s {kind} have shape {tuple(value.shape)}, {shape} is needed."
                )
            if not value.isfinite().all():
                raise ValueError(f"path[{i}]'s {kind} are not all finite numbers.")
