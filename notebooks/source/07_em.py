# %% [markdown]
# # 07 · EM and the VAE
#
# The ELBO has two arguments, an encoder and a decoder. A VAE climbs both at once, by gradient. **EM**
# (expectation–maximization, 1977) climbs them in turn, each step exact: the **E step** moves the encoder,
# the **M step** the decoder (and the prior's weights, where it has any). This chapter puts the two on the same hill.
#
# **You will be able to**
# 1. write the E step and the M step of a mixture of Gaussians, and say what each does to ELBO and log p;
# 2. climb one model in four ways, and measure what an *amortized* encoder (one network for all x) costs;
# 3. solve the linear VAE in closed form, by EM and by gradient, to the same likelihood;
# 4. say which models have no exact E step, and what sampling it costs.
#
# Press Run All now and read while it works (about a minute). Allow about an hour, and about 6 minutes
# more for the parts marked *optional*; nothing else needs those.
#
# **Predict first.** (a) Right after an E step, how large is the gap between log p(x) and the ELBO?
# (b) A VAE with a linear decoder is trained by thousands of gradient steps; an eigendecomposition solves
# the same model at once. How many nats an image apart do they end: 0, 1, 10?

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import math
import time
import warnings

import torch
from scipy.linalg import subspace_angles
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import nn
from torch.distributions import Categorical, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_teach import data, em, evaluation, pictures
from vae_teach.chapters.em import figures
from vae_teach.chapters.em.exercises import (
    check_covariances,
    check_elbo,
    check_posterior_mean,
    check_responsibilities,
)
from vae_teach.chapters.em.panels import small_variance_panel
from vae_teach.explorers.em_stepper import EmStepper
from vae_teach.models import VAE
from vae_teach.objectives import elbo as vae_elbo

# %% [markdown]
# Folded cells check, print, time or draw something: read their output. The open cells are the chapter.

# %%
digits = data.course_set()
torch.manual_seed(0)
digits

# %% [markdown]
# ## A mixture is a VAE whose code is a name
#
# Our points are 600 images of the digits 0, 3 and 7, each reduced to its first two principal coordinates. The
# model is a **mixture of Gaussians**: the code $z$ is one of three names.
#
# | | distribution | here |
# |---|---|---|
# | prior | $p(z=k)$ | three weights $\pi_k$ |
# | decoder | $p(x\mid z=k)$ | $\mathcal N(m_k, \Sigma_k)$ |
# | encoder | $q(z=k\mid x)$ | three probabilities $r_k$ for each point, its **responsibilities** |

# %%
keep = torch.isin(digits.train_labels, torch.tensor([0, 3, 7])).nonzero()[:600, 0]
labels = digits.train_labels[keep]
pixels = digits.train_images[keep].flatten(1).double()
pca = PCA(2, svd_solver="full").fit(pixels.numpy())
x = torch.from_numpy(pca.transform(pixels.numpy()))  # (600, 2)

# %%
start = (
    torch.full((3,), 1 / 3, dtype=torch.double),  # weights
    torch.tensor([[-0.5, -0.5], [0.0, 0.5], [0.5, -0.5]]).double(),  # means
    4 * torch.eye(2).double().repeat(3, 1, 1),  # covariances
)


def log_joint(x, weights, means, covariances):  # (N, 2) -> (N, 3): log p(x, z = k)
    return weights.log() + MultivariateNormal(means, covariances).log_prob(x[:, None])


# %% [markdown]
# Summing over three names is easy, so here $p(x)=\sum_k p(x, z=k)$ and the posterior can be computed exactly. **The E
# step** sets the encoder to the posterior, $r_k = p(z=k\mid x) = e^{a_k}/\sum_j e^{a_j}$ with $a_k = \log p(x,
# z=k)$. `softmax` subtracts the largest $a_k$ from all first, which cancels in the fraction. So the sum is at least 1; an $r_k$ too
# small for the computer becomes 0, which does no harm.
# `bound` is the ELBO for *any* encoder: $\sum_k r_k\,\bigl(\log p(x, z=k) - \log r_k\bigr)$.


# %%
def e_step(x, *theta):
    return log_joint(x, *theta).softmax(1)


def log_p(x, *theta):
    return log_joint(x, *theta).logsumexp(1)


def bound(x, r, *theta):
    return (r * log_joint(x, *theta) + torch.special.entr(r)).sum(1)  # entr(r) = −r log r


# %% [markdown]
# [Chapter](bayes_elbo) said log p(x) = ELBO + KL(q ‖ p(z|x)). Three encoders for the same model, the KL taken from
# `torch.distributions`, averages over the points:

# %% tags=["aside"]
posterior = e_step(x, *start)
encoders = {"prior": torch.full_like(posterior, 1 / 3)}
encoders |= {"half-way": 0.5 * posterior + 0.5 / 3, "E step": posterior}
print("encoder        ELBO + KL(q‖p(z|x)) = sum         log p(x)")
for name, r in encoders.items():
    gap = kl_divergence(Categorical(r), Categorical(posterior)).mean()
    value = bound(x, r, *start).mean()
    print(
        f"{name:10} {value:8.5f} + {gap:.5f} = {value + gap:8.5f}   {log_p(x, *start).mean():.5f}"
    )

# %% [markdown]
# After the E step the gap is *zero*: the ELBO touches log p(x). The answer to prediction (a).
#
# ### A bound without x (optional, 1 minute)
#
# Mind the joint: the bound needs $\log p(x, z)$, prior *and* decoder. Leave the decoder out, and what remains
# is −KL(q ‖ p(z)): it knows no x, and its best encoder is the prior.

