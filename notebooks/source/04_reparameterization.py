# %% [markdown]
# # 04 · Reparameterization
#
# [Chapter](bayes_elbo) ended with a bound, and with a difficulty: the ELBO is an average over draws
# $z \sim q_\phi(z\mid x)$, and $\phi$ is what we want to learn. How does a gradient get through a draw?
# This chapter gives two ways, says when each is allowed, and measures what each costs.
#
# **You will be able to**
# 1. say why autograd stops at a draw, and let it through by moving the noise out of the way;
# 2. derive the score-function and the pathwise gradient, and test any estimator for bias;
# 3. say when no *differentiable* reparameterization exists, and what a relaxation costs in bias and in
#    variance;
# 4. say why one or two draws an image are enough, and what it costs to sample a KL instead of integrating it.
#
# Allow just under an hour, and about 12 minutes more for the parts marked *optional*; nothing later needs those. Run All
# takes less than a minute on a laptop.
#
# **Predict first.** (a) Two estimators of the same gradient are both right on average. In 100
# dimensions, how many times more draws does the worse one need: 3, 100, 10,000? (b) You can afford
# 256 decoder passes. Which gradient is less noisy: one draw of z for each of 256 images, or four draws for
# each of 64? Write both guesses down.

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import math

import torch
from scipy import integrate, stats
from torch.distributions import Laplace, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach import data
from vae_teach.chapters.reparameterization.autograd_graph import autograd_graph
from vae_teach.chapters.reparameterization.exercises import (
    check_kl_gaussians,
    check_move,
    check_pathwise,
    check_relax,
    check_score_function,
)
from vae_teach.chapters.reparameterization.figures import noise_bars, scaling, z_scores
from vae_teach.chapters.reparameterization.panels import estimator_panel, simplex_panel
from vae_teach.chapters.reparameterization.quadrature import expected_gradient
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

# %% [markdown]
# The open cells below are the chapter: read their code. A folded cell only prepares, checks, measures or
# plots something: read its output.

# %%
digits = data.course_set()
torch.manual_seed(0)
digits

# %% [markdown]
# ## A draw has no slope
#
# The smallest encoder there is: one Gaussian $q_\phi(z)$, two numbers $\phi = (\mu, \log\sigma)$ to learn.
# Its samples know their values, but not where they came from:

# %%
torch.manual_seed(0)
mu = torch.tensor(0.8, requires_grad=True)
log_sigma = torch.tensor(-0.5, requires_grad=True)
q = Normal(mu, log_sigma.exp())
z = q.sample()
print(f"z = {z:.3f}, requires_grad: {z.requires_grad}, grad_fn: {z.grad_fn}")

# %% [markdown]
# `grad_fn` is autograd's note of how a number was computed. `sample` does compute z from μ, σ and a random
# number, but keeps no note of it: what would z have been for a slightly larger μ, *with the same random
# number*? So make that number visible. Draw the noise first, from a distribution that has no
# parameters, and compute z from it:
#
# $$\varepsilon \sim \mathcal N(0, 1), \qquad z = \mu + \sigma\,\varepsilon \;\sim\; \mathcal N(\mu, \sigma^2).$$
#
# This is the **reparameterization trick**. Now $\partial z/\partial\mu = 1$ and
# $\partial z/\partial\sigma = \varepsilon$. We learn log σ, so that σ stays positive, and the chain rule adds
# a factor σ: $\partial z/\partial\log\sigma = \sigma\,\varepsilon$. In `torch`, `rsample` does the same.

# %%
torch.manual_seed(1)
epsilon = torch.randn(())
z = mu + log_sigma.exp() * epsilon
dz = torch.autograd.grad(z, (mu, log_sigma))
print(f"z = {z:.3f}, grad_fn: {z.grad_fn.name()}")
print(f"∂z/∂μ = {dz[0]:.3f}, ∂z/∂log σ = {dz[1]:.3f}, σ ε = {log_sigma.exp() * epsilon:.3f}")

# %%
torch.manual_seed(1)
print(f"q.rsample() with the same noise: {q.rsample():.3f}")
print(f"Normal(0, 3) has variance {Normal(0.0, 3.0).variance:.0f}")

# %% [markdown]
# Mind the second argument. In formulas we write $\mathcal N(\mu, \sigma^2)$, with the *variance*; `torch`
# takes the *standard deviation*. A lecture that writes N(μ, σ) means one of the two: ask which.
#
# ## What autograd has written down
#
# The same loss twice: a decoder multiplies z by θ and is to hit x. The picture is read off autograd's own
# records, `grad_fn.next_functions`. backward() walks against the arrows.


# %%
def recorded(draw):
    theta, x = torch.tensor(1.5, requires_grad=True), torch.tensor(1.0)
    sigma, epsilon = log_sigma.exp(), torch.randn(())
    z = Normal(mu, sigma).sample() if draw else mu + sigma * epsilon
    loss = F.mse_loss(theta * z, x)
    names = ("μ", "log σ", "σ", "ε", "z", "θ", "x", "loss")
    values = (mu, log_sigma, sigma, epsilon, z, theta, x, loss)
    return dict(zip(names, values, strict=True))


# %% tags=["aside"]
torch.manual_seed(0)
autograd_graph(
    {"z = q.sample()": recorded(draw=True), "z = μ + σ ε": recorded(draw=False)},
    depends=[("μ", "z"), ("σ", "z")],
    alt="Two graphs. Above, z is a constant: the arrows from μ and σ to z are crossed out, only θ is "
    "connected to the loss. Below, μ, log σ and θ are all connected to the loss, and the noise ε "
    "comes in from the side as a constant.",
    caption="Blue: numbers to learn. Grey, dashed: constants. White: operations. Red: dependence that "
    "autograd has no record of.",
)

# %% [markdown]
# **What you see.** Above, the decoder's θ would learn and the encoder's μ and σ would not, *without an
# error message*. Below, randomness enters as one more input, and the chain rule passes by it.
#
# ### Exercise 1: there and back
#
# Given draws z of one Gaussian, turn them into draws of another: first to standard noise, then to the new
# place and width. Many encoders return log σ², the logarithm of the *variance*, instead of our log σ. Mind
# the ½: σ = exp(½ log σ²).


# %% tags=["exercise"]
def move(z, mean, log_variance, new_mean, new_log_variance):  # (B, d) each -> (B, d)
    # solution
    noise = (z - mean) / (0.5 * log_variance).exp()
    return new_mean + (0.5 * new_log_variance).exp() * noise


