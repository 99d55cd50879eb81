"""ELBO bars: drag q over the posterior; the ELBO and the KL that is left make log p(x)."""

import math

import torch
import traitlets as t
from matplotlib.figure import Figure

from vae_teach import checks
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import pixels
from vae_teach.pictures.colours import ENCODER, KL, POSTERIOR


class ElboBars(WebExplorer):
    """Drag a Gaussian q(z) over the posterior p(z|x) of a model with one latent dimension.

    Beside it the ELBO, split into E_q[log p(x|z)] − KL(q‖p(z)), and stacked on it KL(q‖p(z|x)):
    together log p(x), wherever q is. The page computes all of it by sums over the grid, in nats.

    Args:
        z: (G,) evenly spaced and rising. It should reach four widths beyond all means, and holds
            nearly all of the prior.
        log_prior: (G,), log p(z).
        log_likelihoods: dict of a decoder's name -> (G,), log p(x|z) of one x.
        means: lowest and highest mean of q. The plot shows a sixth more on either side; q is at
            most a quarter as wide as the grid beyond them.
        caption: data and settings, shown below the still picture.

    Attributes:
        case: the name of the chosen decoder.
        mean, width: of q.

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    case = t.Unicode().tag(**BOTH_WAYS)
    mean = t.CFloat(0.0).tag(**BOTH_WAYS)
    width = t.CFloat(1.0).tag(**BOTH_WAYS)
    cases = t.List().tag(sync=True)
    grid = t.List().tag(sync=True)  # its first point and its step
    logs = t.Bytes().tag(sync=True)  # float32: log p(z), then log p(x, z) of each case
    means = t.List().tag(sync=True)
    widths = t.List().tag(sync=True)
    top = t.Float().tag(sync=True)  # density at the upper edge: the narrowest q just fits
    levels = t.List().tag(sync=True)  # whole nats between which the bars are drawn

    def __init__(self, z, log_prior, log_likelihoods, means=(-3.0, 3.0), caption=""):
        """Check the arguments and find the ranges of the plots."""
        z, log_prior, log_likelihoods = _checked(z, log_prior, log_likelihoods, means)
        self._z, self._prior = z, log_prior
        self._joints = {name: log_prior + values for name, values in log_likelihoods.items()}
        self._caption = caption
        step = (z[1] - z[0]).item()
        self._evidence = {
            n: j.logsumexp(0).item() + math.log(step) for n, j in self._joints.items()
        }
        highest = max(math.exp(j.max() - self._evidence[n]) for n, j in self._joints.items())
        top = math.ceil(18 * highest) / 10  # the best q on one of two bumps is higher than it
        narrow = math.ceil(100 * _PEAK / top) / 100
        wide = math.floor(25 * min(means[0] - z[0].item(), z[-1].item() - means[1])) / 100
        if wide <= narrow:
            raise ValueError(
                f"z reaches from {z[0]:g} to {z[-1]:g}, which leaves no room for a q beyond "
                f"the means {means[0]:g} to {means[1]:g}: give a wider grid or closer means."
            )
        super().__init__(
            case=next(iter(self._joints)),
            mean=sum(means) / 2,
            width=min(max(1.0, narrow), wide),
            cases=list(self._joints),
            grid=[z[0].item(), step],
            logs=torch.cat([log_prior, *self._joints.values()]).numpy().astype("<f4").tobytes(),
            means=[float(m) for m in means],
            widths=[narrow, wide],
            top=top,
            levels=[
                math.floor(min(self._evidence.values())) - 4,
                math.ceil(max(self._evidence.values())),
            ],
        )

    @t.validate("case")
    def _known(self, proposal):
        if proposal["value"] not in self._joints:
            raise t.TraitError(f"case is {proposal['value']!r}, one of {self.cases} is needed.")
        return proposal["value"]

    @t.validate("mean", "width")
    def _sensible(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        low = 0 if name == "width" else -math.inf
        if not low < value < math.inf:
            kind = "positive " if name == "width" else ""
            raise t.TraitError(f"{name} is {value}, a finite {kind}number is needed.")
        return value

    def _elbo(self):
        """log q on the grid, and the ELBO in nats."""
        log_q = -0.5 * ((self._z - self.mean) / self.width) ** 2 + math.log(_PEAK / self.width)
        ratio = self._joints[self.case] - log_q
        return log_q, (log_q.exp() * ratio).sum().item() * self.grid[1]

    def still(self):
        """HTML of q, posterior and bars as they are now."""
        log_q, elbo = self._elbo()
        evidence = self._evidence[self.case]
        alt = (
            f"Left: the posterior p(z|x) of the decoder {self.case}, and dashed over it q(z), a "
            f"Gaussian of mean {self.mean:.2f} and width {self.width:.2f}. Right: a bar for the ELBO, "
            f"{elbo:.3f} nats, with a hatched bar for KL(q‖p(z|x)), {evidence - elbo:.3f} nats, on "
            f"top, which ends at a dashed line, log p(x) = {evidence:.3f} nats."
        )
        caption = f"{self._caption} Run the cell to drag q.".strip()
        return pixels.still(self._still_png(log_q, elbo, evidence), alt, caption)

    def _still_png(self, log_q, elbo, evidence):
        figure = Figure(figsize=(8, 3.4), dpi=96, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(2.4, 1))
        posterior = (self._joints[self.case] - evidence).exp()
        left.plot(
            self._z.numpy(), posterior.numpy(), color=POSTERIOR, lw=2, label="posterior p(z|x)"
        )
        left.plot(self._z.numpy(), log_q.exp().numpy(), "--", color=ENCODER, lw=2, label="q(z)")
        margin = (self.means[1] - self.means[0]) / 6
        view = (self.means[0] - margin, self.means[1] + margin)
        left.set(xlabel="z", ylabel="density", xlim=view, ylim=(0, self.top), title=self.case)
        left.legend(loc="upper left")
        floor, roof = self.levels
        foot = max(elbo, floor)
        right.bar([0], [foot - floor], 0.5, floor, color=ENCODER, label=f"ELBO {elbo:.3f}")
        look = {"fc": KL, "hatch": "///", "ec": "white", "label": f"KL {evidence - elbo:.3f}"}
        right.bar([0], [evidence - foot], 0.5, foot, **look)
        name = f"log p(x) {evidence:.3f}"
        right.axhline(evidence, color=POSTERIOR, ls="--", lw=2, label=name)
        right.set(xlim=(-0.5, 0.5), ylim=(floor, roof), xticks=[], ylabel="nats")
        right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02))
        return pixels.figure_png(figure)

    def __repr__(self):
        """One line: the decoders, and where q is."""
        return f"ElboBars of {', '.join(self.cases)} at q = N({self.mean:.2f}, {self.width:.2f}²)"


_PEAK = 1 / math.sqrt(2 * math.pi)  # density of N(0, 1) at 0


def _checked(z, log_prior, log_likelihoods, means):
    """Everything in float64 on the CPU."""
    if not isinstance(log_likelihoods, dict) or not log_likelihoods:
        raise TypeError(
            "log_likelihoods must be a dict of a decoder's name -> log p(x|z) on the grid, "
            f"got {type(log_likelihoods).__name__}."
        )
    given = {"z": z, "log_prior": log_prior}
    given |= {f"log_likelihoods[{name!r}]": values for name, values in log_likelihoods.items()}
    for name, values in given.items():
        if not isinstance(values, torch.Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, got {type(values).__name__}.")
        if values.dim() != 1 or len(values) != len(z) or len(z) < 10:
            raise ValueError(
                f"{name} has shape {tuple(values.shape)}: one number a point of the grid z is "
                "needed, at least 10 points."
            )
        checks.finite(values, name)
        given[name] = values.detach().cpu().double().clone()
    z, prior, *rest = given.values()
    steps = z.diff()
    if steps[0] <= 0 or (steps - steps[0]).abs().max() > 1e-3 * steps[0]:
        raise ValueError("z is not evenly spaced and rising: torch.linspace makes such a grid.")
    mass = prior.exp().sum().item() * steps[0].item()
    if not 0.98 < mass < 1.02:
        raise ValueError(
            f"log_prior has a mass of {mass:.3g} on the grid, about 1 is needed: is it the "
            "logarithm of a density, and the grid wide enough?"
        )
    if not z[0] < means[0] < means[1] < z[-1]:
        raise ValueError(
            f"means are {tuple(means)}, a lower and a higher one between {z[0]:g} and {z[-1]:g} "
            "are needed."
        )
    return z, prior, dict(zip(log_likelihoods, rest, strict=True))