# %% tags=["aside"]
for name, r in encoders.items():
    without_x = (r * start[0].log() + torch.special.entr(r)).sum(1).mean()
    print(
        f"{name:10} with log p(z) alone {without_x:9.6f}, with log p(x, z) {bound(x, r, *start).mean():9.6f}"
    )

# %% [markdown]
# ### Exercise 1: the E step
#
# Responsibilities from the weights and from $\log p(x\mid z=k)$. The densities may be tiny, such as
# $e^{-2000}$: stay with logarithms until the last operation. Each row of the result sums to 1.


# %% tags=["exercise"]
def responsibilities(weights, log_likelihood):  # (K,), (N, K) -> (N, K)
    # solution
    return (weights.log() + log_likelihood).softmax(1)


check_responsibilities(responsibilities)

# %% [markdown]
# **The M step** holds the encoder and maximizes the ELBO over $\theta = (\pi, m, \Sigma)$. The entropy of q does
# not depend on θ, so what remains is a weighted log-likelihood, $\sum_n\sum_k r_{nk}\,[\log\pi_k +
# \log\mathcal N(x_n; m_k, \Sigma_k)]$, with $r_{nk}$ the $r_k$ of point n. Its maximum is where the derivatives vanish.
#
# - By the mean: $\sum_n r_{nk}\,\Sigma_k^{-1}(x_n-m_k)=0$, so $m_k$ is the average of the points, each counted
#   $r_{nk}$ times; $N_k = \sum_n r_{nk}$ is the number of points that component k answers for.
# - By the matrix $\Lambda=\Sigma_k^{-1}$, where $\log\det\Lambda$ has the derivative $\Lambda^{-1}$ and
#   $a^\top\!\Lambda a$ has $aa^\top$: $\tfrac12\bigl(N_k\Sigma_k - \sum_n r_{nk}(x_n-m_k)(x_n-m_k)^\top\bigr) = 0$.
# - By $\pi_k$, while $\sum_k\pi_k=1$: $N_k/\pi_k$ has to be the same for all k (a Lagrange multiplier), and $\sum_k N_k = N$.
#
# $$\pi_k = \frac{N_k}{N},\qquad m_k = \frac{1}{N_k}\sum_n r_{nk}\,x_n,\qquad
# \Sigma_k = \frac{1}{N_k}\sum_n r_{nk}\,(x_n - m_k)(x_n - m_k)^\top .$$
#
# ### Exercise 2: the covariances of the M step
#
# The third formula, from points and responsibilities. The means are not given: they are the *new* ones.


# %% tags=["exercise"]
def covariances(x, r):  # (N, D), (N, K) -> (K, D, D)
    # solution
    counts = r.sum(0)
    offsets = x[:, None] - (r.T @ x / counts[:, None])
    return torch.einsum("nk,nki,nkj->kij", r, offsets, offsets) / counts[:, None, None]


check_covariances(covariances)

# %% [markdown]
# The whole M step, all three formulas:


# %%
def m_step(x, r):  # (N, 2), (N, 3) -> weights, means, covariances
    counts = r.sum(0)
    means = r.T @ x / counts[:, None]
    offsets = x[:, None] - means  # (N, 3, 2)
    covariances = torch.einsum("nk,nki,nkj->kij", r, offsets, offsets)
    return counts / len(x), means, covariances / counts[:, None, None]


# %% [markdown]
# ### Is it the top? (optional, 1 minute)
#
# Autograd knows nothing of these formulas. At the top the slopes for means and covariances are 0. The weights
# must sum to 1, so there the three slopes are equal instead (to 1, averaged over points).

# %% tags=["aside"]
theta = [t.requires_grad_() for t in m_step(x, posterior)]
slopes = torch.autograd.grad(bound(x, posterior, *theta).mean(), theta)
print(f"slopes for the weights            {[round(v, 9) for v in slopes[0].tolist()]}")
for name, slope in zip(("means", "covariances"), slopes[1:], strict=True):
    print(f"largest slope for the {name:11} {slope.abs().max():.1e}")

# %% [markdown]
# ## The staircase
#
# EM is these two lines in turn. We note where we stand after every half step; before the first, the
# encoder is the prior.


# %%
def standing(name, theta, r):
    return name, *theta, r, log_p(x, *theta).mean().item(), bound(x, r, *theta).mean().item()


theta, r = start, encoders["prior"]
path = [standing("start", theta, r)]
for _ in range(20):
    r = e_step(x, *theta)
    path.append(standing("E", theta, r))
    theta = m_step(x, r)
    path.append(standing("M", theta, r))

# %% tags=["aside"]
figures.staircase(
    *([p[i] for p in path[:17]] for i in (0, 5, 6)),
    alt="Stairs: log p and ELBO touch after every E step; after every M step both are higher, and apart.",
    caption=f"{digits.name}, 600 points, the start and the first 8 E and M steps.",
)

# %% tags=["aside"]
gains = torch.tensor([p[6] for p in path]).diff()
falls = torch.tensor([p[5] for p in path]).diff().clamp(max=0)
print(f"E steps: largest gap after one  {max(abs(p[5] - p[6]) for p in path[1::2]):.1e} nats")
print(f"M steps: smallest gain of ELBO  {gains[1::2].min():.1e} nats")
print(f"log p:   largest fall           {falls.abs().max():.1e} nats")