check_move(move)

# %% [markdown]
# ## Two ways to differentiate an average
#
# We want $\nabla_\phi\,\mathbb E_{q_\phi}[f(z)]$. φ sits in the *density*, f may be anything. Take f(z)
# = sin 3z, a case that can be integrated: $\mathbb E[\sin 3z] = e^{-9\sigma^2/2}\sin 3\mu$. Every
# line below is evaluated on a fine grid and must give the same two numbers.


# %%
def f(z):
    return torch.sin(3 * z)


m, s = torch.tensor([0.8, 0.6], dtype=torch.double)
truth = torch.stack([3 * torch.cos(3 * m), -9 * s * torch.sin(3 * m)]) * torch.exp(-4.5 * s**2)
print(f"closed form: ∂/∂μ {truth[0]:.6f}, ∂/∂σ {truth[1]:.6f}")

# %% [markdown]
# **First way: move the derivative onto the density.** Swap derivative and integral, then use
# $\nabla q = q\,\nabla\log q$, which turns the integral back into an average over q:
#
# $$\nabla_\phi\!\int\! q_\phi f\,dz \;\overset{(1)}{=}\; \int\! (\nabla_\phi q_\phi)\, f\,dz
# \;\overset{(2)}{=}\; \int\! q_\phi\,(\nabla_\phi \log q_\phi)\, f\,dz
# \;=\; \mathbb E_{q_\phi}\bigl[f(z)\,\nabla_\phi\log q_\phi(z)\bigr].$$
#
# $\nabla_\phi\log q_\phi(z)$ is called the **score**. For a Gaussian it is $(z-\mu)/\sigma^2$ for μ and
# $\bigl((z-\mu)^2-\sigma^2\bigr)/\sigma^3$ for σ. On the grid, (1) and (2) give:

# %% tags=["aside"]
grid = torch.linspace(-9, 9, 4001, dtype=torch.double)
step = grid[1] - grid[0]
phi = torch.stack([m, s])[:, None].repeat(1, len(grid)).requires_grad_()  # a copy for each z
density = Normal(phi[0], phi[1]).log_prob(grid).exp()
(slopes,) = torch.autograd.grad(density.sum(), phi)
density = density.detach()
score = torch.stack([(grid - m) / s**2, ((grid - m) ** 2 - s**2) / s**3])

# %% tags=["aside"]
line_1, line_2 = (slopes * f(grid)).sum(1) * step, (density * score * f(grid)).sum(1) * step
for name, line in {"(1) ∫ (∇q) f": line_1, "(2) ∫ q (∇ log q) f": line_2}.items():
    print(f"{name:22} ∂/∂μ {line[0]:.6f}, ∂/∂σ {line[1]:.6f}")
mean_score = (density * score).sum(1) * step
print(f"average of the score alone: {mean_score[0]:.6f}, {mean_score[1]:.6f}")

# %% [markdown]
# So: draw z, multiply f(z) by the score, average. This is the **score-function estimator**, or REINFORCE. f
# need not have a derivative; it may be a black box. But where q ends at an edge that moves with φ, q must vanish
# there, or the swap (1) fails: for z uniform on (0, φ) and f(z) = z it gives −½, and the truth is +½. And the
# score alone averages to zero: keep that in mind, it helps and hurts below.
#
# **Second way: move φ out of the density.** With z = μ + σ ε the average is over ε, whose density
# n(ε) knows nothing of φ, so the derivative goes straight to f, by the chain rule:
#
# $$\nabla_\phi\,\mathbb E_{q_\phi}[f(z)] \;\overset{(3)}{=}\; \nabla_\phi\!\int\! n(\varepsilon)\,f(\mu+\sigma\varepsilon)\,d\varepsilon
# \;\overset{(4)}{=}\; \mathbb E_{\varepsilon}\bigl[f'(\mu+\sigma\varepsilon)\,\nabla_\phi z\bigr],
# \qquad \tfrac{\partial z}{\partial\mu}=1,\;\tfrac{\partial z}{\partial\sigma}=\varepsilon.$$
#
# On the grid, now of values of ε:

# %% tags=["aside"]
noise_density = Normal(0.0, 1.0).log_prob(grid).exp()  # the grid now holds values of ε
phi = torch.stack([m, s]).requires_grad_()
average = (noise_density * f(phi[0] + phi[1] * grid)).sum() * step
(line_3,) = torch.autograd.grad(average, phi)
slope = 3 * torch.cos(3 * (m + s * grid))
line_4 = (noise_density * slope * torch.stack([torch.ones_like(grid), grid])).sum(1) * step
for name, line in {"(3) ∇ ∫ n f(μ + σε)": line_3, "(4) ∫ n f' ∇z": line_4}.items():
    print(f"{name:22} ∂/∂μ {line[0]:.6f}, ∂/∂σ {line[1]:.6f}")

# %% [markdown]
# This is the **pathwise estimator**: it follows the path of each draw as φ moves. It uses f′, so it
# knows in which direction f grows; the score function only learns it by trying.
#
# As code, one estimate a draw. This is the cell to read. Both take ε, so that they can be compared on the same
# draws; for the score function it is only a way to draw z. For the pathwise one autograd supplies f′:


# %%
def score_function(f, mu, sigma, epsilon):  # epsilon (N,) -> (2, N), for μ and σ
    z = mu + sigma * epsilon
    return f(z) * torch.stack([(z - mu) / sigma**2, ((z - mu) ** 2 - sigma**2) / sigma**3])


def pathwise(f, mu, sigma, epsilon):  # epsilon (N,) -> (2, N), for μ and σ
    z = (mu + sigma * epsilon).requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    return slope * torch.stack([torch.ones_like(epsilon), epsilon])


# %% [markdown]
# ### Exercise 2: the score function
#
# N draws of a d-dimensional Gaussian with a diagonal covariance, and f at each of them, as `values`.
# Estimate the gradient of $\mathbb E[f(z)]$ with respect to the mean. f itself is not given, and not
# needed. Mind the shapes: `values` has (N,), the score (N, d).


# %% tags=["exercise"]
def score_gradient(values, z, mean, sigma):  # (N,), (N, d), (d,), (d,) -> (d,)
    # solution
    return (values[:, None] * (z - mean) / sigma**2).mean(0)


check_score_function(score_gradient)

