"""Two panels about gradients through draws: estimators side by side, and relaxed categories."""

import numpy as np
import torch
from matplotlib.figure import Figure

from vae_teach.chapters.reparameterization.figures import STYLES
from vae_teach.chapters.reparameterization.quadrature import expected_gradient
from vae_teach.page.panel import Panel
from vae_teach.page.widgets import Dropdown, FloatLogSlider, FloatSlider, ToggleButtons
from vae_teach.pictures import DECODER, ENCODER, LABELS

EDGE = 1000.0  # of the axis of gradient estimates
PARAMETERS = {"∂/∂μ": 0, "∂/∂σ": 1}


def estimator_panel(functions, estimators, draws=400):
    """Per-draw gradients of E[f(z)], z ~ N(μ, σ²), by several estimators, with the true gradient.

    Args:
        functions: dict of name -> f, elementwise, differentiable by autograd: (N,) -> (N,).
        estimators: dict of name -> (f, mu, sigma, epsilon) -> (2, N): each draw's estimate of the
            derivative with respect to μ and to σ. The noise epsilon (N,) is the same at all times.
        draws: N.

    Returns:
        Panel with a choice of f and of the parameter, and sliders for μ and σ.
    """
    noise = torch.Generator().manual_seed(0)
    epsilon = torch.randn(draws, generator=noise, dtype=torch.double)
    height = (torch.rand(draws, generator=noise, dtype=torch.double) * 0.6 - 0.3).numpy()
    z = torch.linspace(-4, 4, 401, dtype=torch.double)
    at = z.numpy()
    figure = Figure(figsize=(8.4, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(4, 5))
    left.set(xlim=(-4, 4), ylim=(-2.5, 6), xlabel="z")
    left.grid(alpha=0.3)
    (curve,) = left.plot([], [], color=DECODER, lw=2, animated=True, label="f(z)")
    (density,) = left.plot([], [], color=ENCODER, lw=2, ls="--", animated=True, label="q(z), × 2")
    left.legend(loc="lower center", ncols=2, fontsize=9)
    right.set_xscale("symlog", linthresh=1)
    right.set(
        xlim=(-EDGE, EDGE), ylim=(len(estimators) - 0.45, -0.6), xlabel="estimate from one draw"
    )
    right.set_xticks([-1000, -100, -10, -1, 0, 1, 10, 100, 1000])
    right.set_xticklabels(["−1000", "−100", "−10", "−1", "0", "1", "10", "100", "1000"], fontsize=8)
    right.set_yticks(range(len(estimators)), estimators)
    right.grid(axis="x", alpha=0.3)
    strips, means, texts = [], [], []
    for row, (colour, marker, _) in zip(range(len(estimators)), STYLES, strict=False):
        strip = right.plot(
            [], [], ls="none", marker=".", ms=5, color=colour, alpha=0.35, animated=True
        )
        mean = right.plot([], [], marker=marker, ms=9, color=colour, mec="black", animated=True)
        strips, means = strips + strip, means + mean
        texts.append(right.text(-0.9 * EDGE, row - 0.42, "", fontsize=9, animated=True))
    (truth,) = right.plot([], [], color="black", lw=1.8, animated=True)
    right.set_title("black line: the true gradient", fontsize=10.5)

    def draw(f, parameter, mu, sigma):
        function, which = functions[f], PARAMETERS[parameter]
        curve.set_data(at, function(z).numpy())
        bell = np.exp(-0.5 * ((at - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        density.set_data(at, 2 * bell)
        true = expected_gradient(function, mu, sigma)[which].item()
        truth.set_data([true, true], [-0.6, len(estimators)])
        for row, estimator in enumerate(estimators.values()):
            estimate = estimator(function, mu, sigma, epsilon)[which].detach().numpy()
            strips[row].set_data(estimate.clip(-EDGE, EDGE), row + height)
            means[row].set_data([estimate.mean()], [row])
            texts[row].set_text(f"sd {estimate.std():.2f}")
        return figure

    controls = {
        "f": Dropdown(options=list(functions), description="f"),
        "parameter": ToggleButtons(options=list(PARAMETERS), description="derivative"),
        "mu": FloatSlider(0.8, min=-2, max=2, step=0.05, description="μ"),
        "sigma": FloatSlider(0.6, min=0.1, max=1.5, step=0.05, description="σ"),
    }
    return Panel(
        draw,
        controls,
        alt="Left: the function f and the density q. Right: a strip of per-draw gradient estimates "
        "for each estimator with its mean, and a vertical line at the true gradient.",
        caption=f"z ~ N(μ, σ²), {draws} draws with fixed noise. Dots: one draw each; large mark: their "
        "mean; black line: quadrature. The right axis is linear from −1 to 1 and logarithmic outside; "
        "draws beyond ±1000 sit at its edge.",
    )


def simplex_panel(relax, draws=1000):
    """Relaxed draws from three categories, on the triangle of probabilities.

    Args:
        relax: (logits (3,), gumbel (N, 3), temperature) -> (N, 3), each row on the simplex.
        draws: N; their Gumbel noise is the same at all times.

    Returns:
        Panel with a temperature and the probability of the first category.
    """
    noise = torch.Generator().manual_seed(0)
    gumbel = -(-torch.rand(draws, 3, generator=noise).clamp(1e-12).log()).log()
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(5, 3))
    left.plot(*corners[[0, 1, 2, 0]].T.numpy(), color="black", lw=1)
    left.set(xlim=(-0.2, 1.2), ylim=(-0.12, 1.0), aspect="equal")
    left.axis("off")
    for k, (x, y) in enumerate(corners.tolist()):
        offset = (0, 8) if k == 2 else (0, -16)
        left.annotate(
            f"state {k + 1}", (x, y), xytext=offset, textcoords="offset points", ha="center"
        )
    colours, marks = (LABELS[1], LABELS[7], LABELS[2]), "o^s"
    dots = [
        left.plot([], [], ls="none", marker=m, ms=3.5, color=c, alpha=0.5, animated=True)[0]
        for c, m in zip(colours, marks, strict=True)
    ]
    bars = right.bar(range(3), 1, color=colours, width=0.6, animated=True)
    (exact,) = right.plot(
        range(3), [0] * 3, "k_", ms=28, mew=2, animated=True, label="softmax(logits)"
    )
    right.set(ylim=(0, 1.05), ylabel="probability", title="nearest corner")
    right.set_xticks(range(3), ["state 1", "state 2", "state 3"])
    right.legend(loc="upper right", fontsize=9, markerscale=0.5)

    def draw(temperature, p1):
        probability = torch.tensor([p1, 0.6 * (1 - p1), 0.4 * (1 - p1)])
        relaxed = relax(probability.log(), gumbel, temperature)
        winner = relaxed.argmax(1)
        for k in range(3):
            dots[k].set_data(*(relaxed[winner == k] @ corners).T.numpy())
            bars[k].set_height((winner == k).float().mean().item())
        exact.set_ydata(probability.numpy())
        return figure

    controls = {
        "temperature": FloatLogSlider(
            0.5, base=10, min=-1.3, max=1.3, step=0.05, description="temperature τ"
        ),
        "p1": FloatSlider(0.5, min=0.05, max=0.9, step=0.05, description="probability of state 1"),
    }
    return Panel(
        draw,
        controls,
        alt="Left: a triangle whose corners are three states, with relaxed draws inside, marked by the "
        "nearest corner. A low temperature pushes them into the corners, a high one to the middle. "
        "Right: the share of draws nearest to each corner, at the categories' probabilities.",
        caption=f"{draws} draws with fixed Gumbel noise; states 2 and 3 share the rest 3 : 2.",
    )