# %% [markdown]
# **What you see.** The E step lifts the ELBO *to* log p(x) and leaves log p(x) alone: only q moved. The M step
# lifts the ELBO by moving θ. The posterior moves away, a new gap ≥ 0 opens, so log p(x) rises by at least as
# much. Hence log p(x) never falls. (A gradient step on a VAE has no such guarantee: [chapter](bayes_elbo).)
#
# ## Walk it
#
# Step, play, or drag the slider through the half steps. Colours mix by responsibility, shapes show the largest one.

# %% tags=["aside"]
EmStepper(x, path, caption=f"{digits.name}, digits 0, 3 and 7, 20 E and M steps. Ellipses: 2 sd.")

# %% [markdown]
# At E, colours change and ellipses stay; at M, ellipses move and colours stay.
#
# ### Exercise 3: the ELBO of any encoder (optional, 3 minutes)
#
# From responsibilities and $\log p(x, z=k)$, one number a point. Try it without looking back at `bound`. Some
# responsibilities are exactly 0, and $0\log 0$ counts as 0.


# %% tags=["exercise"]
def elbo(r, log_joint):  # (N, K), (N, K) -> (N,)
    # solution
    return (r * log_joint + torch.special.entr(r)).sum(1)


check_elbo(elbo)

# %% [markdown]
# ## The same top as scikit-learn
#
# Same start, run to the end. `reg_covar` adds to each covariance's diagonal; without it a component may
# shrink onto one point, where log p grows without bound. We need none here: both climb to the *local* top above
# this start. Another start may end at another one.

# %% tags=["aside"]
warnings.simplefilter("ignore", ConvergenceWarning)  # with tol=0 it runs all steps, and says so
begin = dict(weights_init=start[0].numpy(), means_init=start[1].numpy())
begin["precisions_init"] = torch.linalg.inv(start[2]).numpy()
packaged = em.mixture(x, em.Mixture(*start), steps=300, ridge=0)[2::2]  # after each M step

# %% tags=["aside"]
theta = start
for step in range(1, 301):
    theta = m_step(x, e_step(x, *theta))
    if step in (10, 300):
        top = log_p(x, *theta).mean().item()
        theirs = GaussianMixture(3, max_iter=step, tol=0, reg_covar=0, **begin).fit(x.numpy())
        off = theirs.score(x.numpy()) - top, packaged[step - 1].log_likelihood - top
        print(f"{step:3} steps: ours {top:.9f}; scikit-learn {off[0]:+.0e}, package {off[1]:+.0e}")

# %% tags=["aside"]
figures.clusters(
    x,
    labels,
    (0, 3, 7),
    e_step(x, *theta),
    *theta[1:],
    alt="Left: every point drawn as its digit, three regions. Right: the components found, nearly the same.",
    caption=f"{digits.name}: 600 images, first two principal coordinates, after 300 EM steps. Right: colours mix by "
    "responsibility, shapes show the largest one. Ellipses: two standard deviations.",
)

# %% tags=["aside"]
found = e_step(x, *theta).argmax(1)
agree = sum((labels[found == k] == labels[found == k].mode().values).sum() for k in range(3))
print(f"images that show their component's most common digit: {agree / len(x):.1%}")

# %% [markdown]
# EM was never told a label.
#
# ## One hill, four ways up
#
# Both arguments of the ELBO can be climbed otherwise. Each way below is a generator: it yields θ and q
# after every step.
#
# - **exact EM**: E and M step in turn.
# - **partial E**: after one full E step, the E step only for a random tenth of the points, the others keep
#   their old q. The ELBO still never falls (*incremental EM*, Neal & Hinton); log p
#   may.


# %%
def exact_em(share=1.0):
    theta, r = start, e_step(x, *start)
    while True:
        rows = torch.rand(len(x)) < share
        r[rows] = e_step(x[rows], *theta)
        theta = m_step(x, r)
        yield theta, r.clone()


# %% [markdown]
# - **free q, by gradient**: three logits for each point, learned together with θ.
# - **amortized q, by gradient**: the logits come from one small network of x, a VAE's encoder.
#
# θ needs coordinates in which every number is allowed: logits of the weights, and a triangular factor of each
# covariance with the logarithm of its diagonal.


# %%
def by_gradient(logits, parameters, lr=0.05):
    triangle = torch.eye(2).double().repeat(3, 1, 1) * math.log(2.0)  # Σ = 4 I
    raw = [v.clone().requires_grad_() for v in (0 * start[0], start[1], triangle)]
    optimizer = torch.optim.Adam([*raw, *parameters], lr=lr)

    def now():
        L = raw[2].tril(-1) + torch.diag_embed(raw[2].diagonal(dim1=1, dim2=2).exp())
        return (raw[0].softmax(0), raw[1], L @ L.mT), logits().softmax(1)

    theta, r = now()
    while True:
        optimizer.zero_grad()
        (-bound(x, r, *theta).mean()).backward()
        optimizer.step()
        theta, r = now()
        yield tuple(t.detach().clone() for t in theta), r.detach()


# %% tags=["aside"]
def climb(way, steps):  # -> (steps, 3): seconds, log p(x), ELBO
    rows, seconds = [], 0.0
    for _ in range(steps):
        began = time.perf_counter()
        theta, r = next(way)
        seconds += time.perf_counter() - began  # of the climb alone
        rows.append((seconds, log_p(x, *theta).mean().item(), bound(x, r, *theta).mean().item()))
    return torch.tensor(rows, dtype=torch.double), theta