# %% [markdown]
# ### Exercise 3: the pathwise gradient
# Back to our own φ = (μ, **log σ**), without the ½. Given f′(z) and ε of each of N draws, estimate both
# derivatives of $\mathbb E[f(z)]$, for μ and for **log σ**, as one tensor of two numbers.


# %% tags=["exercise"]
def path_gradient(slope, epsilon, log_sigma):  # (N,), (N,), () -> (2,)
    # solution
    return torch.stack([slope.mean(), (slope * epsilon).mean() * log_sigma.exp()])


check_pathwise(path_gradient)

# %% [markdown]
# ## Is it right on average?
#
# An estimator is **unbiased** if its average is the truth. The test: average N draws, subtract the
# truth, divide by the standard error, which is the standard deviation over √N. The result is a
# **z-score**. For an unbiased estimator of finite variance and many draws, z-scores follow N(0, 1) nearly, so
# beyond ±4 something is most likely wrong.
#
# The subject: an ELBO small enough to know. Prior N(0, 1), likelihood N(x; z, 1), x = 3:
#
# $$\mathbb E_q[\log p(x,z) - \log q(z)] = -\tfrac12(\mu^2+\sigma^2) - \tfrac12\bigl((x-\mu)^2+\sigma^2\bigr) + \log\sigma + \text{const},$$
#
# so its gradient is $x - 2\mu$ for μ and $1 - 2\sigma^2$ for log σ. Four ways to write it for autograd
# follow. Which are right?

# %%
prior, x = Normal(0.0, 1.0), torch.tensor(3.0)


def log_joint(z):
    return prior.log_prob(z) + Normal(z, 1.0).log_prob(x)


# %% [markdown]
# For the score function there is a snag: our f, $\log p(x,z) - \log q_\phi(z)$, contains φ. The product
# rule then gives a second term,
#
# $$\nabla_\phi\,\mathbb E_q[f_\phi] = \mathbb E_q[f_\phi\,\nabla\log q_\phi] + \mathbb E_q[\nabla f_\phi],$$
#
# but $\nabla f_\phi = -\nabla\log q_\phi$ is minus the score and averages to zero. Only the first term is
# needed: `detach` drops the second, and autograd supplies the score.


# %%
def with_the_score(q):
    z = q.sample()
    return (log_joint(z) - q.log_prob(z)).detach() * q.log_prob(z)


def reparameterized(q):
    z = q.rsample()
    return log_joint(z) - q.log_prob(z)


# %% [markdown]
# The other two (q will hold many copies of φ, one for each draw; `batch_shape` is their number): one has
# `sample` where `rsample` belongs, one draws z from the *prior*, as one of the
# lectures writes the bound.


# %%
def forgot_the_r(q):
    z = q.sample()
    return log_joint(z) - q.log_prob(z)


def drawn_from_the_prior(q):
    z, z_q = prior.sample(q.batch_shape), q.rsample()
    return Normal(z, 1.0).log_prob(x) - (q.log_prob(z_q) - prior.log_prob(z_q))


# %% [markdown]
# To measure them, each draw gets a copy of φ of its own; autograd then returns one gradient a draw, and
# `z_score(estimates, truth)` is the test above.


# %% tags=["aside"]
def per_draw(objective, draws=100_000):  # -> (2, draws), for μ and log σ
    phi = torch.tensor([[0.8], [-0.5]]).repeat(1, draws).requires_grad_()
    q = Normal(phi[0], phi[1].exp())
    return torch.autograd.grad(objective(q).sum(), phi)[0]


def z_score(estimates, truth):  # (..., N) -> (...)
    return (estimates.mean(-1) - truth) / (estimates.std(-1) / estimates.shape[-1] ** 0.5)


# %% [markdown]
# The truth twice: by the formulas above, and by quadrature of the first term, E[f ∇ log q], alone.

# %% tags=["aside"]
true_mu, true_log_sigma = 3 - 2 * 0.8, 1 - 2 * math.exp(-1.0)
sigma = math.exp(-0.5)
held = Normal(0.8, sigma)
d_mu, d_sigma = expected_gradient(lambda z: log_joint(z) - held.log_prob(z), 0.8, sigma)
print(f"{'truth':20} ∂/∂μ {true_mu:6.3f}                    ∂/∂log σ {true_log_sigma:6.3f}")
print(f"{'quadrature':20} ∂/∂μ {d_mu:6.3f}                    ∂/∂log σ {sigma * d_sigma:6.3f}")

# %% tags=["aside"]
torch.manual_seed(0)
gradients = {}
for way in (with_the_score, reparameterized, forgot_the_r, drawn_from_the_prior):
    g = gradients[way.__name__] = per_draw(way)
    zs = z_score(g[0], true_mu), z_score(g[1], true_log_sigma)
    print(
        f"{way.__name__:20} ∂/∂μ {g[0].mean():6.3f} (z-score {zs[0]:7.1f})  "
        f"∂/∂log σ {g[1].mean():6.3f} (z-score {zs[1]:7.1f})"
    )

# %% [markdown]
# **What you see.** Reparameterized and score function are right: their z-scores are what chance gives.
# `forgot_the_r` is wrong, and silent: its f(z) is cut off, what is left is −∇ log q, and the score averages to
# zero. It is noise with no direction. (With the KL in closed form, as in [chapter](vae), the KL's gradient would be
# left: q collapses onto the prior. Only a loss without any other weights raises an error.) And with z from the
# prior, the likelihood does not depend on φ at all: only the KL's pull to the prior is left, −μ on average, whatever
# x is. It is still below log p(x) (Jensen), but a loose bound, whose best q is the prior. In the ELBO, z ~ q(z|x).
#
# ### A thousand repetitions (optional, 2 minutes)
#
# One z-score may be lucky. A thousand repetitions of 100 draws each, for μ:

# %% tags=["aside"]
repeated = {name: z_score(g[0].reshape(1000, 100), true_mu) for name, g in gradients.items()}
for name, scores in repeated.items():
    beyond = (scores.abs() > 1.96).float().mean()
    print(
        f"{name:21} z-scores: mean {scores.mean():6.2f}, sd {scores.std():.2f}; {beyond:6.1%} beyond ±1.96"
    )

# %% tags=["aside"]
z_scores(
    repeated,
    alt="Four histograms. The score function's and the reparameterized gradient's z-scores lie under the "
    "standard normal curve; those of the sample without r form a hill far to the left of it, those of "
    "the prior's draws lie at the left edge.",
    caption="z-scores of ∂/∂μ, 1,000 repetitions of 100 draws. Dashed: N(0, 1), expected without bias. "
    f"Values beyond ±15 ({(repeated['drawn_from_the_prior'].abs() > 15).float().mean():.0%} of the last row) "
    "are drawn in the outermost bins, whose bar is cut off at the top.",
)

# %% [markdown]
# Without bias, 5 % of the z-scores should lie beyond ±1.96, and about as many do.
#
# ## Choose your f
#
# Both estimators on an f of your choice. Add your own to the list: any function of a tensor. The step
# has slope 0 on both sides of its jump (`0 * z` only keeps autograd from complaining). Drag σ down and up, then change
# f.

# %%
choices = {
    "z²": lambda z: z**2,
    "sin 3z": lambda z: torch.sin(3 * z),
    "|z|": torch.abs,
    "narrow bump": lambda z: 4 * torch.exp(-50 * (z - 1) ** 2),
    "step": lambda z: 4.0 * (z > 0) + 0 * z,
}
estimator_panel(choices, {"score function": score_function, "pathwise": pathwise})

# %% [markdown]
# **What you see.** Neither wins always. The score function's noise is of the size of f/σ, f meaning its usual
# size under q: it grows with f, and for small σ as |f(μ)|/σ. (On z² it falls first, to σ ≈ 0.4 at μ = 0.8: there f
# at the far draws, where the score is large, shrinks faster than σ.) The pathwise noise is that of the slope f′. So pathwise is the better one on
# z² and |z|; on sin 3z only while σ is small (for ∂/∂μ below about ⅓); on the narrow bump, steep but
# never high, mostly the score function. On the step all pathwise dots sit at zero, where the truth is
# not; by number, at μ = 0.8 and σ = 0.6:

# %% tags=["aside"]
torch.manual_seed(0)
epsilon = torch.randn(100_000, dtype=torch.double)
d_mu = 4 * Normal(0.0, 1.0).log_prob(m / s).exp() / s
print(f"truth          ∂/∂μ {d_mu:.4f}, ∂/∂σ {-m / s * d_mu:.4f}")

# %% tags=["aside"]
for name, estimator in (("score function", score_function), ("pathwise", pathwise)):
    g = estimator(choices["step"], m, s, epsilon).detach()
    error = g.std(1) / len(epsilon) ** 0.5
    print(
        f"{name:14} ∂/∂μ {g[0].mean():.4f} ± {error[0]:.4f}, ∂/∂σ {g[1].mean():.4f} ± {error[1]:.4f}"
    )

# %% [markdown]
# So reparameterization needs two things. z must be a function of φ and of noise, differentiable *in φ*,
# the noise knowing nothing of φ. And f must have **no jumps**. That alone is not quite enough; this is: the slope
# of every chord of f is bounded on each bounded interval (*locally Lipschitz*; kinks as in |z| or ReLU are fine), and for all φ
# nearby |f′ ∇z| stays below one function of the noise whose average is finite. Swapping derivative and average is illegal where f jumps: a draw that crosses the jump changes f, but
# no single draw's slope shows it.
#
# ## What it costs
#
# Now prediction (a). Take $f(z) = \sum_{i=1}^{d}(z_i-1)^2$, z ~ N(0, I) in d dimensions, and the
# derivative for the first mean, which is −2 whatever d is. The pathwise estimate, $2(z_1 - 1)$, sees
# only its own dimension. The score function's, $f(z)\,z_1$, multiplies by *all* of f. Since the score
# averages to zero, subtracting a constant b from f, a **baseline**, changes nothing on average; b = E[f]
# = 2d removes most of f.


# %%
def first_mean(d, draws=20_000):
    z = torch.randn(draws, d)
    f = ((z - 1) ** 2).sum(1)
    return {
        "score function": f * z[:, 0],
        "pathwise": 2 * (z[:, 0] - 1),
        "score function, baseline": (f - 2 * d) * z[:, 0],
    }


# %% [markdown]
# The variances of one draw, by hand (moments of N(0, 1)): $4d^2+14d+12$, 4, and $6d+12$. They are the
# dotted lines on the left.

# %% tags=["aside"]
torch.manual_seed(0)
dimensions = torch.tensor([1, 3, 10, 30, 100, 300])
measured = {}
for d in dimensions.tolist():
    for name, g in first_mean(d).items():
        measured.setdefault(name, []).append(g.var().item())

# %% tags=["aside"]
d = dimensions.double()
expected = {
    "score function": 4 * d**2 + 14 * d + 12,
    "pathwise": 4 + 0 * d,
    "score function, baseline": 6 * d + 12,
}

# %% tags=["aside"]
torch.manual_seed(1)
samples = torch.tensor([1, 3, 10, 30, 100, 300])
ten = first_mean(10, draws=300_000)
averages = {
    name: [g.reshape(-1, n).mean(1).var().item() for n in samples] for name, g in ten.items()
}
falling = {name: g.var() / samples for name, g in ten.items()}

# %% tags=["aside"]
scaling(
    [
        ("dimensions d", "variance, one draw", dimensions, measured, expected),
        ("draws N", "variance of their mean (d = 10)", samples, averages, falling),
    ],
    alt="Two log-log plots of variance. Over dimensions the score function bends up towards slope two, "
    "with a baseline towards slope one, and the pathwise estimate is flat. Over draws all three fall with "
    "slope minus one, in parallel.",
    caption="Estimates of ∂/∂μ₁ for f(z) = Σ (zᵢ − 1)², z ~ N(0, I). Marks: measured. Dotted: worked "
    "out (left), 1/N (right).",
)

# %% [markdown]
# The left picture in numbers; look at d = 100:

# %% tags=["aside"]
print("    d   score function   baseline   pathwise    draws needed, as a multiple of pathwise")
for i, d in enumerate(dimensions.tolist()):
    a, p, b = (v[i] for v in measured.values())
    print(f"{d:5d} {a:16.0f} {b:10.0f} {p:10.2f} {a / p:16.0f} ×, with baseline {b / p:.0f} ×")