# %%
torch.manual_seed(0)
free = torch.zeros(len(x), 3).double().requires_grad_()
encoder = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 3)).double()
ways = {
    "exact EM": (exact_em(), 150),
    "partial E": (exact_em(share=0.1), 300),
    "free q, by gradient": (by_gradient(lambda: free, [free]), 600),
    "amortized q, by gradient": (by_gradient(lambda: encoder(x), encoder.parameters()), 600),
}
runs = {name: climb(*way) for name, way in ways.items()}

# %% tags=["aside", "measured"]
figures.climbs(
    {name: run for name, (run, _) in runs.items()},
    lowest=path[0][5],
    alt="Log p and ELBO against steps and seconds: four ways to one height, exact EM first.",
    caption=f"{digits.name}, 600 points, one start. Gradient: Adam, step size 0.05, all points in each step; "
    "encoder 2-16-3.",
)

# %% tags=["aside", "measured"]
print("                            below the top by         within 0.001 of the top after")
print("                            log p       ELBO")
for name, (run, _) in runs.items():
    done = (run[:, 1] > top - 1e-3).nonzero()
    when = (
        f"{done[0].item() + 1:4d} steps, {run[done[0].item(), 0]:.2f} s" if len(done) else "never"
    )
    print(f"{name:25} {abs(top - run[-1, 1]):9.6f} {abs(top - run[-1, 2]):10.6f}         {when}")
print(f"partial E: smallest gain of ELBO in a step {runs['partial E'][0][:, 2].diff().min():.1e}")

# %% [markdown]
# **What you see.** From this start all four reach the same local top. Where the E step costs a softmax, EM
# needs the fewest steps. The gradient ways pay many small steps, but need nothing solved, only differentiated.
# The shared network arrives in fewer steps than the free logits. A likely reason, not tested here: one step of
# its weights moves the q of all points, while each free logit travels alone, at most about 0.05 a step.
#
# ## What amortization costs
#
# Free logits hold numbers for *these* points and are at a loss for a new one. The network answers for
# every x, but it was trained on average: all points share its parameters. Its misfit
# KL(q ‖ p(z|x)) is the **amortization gap**. (Three probabilities *can* be the posterior, so no gap of the
# family is in it, as a Gaussian q has. What training left undone is in it: the free logits, not amortized at
# all, end a little below the top, too.) We measure it on all of the plane, for this
# network and for the simplest, logits linear in x, each against the posterior of the θ it was trained with.

# %% tags=["aside"]
torch.manual_seed(0)
linear = nn.Linear(2, 3).double()
_, theta_linear = climb(by_gradient(lambda: linear(x), linear.parameters()), 600)
low, high = figures.window(x)
axes = [torch.linspace(a, b, 120, dtype=torch.double) for a, b in zip(low, high, strict=True)]
plane = torch.stack(torch.meshgrid(*axes, indexing="xy"), -1).reshape(-1, 2)

# %% tags=["aside"]
fresh_rows = torch.isin(digits.test_labels, torch.tensor([0, 3, 7]))
fresh = pca.transform(digits.test_images[fresh_rows].flatten(1).double().numpy())
places = {"training points": x, "new images": torch.from_numpy(fresh), "grid of the plane": plane}
trained = {"16 hidden units": (encoder, runs["amortized q, by gradient"][1])}
trained["linear in x"] = (linear, theta_linear)
maps = {}
for name, (net, theta) in trained.items():
    for place, at in places.items():
        with torch.no_grad():
            q, p = Categorical(logits=net(at)), Categorical(logits=log_joint(at, *theta))
        maps[name] = gap = kl_divergence(q, p)
        print(f"{name:16} {place:18} mean gap {gap.mean():.5f}, largest {gap.max():8.4f} nats")

# %% tags=["aside"]
figures.gap_map(
    x,
    {name: gap.reshape(120, 120) for name, gap in maps.items()},
    alt="Two maps of the gap. Left: small among the data, large in some empty parts. Right: visible among the "
    "data, too, and large in some empty parts.",
    caption=f"{digits.name}: KL(q ‖ p(z|x)) of the amortized encoder, on a logarithmic scale cut at 1e-4 and 10. "
    "Encoder 2-16-3 (left), linear (right), 600 steps each. Dots: the 600 training points.",
)

# %% [markdown]
# With 16 hidden units the encoder is right where training points asked it, and guesses elsewhere. The linear
# one is wrong even among the data: with three different Σ the exact logits are *quadratic* in x, and no
# weights of a linear network give that. (White streaks: only two names compete there, and the error changes
# its sign.) A misfit in an empty corner costs nothing in training; it does when an unusual x arrives.
#
# ## k-means, the limit of small variance
#
# Give all components equal weights and one shared $\sigma^2 I$, held fixed. Then $r_k$ is the softmax of
# $-\lVert x - m_k\rVert^2 / 2\sigma^2$, and as σ → 0 it becomes one-hot: each point belongs to the
# nearest mean, and the M step averages its points. That is k-means.


# %%
def shrunk(sigma, steps=100):
    means = start[1]
    for _ in range(steps):
        r = (-torch.cdist(x, means).square() / (2 * sigma**2)).softmax(1)
        means = r.T @ x / r.sum(0)[:, None]
    return means, r


# %% tags=["aside"]
kmeans = KMeans(3, init=start[1].numpy(), n_init=1, tol=0, algorithm="lloyd").fit(x.numpy())
for sigma in (2.0, 1.0, 0.3, 0.03):
    means, r = shrunk(sigma)
    same = (r.argmax(1) == torch.from_numpy(kmeans.labels_)).float().mean()
    apart = (means - torch.from_numpy(kmeans.cluster_centers_)).abs().max()
    print(
        f"σ = {sigma:4}: same label as scikit-learn's KMeans {same:6.1%}; means apart {apart:.4f}; smallest of the largest r {r.max(1).values.min():.3f}"
    )