# %% [markdown]
# **What you see.** More draws help both alike, as 1/N. Dimensions do not: at d = 100 the score function
# needs about ten thousand draws for each pathwise one; a good baseline takes away one factor d of the two.
# That is the answer to (a), for this f. (For a network trained on images, see the optional *And without the trick?* below.)
#
# ## Location and scale
#
# The trick is not about Gaussians. Any family $z = \mu + b\,\varepsilon$ with fixed noise ε will do. The
# **Laplace** distribution, $\frac{1}{2b}e^{-|z-\mu|/b}$, needs noise with density
# $\frac12 e^{-|\varepsilon|}$: push uniform numbers $u \in (-\frac12, \frac12)$ through its inverse
# distribution function, $\varepsilon = -\operatorname{sign}(u)\,\log(1 - 2|u|)$.

# %%
torch.manual_seed(0)
u = torch.rand(200_000, dtype=torch.double) - 0.5
noise = -u.sign() * torch.log1p(-2 * u.abs())
mu_b = torch.tensor([[0.8], [0.6]], dtype=torch.double).repeat(1, len(u)).requires_grad_()
z = mu_b[0] + mu_b[1] * noise
fit_to_laplace = stats.kstest(z.detach()[:20_000].numpy(), "laplace", args=(0.8, 0.6))
print(f"Kolmogorov–Smirnov test against SciPy's Laplace: p = {fit_to_laplace.pvalue:.2f}", end="")
print(" (no objection)" if fit_to_laplace.pvalue > 0.05 else " (below 0.05: an objection)")

# %% [markdown]
# Its gradients: $\mathbb E[z^2] = \mu^2 + 2b^2$ for a Laplace, so the truth is 2μ and 4b.

# %% tags=["aside"]
(g,) = torch.autograd.grad(
    (z**2).sum(), mu_b, retain_graph=True
)  # kept for the next run of this cell
for name, row, truth in (("μ", g[0], 1.6), ("b", g[1], 2.4)):
    print(f"∂/∂{name}: {row.mean():.3f}, truth {truth}, z-score {z_score(row, truth):.1f}")

# %% [markdown]
# Which distributions can `torch` differentiate a draw of? Those with `has_rsample`:

# %% tags=["aside"]
pairs = {
    "Normal": (0.0, 1.0),
    "Laplace": (0.0, 1.0),
    "Gumbel": (0.0, 1.0),
    "Gamma": (2.0, 1.0),
    "Beta": (2.0, 3.0),
    "Poisson": (2.0,),
    "Bernoulli": (0.3,),
    "Categorical": (torch.ones(3),),
}

# %% tags=["aside"]
for name, arguments in pairs.items():
    print(
        f"{name:12} {getattr(torch.distributions, name)(*map(torch.as_tensor, arguments)).has_rsample}"
    )

# %% [markdown]
# Gamma and Beta are no location–scale families; their draws are differentiated implicitly (Figurnov et al.
# 2018). The last three are *discrete*: z jumps, there is no slope to follow.
#
# ## When the map has jumps
#
# Three states with probabilities softmax(logits), and a cost for each. With so few states the truth is a
# sum: $\mathbb E[f] = \sum_k p_k f_k$ has the gradient $p_k\,(f_k - \mathbb E[f])$ for logit k.

# %%
logits = torch.tensor([1.0, 0.0, -1.0], dtype=torch.double, requires_grad=True)
levels = torch.tensor([-1.0, 0.5, 2.0], dtype=torch.double)


def cost(y):  # (..., 3), one-hot or anything between -> (...)
    return (y @ levels) ** 2


p, corners = logits.softmax(0), torch.eye(3, dtype=torch.double)
(exact,) = torch.autograd.grad(p @ cost(corners), logits)
p = p.detach()

# %% tags=["aside"]
print("by autograd", [round(v, 6) for v in exact.tolist()])
print("by formula ", [round(v, 6) for v in (p * (cost(corners) - p @ cost(corners))).tolist()])

# %% [markdown]
# Noise *can* be moved out: add Gumbel noise, −log(−log u), to each logit and take the largest. That
# draws state k with probability $p_k$ (the Gumbel-max trick):

# %% tags=["aside"]
torch.manual_seed(0)
gumbel = -(-torch.rand(100_000, 3, dtype=torch.double).log()).log()
states = (logits + gumbel).argmax(1)
print("probabilities ", [f"{v:.3f}" for v in p.tolist()])
print("shares drawn  ", [f"{v:.3f}" for v in (torch.bincount(states) / len(states)).tolist()])

# %% [markdown]
# But argmax is a step, and we have seen what follows: pathwise gradient zero. The score function works.
# The other way out is to *change the problem*: replace argmax by a softmax at temperature τ. This
# **Gumbel-softmax** draw, $y = \operatorname{softmax}\bigl((\text{logits}+g)/\tau\bigr)$, lies inside
# the triangle whose corners are the states.


# %%
def relax(logits, gumbel, temperature):
    return ((logits + gumbel) / temperature).softmax(-1)


# %% tags=["aside"]
torch.manual_seed(3)
theirs = F.gumbel_softmax(logits.repeat(4, 1), tau=0.5)
torch.manual_seed(3)
same_noise = -torch.empty(4, 3, dtype=torch.double).exponential_().log()
difference = (relax(logits, same_noise, 0.5) - theirs).abs().max()
print(f"largest difference from torch's gumbel_softmax: {difference:.1e}")

# %% [markdown]
# Drag the temperature down, then up. Then, at a low temperature, drag the *probability of state 1*. The
# noise is fixed: every dot is the same draw all along.

# %%
simplex_panel(relax)

# %% [markdown]
# **What you see.** Low τ: dots in the corners, nearly real states; but when you move the probability, a
# dot that changes its corner crosses the triangle in one leap. High τ: all dots in the middle, smooth to
# move, and nothing like a state. The *nearest* corner never changes with τ, so the bars on the right
# keep the right probabilities.
#
# What it costs: bias and spread against the exact gradient, over temperature. (The third line,
# **straight-through**, `hard=True` in `torch`: the value of the one-hot state, the gradient of y.) `gumbel` holds
# the noise of the 100,000 draws above.


# %%
def relaxed_gradients(temperature, hard):  # -> (N, 3), one a draw
    copies = logits.detach().repeat(len(gumbel), 1).requires_grad_()
    y = relax(copies, gumbel, temperature)
    if hard:
        y = F.one_hot(y.argmax(1), 3) + y - y.detach()
    return torch.autograd.grad(cost(y).sum(), copies)[0]