spread = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))[-1].sqrt()
print(f"square root of the data's largest eigenvalue, √λ₁ = {spread:.2f}")

# %% tags=["aside"]
small_variance_panel(
    *(x, shrunk, kmeans.cluster_centers_),
    caption=f"{digits.name}: 600 points; one σ for all, equal weights; 100 steps for each σ, from one start.",
)

# %% [markdown]
# Drag σ down: colours become pure and the crosses enter the diamonds. Drag it up: beyond σ = √λ₁ (the dotted
# line; λ₁ is the largest eigenvalue of the data's covariance) the three means melt into one from our start, in
# which they lie close together, and q returns to the prior. Why there? Put three means almost in one place. The
# responsibilities then depend on x only weakly, and an EM step multiplies the means' distances along the first axis
# by λ₁/σ². Where σ² > λ₁, they shrink to nothing. (Means that start far apart can hold out a little beyond.)
# [Chapter](beta_vae)'s collapse at β = 1 has the same threshold: a dimension dies where λ ≤ σ².

# %% [markdown]
# ## A continuous code: probabilistic PCA
#
# Now $z\in\mathbb R^d$ with p(z) = N(0, I) and a **linear** decoder, $p(x\mid z) = \mathcal N(Wz + m,
# \sigma^2 I)$. Everything stays Gaussian: $p(x) = \mathcal N(m, WW^\top + \sigma^2 I)$, and with
# the d×d matrix $M = W^\top W + \sigma^2 I$ (named so by its authors; no relation to the M step)
#
# $$p(z\mid x) = \mathcal N\bigl(M^{-1}W^\top(x-m),\; \sigma^2 M^{-1}\bigr).$$
#
# 10,000 images, averaged over 2×2 pixels to 14×14, D = 196 numbers, so that gradients take seconds; d = 6. We solve
# it by closed form, by EM and by gradient; the best m is the mean image for all three. **Closed form** (Tipping & Bishop): with λ the eigenvalues of the
# covariance, σ² is the average of those left out, and W holds the first d eigenvectors times
# $\sqrt{\lambda_i - \sigma^2}$.

# %%
d, images = 6, F.avg_pool2d(digits.train_images[:10_000], 2).flatten(1).double()
mean, D = images.mean(0), images.shape[1]
S = torch.cov(images.T, correction=0)  # (196, 196)
values, vectors = (t.flip(-1) for t in torch.linalg.eigh(S))  # largest first
variance = values[d:].mean()
closed = em.PPCA(mean, vectors[:, :d] * (values[:d] - variance).sqrt(), variance)

# %% tags=["aside"]
best = closed.log_prob(images).mean().item()
package = em.ppca(images, d).log_prob(images).mean().item()
sklearn = PCA(d, svd_solver="full").fit(images.numpy())
print(f"closed form {best:.6f}, package {package:.6f} nats an image")
by_sklearn = sklearn.score(images.numpy())
print(f"scikit-learn's PCA.score {by_sklearn:.6f} (it divides the covariance by N − 1)")

# %% [markdown]
# **EM.** The E step: $\mathbb E[z\mid x] = M^{-1}W^\top(x-m)$ and $\mathbb E[zz^\top\mid x] = \sigma^2M^{-1} + \mathbb
# E[z\mid x]\,\mathbb E[z\mid x]^\top$. The M step fits x to z by least squares: with $A$ the mean over all images of
# $(x-m)\,\mathbb E[z\mid x]^\top$ and $B$ that of $\mathbb E[zz^\top\mid x]$, the new $W$ is $AB^{-1}$ and, with this
# $W$, the new $\sigma^2$ is $(\operatorname{tr}S - \operatorname{tr}AW^\top)/D$. No image need be touched again: with S,
# the data's covariance, and the old $W$ and $\sigma^2$, $A = SWM^{-1}$ and $B = \sigma^2M^{-1} + M^{-1}W^\top A$.


# %%
def ppca_step(W, variance):
    inverse = torch.linalg.inv(W.T @ W + variance * torch.eye(d).double())  # M⁻¹
    xz = S @ W @ inverse  # mean of (x − m) E[z|x]ᵀ
    zz = variance * inverse + inverse @ W.T @ xz  # mean of E[z zᵀ|x]
    W = xz @ torch.linalg.inv(zz)
    return W, (S.trace() - (xz * W).sum()) / D


# %% tags=["aside"]
torch.manual_seed(0)
W, variance, track = torch.randn(D, d).double(), torch.ones(()).double(), {}
for step in range(1, 1001):
    W, variance = ppca_step(W, variance)
    if step in (1, 10, 100, 300, 1000):
        track[step] = best - em.PPCA(mean, W, variance).log_prob(images).mean().item()
by_em = em.PPCA(mean, W, variance)
print("EM, nats an image below the closed form (a value below 0 is rounding):")
print(", ".join(f"{k:,} step{'s' * (k > 1)} {v:.1e}" for k, v in track.items()))