# %% tags=["aside"]
one_hot = F.one_hot(states, 3).double()
by_score = cost(one_hot)[:, None] * (one_hot - p)  # the score of a categorical is y − p
temperatures = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
results = {"score function": [by_score for _ in temperatures]}
results["Gumbel-softmax"] = [relaxed_gradients(t, hard=False) for t in temperatures]
results["straight-through"] = [relaxed_gradients(t, hard=True) for t in temperatures]

# %% tags=["aside"]
bias = {name: [(g.mean(0) - exact).norm().item() for g in row] for name, row in results.items()}
spread = {name: [g.var(0).sum().sqrt().item() for g in row] for name, row in results.items()}
worst = {name: [z_score(g.T, exact).abs().max() for g in row] for name, row in results.items()}
for name in results:
    print(
        f"{name:17} largest |z-score| of a logit, each τ:",
        " ".join(f"{v:6.1f}" for v in worst[name]),
    )
print(f"{'':17} {'at τ =':>34}", " ".join(f"{t:6.2f}" for t in temperatures))

# %% tags=["aside"]
scaling(
    [
        ("temperature τ", "bias", temperatures, bias, {}),
        ("temperature τ", "standard deviation, one draw", temperatures, spread, {}),
    ],
    alt="Left, distance from the exact gradient: for the score function a low, level line; for "
    "Gumbel-softmax it grows with temperature; straight-through lies above it and falls a little from "
    "τ = 2 to 5. Right, standard deviation of one draw: for both relaxed estimators it "
    "grows as the temperature falls, straight-through above; for the score function it is constant.",
    caption="Three states, 100,000 draws; lengths of vectors of three numbers. The score function has no "
    "bias: its line on the left is noise. Expected is about the standard deviation on the right over √100,000, "
    f"{spread['score function'][0] / 1e5**0.5:.4f}; these draws came out at {bias['score function'][0]:.4f}. At "
    f"τ = 0.05 expected noise of the other two is {spread['Gumbel-softmax'][0] / 1e5**0.5:.3f} and "
    f"{spread['straight-through'][0] / 1e5**0.5:.3f}.",
)

# %% [markdown]
# **What you see.** No temperature is good at both: below τ = 2 cooling buys less bias with more variance. Below
# τ ≈ 0.27 the unbiased score function is also the *least noisy*: with three states it is a fair choice. In
# practice τ starts near 1 and is lowered in training; the bias never quite goes. (At τ = 0.05, the first column, it is there,
# but 100,000 draws cannot tell it from noise: a small z-score is no proof.)
#
# ### Exercise 4: a relaxed draw
#
# From uniform numbers to points inside the triangle: N draws of K categories.


# %% tags=["exercise"]
def relaxed_draw(logits, uniform, temperature):  # (K,), (N, K), () -> (N, K)
    # solution
    gumbel = -(-uniform.log()).log()
    return ((logits + gumbel) / temperature).softmax(dim=1)


check_relax(relaxed_draw)

# %% [markdown]
# ## How many draws an image?
#
# For a measurement we borrow the network of [chapter](vae): an *encoder* that returns μ and σ of 20 latent
# Gaussians for each image, and a *decoder* that returns p(x|z), trained on the ELBO, briefly.
# `elbo(model, x, samples=k)` averages k draws of z an image. A training step's gradient has two kinds of
# chance: *which images* are in the batch, and *which z* is drawn for each. With B images and k draws
# each, its variance is
#
# $$\underbrace{\frac{A}{B}}_{\text{which images}} + \underbrace{\frac{C}{B\,k}}_{\text{which } z},$$
#
# A the variance over images of their mean gradients, C the mean over images of the variance over z. From
# here on *noise* means variance; it falls as 1/B, so a ratio of noises is a ratio of images.

# %%
torch.manual_seed(0)
vae = VAE(latent_dim=20, hidden=(200,))
epochs = 120_000 // len(digits.train_images)
fit(vae, digits.train_images, elbo, epochs=epochs, batch_size=256, lr=3e-3)

# %% [markdown]
# To tell the two apart: take each batch twice, with fresh draws of z. The two gradients differ by the
# draws alone; half their squared difference is the draws' variance. The variance between batches holds
# both. The variances are summed over all weights of a network.


# %% tags=["aside"]
def weight_gradient(model, objective, x):  # -> all weights' gradients in one row, encoder's first
    weights = [*model.encoder.parameters(), *model.decoder.parameters()]
    gradients = torch.autograd.grad(-objective(model, x).mean(), weights)
    return torch.cat([g.flatten() for g in gradients])


def gradient_noise(model, objective, batch, rounds=24):
    torch.manual_seed(1)
    pairs = []
    for _ in range(rounds):
        x = digits.train_images[torch.randint(len(digits.train_images), (batch,))]
        pairs.append(torch.stack([weight_gradient(model, objective, x) for _ in range(2)]))
    pairs = torch.stack(pairs)  # (rounds, 2, weights)
    draws = (pairs[:, 0] - pairs[:, 1]).square().mean(0) / 2
    images = pairs.var(0).mean(0) - draws
    cut = sum(p.numel() for p in model.encoder.parameters())
    return [(images[w].sum().item(), draws[w].sum().item()) for w in (slice(cut), slice(cut, None))]


# %%
def bound(draws):
    return lambda model, x: elbo(model, x, samples=draws).bound


parts = {
    f"{images} × {draws}": gradient_noise(vae, bound(draws), images)
    for images, draws in ((64, 1), (64, 4), (64, 16), (256, 1))
}

# %% tags=["aside"]
print("images × draws   encoder: images    draws     total    decoder: images  draws  total")
for name, ((a, b), (c, e)) in parts.items():
    print(f"{name:16} {a:15.1f} {b:8.1f} {a + b:9.1f} {c:18.1f} {e:6.1f} {c + e:6.1f}")

# %% [markdown]
# Is the formula right? Then each row must give the same A and the same C, up to noise. For the encoder, with
# the best k if an encoder pass costs as much as a decoder pass: (1 + k)(A + C/k) is smallest at k = √(C/A).

# %% tags=["aside"]
for name, ((a, b), _) in parts.items():
    images, draws = map(int, name.split(" × "))
    A, C = images * a, images * draws * b
    print(f"{name:9} A = {A:8,.0f}   C = {C:8,.0f}   √(C/A) = {(C / A) ** 0.5:.1f}")

# %% tags=["aside"]
noise_bars(
    parts,
    alt="Stacked bars for encoder and decoder. More draws an image shrink only the part that is due to z, "
    "while one draw each for four times as many images shrinks both parts and gives the lowest bar.",
    caption=f"{digits.name}, VAE with 20 latent dimensions. Number on a bar: share of the noise that is due to "
    "the draws of z. Below: images × draws an image.",
    ylabel="variance, summed over weights",
)

# %% [markdown]
# **What you see.** Prediction (b): **256 × 1** beats 64 × 4, at the same 256 decoder passes. The draws'
# part falls with B·k, however you spend it; the images' part falls only with B. So a decoder pass is best spent on
# a new image: k = 1. Even 64 × 16, with four times the decoder passes, leaves more noise. But each new image costs
# an encoder pass, too: if that is as dear, the best k is √(C/A) above, so one or two. One draw is not precise
# (the number on each bar is the draws' share of the noise). (Many draws pay where they change the *objective*:
# chapter 11.)
#
# ### And without the trick? (optional, 3 minutes)
#
# The score function for the encoder of the same network, with log p(x|z) as its f; and with a baseline for
# each image, f at a second draw of z. It knows nothing of the first, so it changes nothing on average.


# %%
def by_the_score(model, x, baseline=False):
    q = model.encode(x)
    z = q.sample()
    log_p = model.decode(z).log_prob(x)
    f = log_p.detach()
    if baseline:
        f = f - model.decode(q.sample()).log_prob(x).detach()
    return log_p + f * q.log_prob(z) - kl_divergence(q, model.prior)


def with_baseline(model, x):
    return by_the_score(model, x, baseline=True)


# %% tags=["aside"]
print("images needed for the same noise of the encoder's gradient as with the trick:")
for name, objective in {"without": by_the_score, "with baseline": with_baseline}.items():
    ratio = sum(gradient_noise(vae, objective, 64)[0]) / sum(parts["64 × 1"][0])
    print(f"{name:14} about {float(f'{ratio:.1g}'):,.0f} times as many")

# %% [markdown]
# ## The KL: in closed form, or from draws
#
# The ELBO's second term, KL(q ‖ p), is an average over q too. For two Gaussians you did the integral in
# [chapter](bayes_elbo), exercise 4:
#
# $$\log\frac{q(z)}{p(z)} \overset{(5)}{=} \log\frac{\sigma_p}{\sigma_q} - \frac{(z-\mu_q)^2}{2\sigma_q^2} + \frac{(z-\mu_p)^2}{2\sigma_p^2},$$
#
# and, averaged over q,
#
# $$\mathrm{KL}\bigl(q\,\|\,p\bigr) \overset{(6)}{=} \log\frac{\sigma_p}{\sigma_q} - \frac12 + \frac{\sigma_q^2 + (\mu_q-\mu_p)^2}{2\sigma_p^2}.$$
#
# With diagonal covariances, log q and log p are sums over dimensions, so the KLs of the dimensions add up.
# In one dimension, q = N(0.8, 0.6²) and p = N(−0.3, 1.5²), by number:


# %% tags=["aside"]
def kl_by_scipy(q, log_p):
    def inside(z):
        return q.pdf(z) * (q.logpdf(z) - log_p(z))

    return integrate.quad(inside, -12, 12, points=(-0.3, 0.8))[0]


mq, sq, mp, sp = torch.tensor([0.8, 0.6, -0.3, 1.5], dtype=torch.double)
q, p = Normal(mq, sq), Normal(mp, sp)
weight = q.log_prob(grid).exp() * step
line_5 = (sp / sq).log() - (grid - mq) ** 2 / (2 * sq**2) + (grid - mp) ** 2 / (2 * sp**2)
line_6 = (sp / sq).log() - 0.5 + (sq**2 + (mq - mp) ** 2) / (2 * sp**2)

# %% tags=["aside"]
print(f"∫ q (log q − log p)  {(weight * (q.log_prob(grid) - p.log_prob(grid))).sum():.6f}")
print(f"(5), averaged        {(weight * line_5).sum():.6f}")
print(f"(6), closed form     {line_6:.6f}")
print(f"torch                {kl_divergence(q, p):.6f}")
print(f"SciPy's quadrature   {kl_by_scipy(stats.norm(0.8, 0.6), stats.norm(-0.3, 1.5).logpdf):.6f}")

# %% [markdown]
# Two Laplace distributions have one as well, with the distance of the means δ = |μ_q − μ_p|:
# $\log\frac{b_p}{b_q} - 1 + \frac{\delta}{b_p} + \frac{b_q}{b_p}\,e^{-\delta/b_q}$.

# %% tags=["aside"]
delta = (mq - mp).abs()
closed = (sp / sq).log() - 1 + delta / sp + sq / sp * (-delta / sq).exp()
by_torch = kl_divergence(Laplace(mq, sq), Laplace(mp, sp))
print(f"Laplace ‖ Laplace    {closed:.6f}, torch {by_torch:.6f}")

# %% [markdown]
# A closed form belongs to a *pair*, not to a family. With a Gaussian q:

# %% tags=["aside"]
halves = torch.distributions.Categorical(torch.ones(2, dtype=torch.double))
bumps = Normal(torch.tensor([-2.0, 2.0], dtype=torch.double), torch.tensor(0.7, dtype=torch.double))
mixture = torch.distributions.MixtureSameFamily(halves, bumps)

# %% tags=["aside"]
priors = {
    "Gaussian": p,
    "Laplace": Laplace(mp, sp),
    "Cauchy": torch.distributions.Cauchy(mp, sp),
    "two Gaussians": mixture,
}

# %% tags=["aside"]
for name, other in priors.items():
    try:
        print(f"KL(Gaussian ‖ {name:13}) = {kl_divergence(q, other):.4f}")
    except NotImplementedError:
        print(f"KL(Gaussian ‖ {name:13}): torch has no closed form")

# %% [markdown]
# Where there is none, or none that we know, draw: $\log q(z) - \log p(z)$ with z ~ q is an unbiased
# estimate, and z = μ + σε gives its gradient. Both against SciPy, for q = N(0.8, 0.6²) and a prior of two
# Gaussians, half N(−2, 0.7²) and half N(2, 0.7²), `mixture` in the code:


# %% tags=["aside"]
def kl_to_mixture(mean):
    c, d = stats.norm(-2, 0.7), stats.norm(2, 0.7)
    return kl_by_scipy(stats.norm(mean, 0.6), lambda z: math.log((c.pdf(z) + d.pdf(z)) / 2))