# %% [markdown]
# **A linear VAE, by gradient.** Encoder $q(z\mid x) = \mathcal N(V(x-m), \operatorname{diag} v)$, one v for all
# images. It is told nothing about eigenvectors. Averaged over all images, reconstruction and KL have a closed form
# here, so the gradient is free of noise. With $z = V(x-m)$ plus noise of variance v, the mean of
# $\lVert x-m-Wz\rVert^2$ over q and the data is $\operatorname{tr}S -
# 2\operatorname{tr}(W^\top SV^\top) + \operatorname{tr}\bigl(W^\top W\,(VSV^\top + \operatorname{diag}v)\bigr)$.


# %%
def linear_bound(W, V, log_v, log_sigma):  # mean ELBO, nats an image
    SV, v = S @ V.T, log_v.exp()
    codes = V @ SV  # covariance of the encoder's means
    error = S.trace() - 2 * (W * SV).sum() + (W.T @ W * (codes + torch.diag(v))).sum()
    kl = 0.5 * (v + codes.diagonal() - 1 - log_v).sum()
    return -0.5 * error / (2 * log_sigma).exp() - D * (log_sigma + 0.5 * math.log(2 * math.pi)) - kl


# %%
torch.manual_seed(0)
small = 0.1 * torch.randn(2, D, d).double()
weights = [small[0], small[1].T.clone(), torch.zeros(d).double(), torch.tensor(-1.0).double()]
weights = [w.requires_grad_() for w in weights]
optimizer = torch.optim.Adam(weights, lr=0.03)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.03, total_steps=2000)
for _ in range(2000):
    optimizer.zero_grad()
    loss = -linear_bound(*weights)
    loss.backward()
    optimizer.step()
    schedule.step()

# %% [markdown]
# ### Is `linear_bound` the ELBO? (optional, 1 minute)
#
# [Chapter](vae)'s way, with two draws of z for each image and
# `torch.distributions`:

# %% tags=["aside"]
torch.manual_seed(0)
W, V, log_v, log_sigma = (w.detach() for w in weights)
q = Normal((images - mean) @ V.T, (0.5 * log_v).exp())
drawn = torch.stack(
    [Normal(z @ W.T + mean, log_sigma.exp()).log_prob(images).sum(1) for z in q.sample((2,))]
) - kl_divergence(q, Normal(0.0, 1.0)).sum(1)  # (2, 10,000)
noise = (drawn[0] - drawn[1]).std() / (
    4 * len(images)
) ** 0.5  # of the mean of both, from the draws
print(f"by formula {linear_bound(W, V, log_v, log_sigma):.3f}")
print(f"by draws   {drawn.mean():.3f} ± {noise:.3f}")

# %% [markdown]
# ### Prediction (b)
#
# Subspace angles compare the subspaces (here 6-dimensional “planes”) that the columns of W span: 0° is the
# same plane.

# %% tags=["aside"]
W, _, _, log_sigma = (w.detach() for w in weights)
by_vae = em.PPCA(mean, W, (2 * log_sigma).exp())
print("               log p(x)     below closed form   largest angle   σ²")
solutions = {"closed form": closed, "EM": by_em, "linear VAE": by_vae}
for name, model in solutions.items():
    reached = model.log_prob(images).mean().item()
    angle = math.degrees(subspace_angles(model.loadings.numpy(), closed.loadings.numpy()).max())
    print(
        f"{name:12} {reached:11.6f} {abs(best - reached):16.7f} {angle:15.4f}°   {model.variance:.6f}"
    )
lower = linear_bound(*weights).item()
print(f"linear VAE, ELBO below its own log p(x): {reached - lower:.4f}")
print(f"linear VAE, ELBO below the closed form:  {best - lower:.4f}")


# %% tags=["aside"]
along = (vectors[:, :d].T @ F.normalize(by_vae.loadings, dim=0)).abs().amax(1)
arrived = f"{(along > 0.95).sum()} of {d}"
print(f"{'eigenvalues of S':33}", " ".join(f"{value:.3f}" for value in values[: d + 1]))
print("|cos| to the VAE's nearest column", " ".join(f"{value:.3f}" for value in along))
print(f"eigenvectors that a column of the VAE has reached, |cos| > 0.95: {arrived}")
columns = {name: model.loadings.T.reshape(d, 14, 14) for name, model in solutions.items()}
pictures.components(
    {name: w[w.flatten(1).norm(dim=1).argsort(descending=True)] for name, w in columns.items()},
    alt=f"Six signed images a row: of the closed form's, the linear VAE shows {arrived} again, up to sign and "
    "order, and mixtures of neighbours for any others; EM's are mixtures of all.",
    caption=f"{digits.name}, 14×14: columns of W, longest first. 10,000 images; EM 1,000 steps, VAE "
    "2,000 Adam steps. Orange above zero, purple below.",
)

# %% [markdown]
# **Prediction (b):** 0 to two decimals (the table). Three roads, one likelihood, one plane: PCA's. Within it
# log p(x) is indifferent to a rotation of z, and EM may end at any. The VAE's q is *diagonal*, so
# its bound is tight only where $M$ is diagonal: among the $W$ of highest log p(x), on PCA's axes. How many of them gradient has reached is printed
# above the picture. The others, if any, are still mixed, mostly with a neighbour. Between close eigenvalues that costs
# little, all in all at most the table's last line: a rotation of z is paid in the gap, a turn of W's own axes within
# the plane in log p(x). Here it is some of both.
#
# ### Exercise 4: the linear model's encoder
#
# The mean of p(z|x) for centred points: its formula stands above; now in code. (A second one is right, too, and
# inverts a D×D matrix in place of the d×d one. Take the small one.)


# %% tags=["exercise"]
def posterior_mean(x, W, variance):  # (N, D), (D, d), () -> (N, d)
    # solution
    M = W.T @ W + variance * torch.eye(W.shape[1], dtype=W.dtype)
    return torch.linalg.solve(M, W.T @ x.T).T