# %%
torch.manual_seed(0)
means = torch.full((100_000,), 0.8, dtype=torch.double, requires_grad=True)  # one a draw
q = Normal(means, sq)
z = q.rsample()
sampled_kl = q.log_prob(z) - mixture.log_prob(z)
(g,) = torch.autograd.grad(sampled_kl.sum(), means)

# %% tags=["aside"]
sampled_kl, truth = sampled_kl.detach(), kl_to_mixture(0.8)
slope = (kl_to_mixture(0.801) - kl_to_mixture(0.799)) / 0.002
rows = (("KL", sampled_kl, truth), ("∂KL/∂μ", g, slope))
for name, row, true in rows:
    print(
        f"{name:7} {row.mean():.4f}, SciPy {true:.4f}, z-score {z_score(row, true):4.1f}; "
        f"standard deviation of one draw {row.std():.3f}"
    )

# %% [markdown]
# One draw of this KL has the standard deviation that is printed above; a closed form's is 0. More draws
# divide the variance by their number. In the gradient of a VAE the draws' noise then grows several times
# before training, and by a little after it (measured in the optional part below).
#
# ### What sampling the KL costs a VAE (optional, 4 minutes)
#
# Here we can do both. Three objectives with the same average gradient, on an untrained and on our trained
# network. In the third, q's own parameters are held fixed inside log q, since that part of the gradient is
# the score, and averages to zero (Roeder et al. 2017).


# %%
def sampled(model, x, hold=False):
    q = model.encode(x)
    z = q.rsample()
    if hold:
        q = q.expand(q.batch_shape)  # a copy of q, of which ...
        q.base_dist = Normal(q.mean.detach(), q.stddev.detach())  # ... μ and σ are constants
    return model.decode(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z)


# %% tags=["aside"]
torch.manual_seed(0)
networks = {"untrained": VAE(latent_dim=20, hidden=(200,)), "trained": vae}
objectives = {
    "closed form": bound(1),
    "sampled": sampled,
    "sampled, q held": lambda model, x: sampled(model, x, hold=True),
}
for state, model in networks.items():
    for name, objective in objectives.items():
        images, draws = gradient_noise(model, objective, 64)[0]
        print(f"{state:10} {name:16} noise of the encoder's gradient due to draws {draws:8.1f}")

# %% [markdown]
# **What you see.** On the untrained network sampling the KL multiplies the noise; nearly all of the
# extra comes from the score inside log q, since with q held it is gone. After training the draws of the
# *reconstruction* are far noisier, and sampling the KL adds little. And with q held, the sampled form is
# *less* noisy than the closed one: were q the true posterior, log p(x, z) − log q(z|x) would be log p(x)
# for every z, so its two parts cancel draw by draw, the better the closer q is. A closed form is exact
# for its own term; it need not make the *sum* quieter.
#
# ### Exercise 5: any two Gaussians (optional, 3 minutes)
#
# [Chapter](bayes_elbo)'s exercise 4, in d dimensions: write KL(q ‖ p) for diagonal Gaussians, the prior's mean and
# width given too. All sigmas are standard deviations.


# %% tags=["exercise"]
def kl_gaussians(mean, sigma, prior_mean, prior_sigma):  # (B, d) each -> (B,)
    # solution
    squares = (sigma**2 + (mean - prior_mean) ** 2) / (2 * prior_sigma**2)
    return ((prior_sigma / sigma).log() - 0.5 + squares).sum(1)


check_kl_gaussians(kl_gaussians)

# %% [markdown]
# ## Recap
#
# 1. `sample` leaves no `grad_fn`. Draw noise without parameters, compute z = μ + σε from it, and the gradient
#    goes through. With `sample` for `rsample` the reconstruction teaches the encoder nothing, mostly without an
#    error; with a closed-form KL its pull to the prior is all that is left.
# 2. Score function: E[f ∇ log q], f with jumps or not, if q vanishes at any edge that moves with φ. Pathwise:
#    E[f′ ∇z], for f locally Lipschitz (no jumps is not quite enough). Both are unbiased if, for φ nearby, |f ∇q| or
#    |f′ ∇z| stays below something integrable; z-scores test it. In 100 dimensions the score function needed some ten
#    thousand times the draws: prediction (a).
# 3. Discrete z has no smooth map. The score function stays unbiased; Gumbel-softmax is biased, and less
#    bias costs more variance.
# 4. At equal decoder passes one draw for each of 256 images beats four for each of 64: prediction (b). A KL in closed form
#    belongs to a pair of distributions; without one, draw it, unbiased and with some more noise.
#
# **The limit of this chapter.** We have a bound and an honest gradient of it, but hardly a model: a toy,
# and a network trained for a few seconds to be measured. [Chapter](vae) puts everything together, and it is
# called the variational autoencoder.
#
# ## Sources, and where this chapter differs
#
# Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, arXiv:1312.6114 (sections 2.3 and 2.4; one
# draw and batches of 100 in section 2.3). Rezende, Mohamed & Wierstra 2014, *Stochastic
# Backpropagation*, arXiv:1401.4082. Williams 1992, *Simple Statistical Gradient-Following Algorithms for
# Connectionist Reinforcement Learning* (REINFORCE), Machine Learning 8. Mohamed et al. 2020, *Monte
# Carlo Gradient Estimation in Machine Learning*, arXiv:1906.10652. Jang, Gu & Poole 2017, *Categorical
# Reparameterization with Gumbel-Softmax*, arXiv:1611.01144. Maddison, Mnih & Teh 2017, *The Concrete
# Distribution*, arXiv:1611.00712. Figurnov, Mohamed & Mnih 2018, *Implicit Reparameterization
# Gradients*, arXiv:1805.08498. Roeder, Wu & Duvenaud 2017, *Sticking the Landing*, arXiv:1703.09194. The
# order of ideas follows S. Tulyakov's lecture *Variational Auto Encoders*.
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | log p(x) ≥ E over z ~ p(z) of log p(x\|z), minus KL | z ~ q(z\|x); with z ~ p(z) it is a loose bound, and its best q the prior | *Is it right on average?* |
# | N(μ, σ), N(μ(x), σ(x)) | say whether σ or σ² is meant; `torch` takes σ | *A draw has no slope* |
# | KL for Laplace and Gaussian: closed form | for particular pairs of distributions only; for Gaussian ‖ mixture none is known | *The KL: in closed form, or from draws* |