check_posterior_mean(posterior_mean)

# %% [markdown]
# ## What makes the integral hard
#
# “The integration won't be tractable because of the high dimensionality of data”, says a lecture. Test it: a
# linear model of *all 784 pixels*, d = 2. The closed form takes one line. A grid over z checks it:

# %% tags=["aside"]
raw = digits.train_images[:3000].flatten(1).double()
wide = em.ppca(raw, 2)
z = torch.cartesian_prod(*[torch.linspace(-4, 4, 81, dtype=torch.double)] * 2)
distance = torch.cdist(raw[:4], z @ wide.loadings.T + wide.mean) ** 2  # (4, G)
log_x_given_z = -0.5 * (distance / wide.variance + 784 * (2 * math.pi * wide.variance).log())
summed = (log_x_given_z + Normal(0.0, 1.0).log_prob(z).sum(1)).logsumexp(1) + 2 * math.log(0.1)
print(f"closed form {[round(v, 6) for v in wide.log_prob(raw[:4]).tolist()]}")
print(f"grid over z {[round(v, 6) for v in summed.tolist()]}")

# %% [markdown]
# 784 dimensions of data do no harm. (Below, the KL runs from the posterior: it only tests whether that is a Gaussian,
# and is no VAE's gap.) Now *two* dimensions of data, *one* of z, and a decoder that bends:

# %% tags=["aside"]
z = torch.linspace(-5, 5, 4001, dtype=torch.double)
paths = {
    "linear": torch.stack([1.3 * z, 0.6 * z], 1),
    "nonlinear": torch.stack([1.3 * z, z**2 - 1], 1),
}
seen = torch.tensor([0.1, 1.6]).double()
densities, gaussians, dz = {}, {}, z[1] - z[0]
for name, decoded in paths.items():
    log_joint_at = Normal(0.0, 1.0).log_prob(z) + Normal(decoded, 0.7).log_prob(seen).sum(1)
    p = Categorical(logits=log_joint_at)  # the posterior, on the grid
    centre = (p.probs * z).sum()
    spread = (p.probs * (z - centre) ** 2).sum().sqrt()
    g = Categorical(logits=Normal(centre, spread).log_prob(z))
    densities[name], gaussians[name] = p.probs / dz, g.probs / dz
    print(
        f"{name:10} KL(posterior ‖ Gaussian, same mean and variance) {kl_divergence(p, g).abs():.6f} nats"
    )

# %% tags=["aside"]
figures.line_and_curve(
    *(z, paths, seen, densities, gaussians),
    alt="A straight decoder: the posterior is a Gaussian. A parabola: two bumps that no Gaussian fits.",
    caption="z ~ N(0, 1), decoders (1.3z, 0.6z) and (1.3z, z² − 1), noise 0.7. Orange: the decoder's mean. ×: the "
    "observed x. Beside each: the posterior density p(z|x); dashed: the Gaussian of its mean and variance.",
)

# %% [markdown]
# With Gaussian noise a linear decoder turns a Gaussian into a Gaussian; a bent one in general does not, and then
# for $\int p(x\mid z)p(z)\,dz$ no formula is known but in special cases. A grid still helps in one dimension of
# *z*: its points grow exponentially with the dimension of z. More pixels make each of them dearer, and p(z|x)
# narrower, so the steps must be finer; but for a given dimension of z that grows only as a power of the number of
# pixels. In the linear model above, with every fourth, every second and every row and column:

# %% tags=["aside"]
for every in (4, 2, 1):
    part = digits.train_images[:3000, :, ::every, ::every].flatten(1).double()
    model = em.ppca(part, 2)
    squares = model.loadings.square().sum(0)  # the columns are orthogonal
    width = (model.variance / (squares + model.variance)).sqrt()
    print(f"{part.shape[1]:3} pixels: standard deviations of p(z|x) {width[0]:.2f}, {width[1]:.2f}")

# %% [markdown]
# Twice as many pixels a side, half the width.
#
# ## EM with a network for a decoder
#
# Without a formula the E step can be sampled: **Monte-Carlo EM**. For each of 200 images a Metropolis chain
# walks z: propose a step, accept it with probability min(1, ratio of p(x, z)). Each proposal evaluates the
# decoder. The M step is a gradient step on log p(x, z) at the z found. The model: d = 2, images made
# black and white, log p(x) exact by grid.

# %%
torch.manual_seed(0)
ink = torch.bernoulli(F.avg_pool2d(digits.train_images[:200], 2))


def new_model():
    torch.manual_seed(0)
    return VAE(2, (1, 14, 14), hidden=(64,))


def log_joint_z(model, z):
    return model.decode(z).log_prob(ink) + model.prior.log_prob(z)


# %%
@torch.no_grad()
def metropolis(model, z, moves):
    now = log_joint_z(model, z)
    for _ in range(moves):
        width = 0.05 * 40 ** torch.rand(len(z), 1)  # from 0.05 to 2
        proposal = z + width * torch.randn_like(z)
        new = log_joint_z(model, proposal)
        accept = torch.rand(len(z)).log() < new - now
        z, now = torch.where(accept[:, None], proposal, z), torch.where(accept, new, now)
    return z


# %% [markdown]
# We run it in two ways. *Kept*: every image keeps its own chain, one move a step. That needs one stored z for each
# image. *Restarted*: at every step the chains begin anew from the prior and make 40 moves, as they must for a new
# image. The VAE runs 120 steps; each of the others then runs until log p(x) of these 200 images has
# passed what the VAE reached. (The VAE also *encodes* each image once a step.)


# %%
def objective(model, way, z):
    """What a step maximizes, the z to keep, and how often each image was decoded."""
    if way == "VAE":
        return vae_elbo(model, ink).bound, z, 1
    moves, old = (1, z) if way == "MC-EM, kept" else (40, torch.randn_like(z))
    z = metropolis(model, old, moves)
    return log_joint_z(model, z), z, moves + 2  # the chain's start, its moves, the M step


# %% tags=["aside"]
def train(way, steps, target=math.inf):
    model, z, seconds, decoded, height = new_model(), torch.randn(len(ink), 2), 0.0, 0, -math.inf
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(1, steps + 1):
        began = time.perf_counter()
        value, z, evaluations = objective(model, way, z)
        optimizer.zero_grad()
        (-value.mean()).backward()
        optimizer.step()
        seconds, decoded = seconds + time.perf_counter() - began, decoded + evaluations
        if step % 10 == 0:
            height = evaluation.exact_log_likelihood(model, ink, grid=40).mean().item()
            if height >= target:
                break
    return step, decoded * len(ink), seconds, height


# %% tags=["aside", "measured"]
target = train("VAE", 120)[3]
print(f"to log p(x) = {target:.2f}    steps   decoder evaluations   seconds   reached")
for way in ("VAE", "MC-EM, kept", "MC-EM, restarted"):
    step, decoded, seconds, height = train(way, 300, target)
    print(f"{way:26} {step:5} {decoded:21,} {seconds:9.2f} {height:9.2f}")

# %% [markdown]
# **What you see** (one seed). Sampled E steps work: in *steps* they are ahead of the VAE, probably because their z
# come closer to the true posterior (not measured here). In *decoder evaluations* the VAE is the cheapest, and chains
# that start anew are by far the dearest. In seconds the kept chains keep up with it: a move needs no
# gradient. Here every chain moves at every step. Of a large set, in batches, only the chains of the batch would, as
# in *partial E* above; the others go stale, the longer the more the decoder has moved since. And a new image has no
# chain: z must be searched for from scratch, with many decoder evaluations; more, we expect, the more dimensions z
# has (not measured here). The VAE's encoder answers in one pass, because it has learned the E
# step. Its price is the gap, of amortization and of the Gaussian family.
#
# ## Side by side
#
# | | EM | VAE |
# |---|---|---|
# | the bound | ELBO(q, θ) | the same |
# | code for x | E step: $q = p_\theta(z\mid x)$ | encoder $q_\phi(z\mid x)$ |
# | exact or amortized | exact: gap 0 after each E step | amortized: one network for all x, a gap stays |
# | decoder (and prior) | M step: solved | gradient step |
# | climb | by coordinates: q, then θ | jointly: φ and θ |
# | log p(x) | never falls, and may stop at a local top | may fall |
# | needs | a posterior that can be computed | log p(x, z) and a draw that can be differentiated |
# | goes as far as | the algebra | any decoder that can be differentiated; z real-valued, or relaxed ([chapter](reparameterization)) |
#
# ## Recap
#
# 1. The E step sets q to the posterior: the ELBO rises to log p(x), the gap is 0 (prediction a). The M step
#    takes weighted averages: the ELBO rises, and log p(x) with it. It may stop at a local top.
# 2. Exact, partial, free and amortized ways climb the same bound. A flexible amortized q is right where data
#    trained it; its misfit is the amortization gap.
# 3. In the linear model an eigendecomposition, EM and a VAE reach the same log p(x) (prediction b: 0 nats, to
#    two decimals) and the same plane.
# 4. *Exact* EM needs p(z|x). With a continuous z and a network for a decoder it has no formula in general.
#    Sampled E steps cost many decoder
#    evaluations for every new image; an encoder learns to spare them. k-means is EM of equal weights and one
#    spread σ, with σ → 0.
#
# **The limit of this chapter.** Every bound here used a q that is a Gaussian or a short list, a prior without
# structure, and a likelihood chosen for ease. The advanced chapters replace them one by one: likelihoods
# (08), the rate in real bits (09), other latent spaces (10), tighter bounds (11).
#
# ## Sources, and where this chapter differs
#
# Dempster, Laird & Rubin 1977, *Maximum Likelihood from Incomplete Data via the EM Algorithm*. Neal & Hinton
# 1998, *A View of the EM Algorithm that Justifies Incremental, Sparse, and Other Variants*. Tipping & Bishop 1999,
# *Probabilistic Principal Component Analysis* (eq. 6 to 8, 29, 30). Bishop 2006, *Pattern Recognition and Machine
# Learning*, chapters 9 and 12. Wei & Tanner 1990 (Monte-Carlo EM). Cremer, Li & Duvenaud 2018, *Inference
# Suboptimality in Variational Autoencoders*, arXiv:1801.03558. Lucas et al. 2019, *Don't Blame the ELBO!*,
# arXiv:1911.02469. Kingma & Welling 2014, arXiv:1312.6114.
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | EM as a VAE: a joint $P_{\text{pri}}(z, y)$ (its y is our x) | a subscript is missing: $P_{\text{pri,dec}}(z, y)$, as its next line has it | *A bound without x* |
# | “the integration won't be tractable because of the high dimensionality of data” | because no closed form is known for the integral of p(x\|z) p(z) over z: here, as the decoder is nonlinear in z | *What makes the integral hard* |
