# %% [markdown]
# # 05 · The variational autoencoder
#
# One network guesses the hidden causes of a digit, a second one draws the digit from them, and a
# single number trains both. By the end of this chapter you have trained it on handwritten digits,
# walked through its latent space with your hand, and measured how far its bound is from the truth.
#
# **You will be able to**
# 1. write a VAE, its two terms and its training step from memory;
# 2. say what each term does to the code of an image, and show what happens without the KL term;
# 3. check log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)) by number on a trained network;
# 4. say what a −ELBO in nats on grey-level images is, and what it is not.
#
# Chapters 03 and 04 derive the ELBO and its gradient; here both are restated where they are used.
# Press Run All now and read while it works (one to two minutes). Allow just under an hour;
# *How good is the model?* and *Is that a likelihood?* can wait for another day.
#
# **Predict first.** Below, the same network is trained twice with a two-dimensional code: once with
# its KL term, once without. Each image's q(z|x) is drawn as an ellipse of one standard deviation, a
# *bubble*. In which of the two are the bubbles larger, and what lies *between* them? Write your
# guess down; section *Without the KL term* answers.

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import torch
from torch import nn
from torch.nn import functional as F

from vae_teach import data, evaluation, pictures, pretrained
from vae_teach.chapters.vae.exercises import (
    check_draw,
    check_kl,
    check_loss,
    check_reconstruction,
)
from vae_teach.chapters.vae.figures import bubbles, posteriors
from vae_teach.explorers import (
    Bubbles,
    DrawDigit,
    Film,
    Interpolation,
    LatentPlane,
    LatentSliders,
)
from vae_teach.models import VAE
from vae_teach.models.classifier import fraction_sure
from vae_teach.objectives import elbo
from vae_teach.training import fit

# %%
digits = data.course_set()
torch.manual_seed(0)
digits

# %% [markdown]
# ## Three distributions
#
# A VAE is a story about how an image came to be, and a guess that runs the story backwards.
#
# | | distribution | here |
# |---|---|---|
# | prior | $p(z)$ | $\mathcal N(0, I)$, no parameters |
# | decoder | $p_\theta(x\mid z)$ | one Bernoulli a pixel, its logits from a network |
# | encoder | $q_\phi(z\mid x)$ | $\mathcal N(\mu, \operatorname{diag} v)$, $\mu$ and $\log v$ from a network |
#
# The encoder of an ordinary autoencoder returns one number for each latent dimension; this one
# returns **two**, a mean and a log-variance:
# x → (μ, log v) → z = μ + √v · ε with ε ~ N(0, I) → logits → p(x|z).
# This z has the distribution q, and gradients flow through it into μ and v.


# %%
class SmallVAE(nn.Module):
    def __init__(self, latent_dim, pixels=28 * 28, hidden=400):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, pixels)
        )


# %% [markdown]
# ## Two terms
#
# $$\mathrm{ELBO}(x) \;=\; \underbrace{\mathbb E_{q_\phi(z\mid x)}\bigl[\log p_\theta(x\mid z)\bigr]}_{\text{reconstruction}}
# \;-\; \underbrace{\mathrm{KL}\bigl(q_\phi(z\mid x)\,\|\,p(z)\bigr)}_{\text{KL term}}$$
#
# **Reconstruction**: draw $z$ from the *encoder*, not from the prior, and score the image. One draw an
# image gives an unbiased estimate; in training that is enough. With λ the probability of ink and
# $\ell = \log\frac{\lambda}{1-\lambda}$ its logit, a pixel scores
# $x\log\lambda + (1-x)\log(1-\lambda) = x\,\ell - \log(1+e^{\ell})$; `softplus(ℓ)` is that last logarithm.
#
# **KL term**: for two Gaussians the integral has been done once and for all,
# $\tfrac12\sum_i (v_i + \mu_i^2 - 1 - \log v_i)$.
#
# Sums run over pixels and latent dimensions, means over images: mixing these up is a common error
# in VAE code. Where a minus is written (−reconstruction, −ELBO), and in the training curves, less is better;
# code and progress bars show reconstruction and ELBO themselves, below zero here, and more is better.


# %%
def two_terms(model, x):
    mean, log_variance = model.encoder(x).chunk(2, dim=1)  # (B, d) each
    z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
    logits = model.decoder(z)  # (B, pixels)
    reconstruction = (x.flatten(1) * logits - F.softplus(logits)).sum(1)
    kl = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum(1)
    return reconstruction, kl  # (B,) nats each


# %% [markdown]
# Do we trust it? `torch.distributions` knows nothing of our algebra. With the same noise, its numbers
# must be ours up to rounding.

# %%
torch.manual_seed(0)
model, x = SmallVAE(latent_dim=20), digits.test_images[:4]
torch.manual_seed(1)
ours = two_terms(model, x)

# %%
mean, log_variance = model.encoder(x).chunk(2, dim=1)
q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
torch.manual_seed(1)
likelihood = torch.distributions.Bernoulli(logits=model.decoder(q.rsample()), validate_args=False)
theirs = (
    likelihood.log_prob(x.flatten(1)).sum(1),
    torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1),
)
for name, a, b in zip(("reconstruction", "KL"), ours, theirs, strict=True):
    print(f"{name:14}   ours {[round(v, 2) for v in a.tolist()]}")
    print(f"{'':14} torch's {[round(v, 2) for v in b.tolist()]}")

# %% [markdown]
# ### Exercise 1: draw a code
#
# Write, from memory, the draw of z from the mean, the log-variance and standard normal noise.


# %% tags=["exercise"]
def draw(mean, log_variance, noise):  # (B, d) each -> (B, d)
    # solution
    return mean + (0.5 * log_variance).exp() * noise


check_draw(draw)

# %% [markdown]
# ## The training step
#
# Autograd needs a loss to minimize: the negative ELBO, averaged over the batch. Both networks learn
# from it at once, because the draw of $z$ lets the gradient through.


# %%
def training_step(model, x, optimizer):
    reconstruction, kl = two_terms(model, x)
    loss = (kl - reconstruction).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %%
torch.manual_seed(0)
model = SmallVAE(latent_dim=20)  # each run of this cell starts anew
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
batches = torch.randperm(len(digits.train_images)).split(128)
losses = [training_step(model, digits.train_images[rows], optimizer) for rows in batches[:150]]
print(
    f"−ELBO: first batch, {losses[0]:.0f} nats; last of {len(losses)} batches, {losses[-1]:.0f} nats"
)

# %% [markdown]
# That is all of it. The package's `elbo` and `fit` do the same computation, with checks, a progress
# bar and a faster implementation of Adam. `VAE.encode(x)` is q(z|x) and `VAE.decode(z)` is p(x|z), as
# `torch.distributions` objects; `elbo` returns `reconstruction`, `kl` and `bound`, one number an
# image each. Given our weights and the same noise, `elbo` must return our numbers:

# %%
packaged = VAE(latent_dim=20)
packaged.load_state_dict(model.state_dict())
torch.manual_seed(2)
reconstruction, kl = two_terms(model, x)
torch.manual_seed(2)
difference = elbo(packaged, x).bound - (reconstruction - kl)
print(f"largest difference: {difference.abs().max().item():.1e} nats")

# %% [markdown]
# ## Train it
#
# Twenty latent dimensions, all training images, about 1,100 steps on MNIST and on `strokes` alike.
# Adam's step size rises to 7·10⁻³ and falls again over the run (one cycle), a common way to train
# fast.

# %%
torch.manual_seed(0)
epochs = 420_000 // len(digits.train_images)
vae20 = VAE(latent_dim=20)
settings = dict(batch_size=384, lr=7e-3, one_cycle=True, validation=digits.test_images[:2000])
history20 = fit(vae20, digits.train_images, elbo, epochs=epochs, **settings)

# %%
seen = {name: [abs(v) for v in values] for name, values in history20.validation.items()}
told = (f"{seen[name][0]:.0f} to {seen[name][-1]:.0f} nats" for name in ("reconstruction", "kl"))
pictures.curves(
    history20,
    alt="Two plots over epochs, for training and validation images each. On validation images the "
    "reconstruction loss goes from {}, the KL term from {}.".format(*told),
    caption=f"{digits.name}, 20 latent dimensions, batch 384. Training values are "
    "averages over each epoch, validation values are taken after it, on 2,000 test images.",
)

# %% [markdown]
# **What you see.** By and large the two terms move in *opposite* directions: nats spent on the
# code (right) buy a better drawing (left). (On `strokes` the code is first given up, then built again: the
# training KL falls before it rises.) The sum of both is what training lowers; plot only the sum and you never
# see the trade.

# %% [markdown]
# ## Reconstruct, and sample
#
# To reconstruct, encode an image and decode the mean of its code. To sample, forget the encoder:
# draw $z$ from the prior and decode.

# %%
torch.manual_seed(0)
x = digits.test_images[:14]
with torch.no_grad():
    reconstructed = vae20.decode(vae20.encode(x).mean).mean
    sampled = vae20.decode(vae20.prior.sample((14,))).mean

pictures.image_rows(
    {"test image": x, "reconstruction": reconstructed, "sample": sampled},
    alt="Three rows of digits: test images, their reconstructions, slightly softer, and samples "
    "from the prior, some of them readable digits.",
    caption=f"{digits.name}, 20 latent dimensions. Shown is each pixel's mean, not a draw of ink.",
)

# %% [markdown]
# How often is a draw a clear digit? The judge of [chapter](autoencoder), a classifier, on 1,000 draws:

# %% tags=["aside"]
classifier = pretrained.for_set("classifier", digits)
torch.manual_seed(0)
with torch.no_grad():
    draws = vae20.decode(vae20.prior.sample((1000,))).mean
for name, images in {"draws from p(z)": draws, "test images": digits.test_images[:1000]}.items():
    print(f"classifier sure (p > 0.9) of {name:16} {fraction_sure(classifier, images):.2f}")

# %% [markdown]
# Compare the first number with [chapter](autoencoder)'s *Gaussian* row, column *20 numbers*: 0.45 in the stored run on MNIST. By
# this judge the VAE need be no better after so short a training: the classifier is sure of some scribbles, too, and
# many draws from the prior fall between the places where digits are encoded. What is gained is something else. There
# a Gaussian was fitted to codes afterwards; here the distribution of z is part of the model, so its samples, and how
# likely a black-and-white image is, are *defined*.

# %% [markdown]
# ## Twenty sliders
#
# Each slider is one latent dimension of the model above, starting from the code of a test image.
# Those at the top change the digit a lot, those at the end little.

# %%
LatentSliders(vae20, images=digits.test_images[:1000])

# %% [markdown]
# The bars show what a dimension costs, its KL: how far $q(z_i\mid x)$ moves from the prior. On average that is
# at least what $z_i$ tells about the image. Over all test images, with the mean variance $v$ of the encoder
# below it:

# %% tags=["aside"]
with torch.no_grad():
    q = vae20.encode(digits.test_images).base_dist  # 20 Gaussians an image, one a dimension
    kl = 0.5 * (q.variance + q.mean**2 - 1 - q.variance.log()).mean(0)
order = kl.argsort(descending=True)
print("z_i        ", " ".join(f"{i + 1:5d}" for i in order.tolist()))
print("KL, nats   ", " ".join(f"{v:5.2f}" for v in kl[order].tolist()))
print("mean of v  ", " ".join(f"{v:5.2f}" for v in q.variance.mean(0)[order].tolist()))

# %% [markdown]
# By and large, the more a dimension costs, the smaller its v. A dimension with KL = 0 would have
# v = 1 and μ = 0 for every image: its q *is* the prior, $z_i$ tells the decoder nothing, and the
# decoder learns to ignore that slider.

# %% [markdown]
# ## What the penalty wants
#
# Each dimension pays $\tfrac12(v - \log v - 1) + \tfrac12\mu^2$: one price for the width of the
# bubble, one for the place of its centre.

# %%
v = mu = torch.linspace(-2, 4, 601)  # log v is NaN below 0 and leaves a blank
pictures.lines(
    v,
    {"½ μ²": 0.5 * mu**2, "½ (v − log v − 1)": 0.5 * (v - v.log() - 1)},
    alt="Two bowls: a parabola in the mean that touches zero at μ = 0, and a curve in the variance "
    "that touches zero at v = 1 and climbs steeply as v nears zero.",
    caption="Price of one latent dimension. Both are zero exactly where q is the prior: μ = 0, v = 1.",
    xlabel="μ, or v",
    ylabel="nats",
    colours=(pictures.ENCODER, pictures.KL),
)

# %% [markdown]
# So does every bubble end with radius 1? No: the reconstruction term wants certainty. The prior is
# only one vote. Take one pixel that is a linear function of one code, x = J z + noise, J the slope and
# σ the noise's standard deviation. Bayes' rule gives the best bubble: it has the variance
# $v^* = 1/(1 + J^2/\sigma^2)$, which is 1 only for a code that the decoder ignores ($J = 0$). The
# posterior's variance, computed on a fine grid of z, for x = 0.7:

# %%
z = torch.linspace(-8, 8, 4001, dtype=torch.double)
for J, sigma, x0 in [(0.0, 0.5, 0.7), (1.0, 0.5, 0.7), (3.0, 0.5, 0.7)]:
    posterior = torch.softmax(-0.5 * z**2 - 0.5 * ((x0 - J * z) / sigma) ** 2, dim=0)
    variance = (posterior * z**2).sum() - (posterior * z).sum() ** 2
    print(f"J = {J:.0f}: variance {variance:.4f}, formula {1 / (1 + J**2 / sigma**2):.4f}")

# %% [markdown]
# ### Exercise 2: the KL term
#
# Write KL(N(μ, diag v) ‖ N(0, I)) for a batch. `variance` is v itself, not its logarithm.


# %% tags=["exercise"]
def kl_term(mean, variance):  # (B, d), (B, d) -> (B,)
    # solution
    return 0.5 * (variance + mean**2 - 1 - variance.log()).sum(1)


check_kl(kl_term)

# %% [markdown]
# ## Two dimensions, to look at
#
# With a two-dimensional code we can see the whole latent space at once. The images come out blurrier
# (two numbers cannot carry what twenty can): the price of being able to look. Two hidden layers make
# up for a little of it.

# %%
torch.manual_seed(0)
vae2 = VAE(latent_dim=2, hidden=(200, 200))
film = Film(digits.test_images[:200], digits.test_labels[:200])  # watches q(z|x); for later
history2 = fit(vae2, digits.train_images, elbo, epochs=epochs, watch=film, **settings)

# %%
pictures.manifold(
    vae2,
    alt="A square sheet of digits that change smoothly into each other, most kinds of digit filling "
    "a region of the plane.",
    caption=f"{digits.name}: what the 2-D model draws at each code of a regular grid.",
)

# %% [markdown]
# ## Drag it
#
# The map shows test images by the mean of their q(z|x). Drag across it, or click it and use the arrow
# keys. The decoder runs in your browser. Look for: a border between two digits; a place
# where there are no codes, and what the decoder draws there; the way from a 1 to a 0. Then choose an image
# below the map: the lens shows its q(z|x), and the true posterior that q stands for.

# %%
LatentPlane(vae2, digits.test_images[:1500], digits.test_labels[:1500], choices=10, posterior=True)

# %% [markdown]
# ## Draw one yourself
#
# Draw a digit, or choose one and add a stroke. The encoder answers to every stroke: q(z|x) moves, and the
# image on the right is decoded from its mean. What happens to something that is no digit?

# %%
DrawDigit(vae2, digits.test_images[:800], digits.test_labels[:800])

# %% [markdown]
# ## Interpolate
#
# From one image's code to another's. Does the prior's pull close the gaps? Look half-way: not all of them. In 20
# dimensions nearly all draws from the prior lie about √20 from the origin. The straight way cuts across the
# middle, where there are few; the other turns around it.

# %%
Interpolation(vae20, digits.test_images[:12], digits.test_labels[:12])

# %% [markdown]
# **What you see.** On both ways through z strokes move; blending pixels only fades one image out and the other in.
# Half-way, some of the images are still no digit.

# %% [markdown]
# ## Without the KL term
#
# Now the prediction. β weighs the KL term; β = 0 leaves the reconstruction alone. Same network and
# same start, at most a third of the epochs: compare the shapes, not the scores.


# %%
def without_kl(model, x):
    return elbo(model, x, beta=0)


torch.manual_seed(0)
no_kl = VAE(latent_dim=2, hidden=(200, 200))
film0 = Film(digits.test_images[:200], digits.test_labels[:200])
unweighted = fit(
    no_kl, digits.train_images, without_kl, epochs=epochs // 3, watch=film0, **settings
)

# %%
x, y = digits.test_images[:600], digits.test_labels[:600]
with torch.no_grad():
    without, with_kl = no_kl.encode(x), vae2.encode(x)

bubbles(
    {"without the KL term (β = 0)": without, "with it (β = 1)": with_kl},
    labels=y,
    alt="Left: specks, many in one clump and others far out. Right: larger ellipses around the "
    "origin, crowded within the prior's circles and sparser outside.",
    caption=f"{digits.name}, 600 test images: q(z|x) as an ellipse of one standard deviation, with a dot of "
    "fixed size at its mean; on the left the ellipses are smaller than the dots. Bold: classes at the median "
    "of their codes, where there is room. Dashed: one and two standard deviations of the prior. Mind the two "
    "scales.",
)

# %% [markdown]
# How did they get there? Each frame is a moment of the two trainings above, for 200 of the images. Press Play, or
# drag. The training without the KL term is shorter: its film stops at its last step while the other goes on. The
# planes zoom to hold their bubbles; the prior's circles are the measure.

# %%
Bubbles({"without the KL term": film0, "with it": film})

# %% [markdown]
# **What you see.** The bubbles are larger *with* the KL term. Reconstruction alone makes them tiny compared with the
# distances between them: the smaller and the further apart, the easier images are to tell. Nothing makes
# the codes follow the prior; here a draw from N(0, I) lands in the clump, and codes far outside the circles
# (on MNIST, the 1s) are practically never drawn. The KL term pulls every bubble to the *origin* and charges for
# small ones. And between the bubbles? Without it nearly everything is empty, and the decoder was never trained there.
# With it they crowd where the prior puts most of its draws; gaps remain further out. Their sizes, by number (what
# the decoder does in the gaps is the picture after):

# %% tags=["aside"]
torch.manual_seed(0)
with torch.no_grad():
    for name, m in (("β = 0", no_kl), ("β = 1", vae2)):
        terms, q = elbo(m, x), m.encode(x).base_dist
        print(
            f"{name}: −reconstruction {-terms.reconstruction.mean():6.1f}, KL {terms.kl.mean():9.1f}, "
            f"−ELBO {-terms.bound.mean():9.1f} nats; median std {q.stddev.median():.3f}, "
            f"means reach {q.mean.abs().max():.1f}"
        )

# %% [markdown]
# The last two columns show what β did. The β = 0 model may reconstruct *worse* here, although nothing else was
# asked of it: it had at most a third of the epochs. And what its progress bar calls `bound` is reconstruction − 0 · KL,
# no bound on log p(x).

# %% tags=["aside"]
torch.manual_seed(0)
z = vae2.prior.sample((14,))
with torch.no_grad():
    rows = {"β = 0, z ~ p(z)": no_kl.decode(z).mean, "β = 1, z ~ p(z)": vae2.decode(z).mean}
    kinds = [classifier(images).argmax(1).unique().numel() for images in rows.values()]

# %%
pictures.image_rows(
    rows,
    alt=f"Upper row, without the KL term: shapes that the classifier takes for {kinds[0]} different "
    f"digits. Lower row, the VAE: for {kinds[1]} different digits.",
    caption=f"{digits.name}: the same 14 codes from N(0, I), decoded by both models.",
)

# %% [markdown]
# ### Exercise 3: the reconstruction term
#
# Write $\log p(x\mid z)$ of the Bernoulli decoder for a batch, from its logits. Ink may be grey.


# %% tags=["exercise"]
def log_likelihood(logits, x):  # (B, 1, H, W) both -> (B,)
    # solution
    return (x * logits - F.softplus(logits)).flatten(1).sum(1)


check_reconstruction(log_likelihood)

# %% [markdown]
# ## The bound, measured
#
# The encoder only *guesses* the posterior. Which posterior? With two latent dimensions Bayes' rule can
# be carried out on a grid: $p(z\mid x) \propto p(x\mid z)\,p(z)$. Purple is the truth, the blue ellipse
# is the encoder.

# %%
torch.manual_seed(0)
sample = digits.test_images[:200]
exact = evaluation.exact_log_likelihood(vae2, sample)  # (200,) nats, by grid
with torch.no_grad():
    gap = exact - elbo(vae2, sample, samples=30).bound
chosen = gap.argsort()[[20, 80, 120, 180]]  # from small to large gaps
print(f"gap, {len(gap)} images: {gap.mean():.2f} nats on average, median {gap.median():.2f}")

# %%
torch.manual_seed(0)
points, log_posterior = evaluation.posterior_on_grid(vae2, sample[chosen], grid=400, extent=5)
with torch.no_grad():
    q = vae2.encode(sample[chosen])
    pieces = [elbo(vae2, sample[chosen], samples=500).bound for _ in range(10)]
    bound = torch.stack(pieces).mean(0)  # 5,000 draws, with a tenth of the memory

# %%
gaps = [f"gap {g:.2f} nats" for g in (exact[chosen] - bound).tolist()]
posteriors(
    points,
    log_posterior,
    q,
    sample[chosen],
    titles=gaps,
    alt="Four close-ups of the latent plane, the true posterior in purple, the encoder as blue ellipses: "
    f"from the left {', '.join(gaps)}; the larger the gap, the worse the ellipses cover the purple.",
    caption=f"{digits.name}, four test images. Purple: true posterior by grid, darkness its square "
    "root. Blue: encoder, at one (solid) and two (dashed) standard deviations. Mind the four scales.",
)

# %% [markdown]
# One encoder must serve all images; for some it points to the wrong place. The misfit has a size, and the size
# is a theorem. By Bayes' rule
# $\log p(x) = \log p(x, z) - \log p(z\mid x)$ for *every* z. Add and subtract $\log q(z\mid x)$ and average
# over q:
#
# $$\log p_\theta(x) \;=\; \mathrm{ELBO}(x) \;+\; \mathrm{KL}\bigl(q_\phi(z\mid x)\,\|\,p_\theta(z\mid x)\bigr).$$
#
# Three numbers, found in three ways: the ELBO from samples of z (so expect a few hundredths of noise), the
# KL by quadrature against the purple density, log p(x) from a grid of its own.

# %%
z = torch.stack(torch.meshgrid(points, points, indexing="xy"), dim=-1)  # (400, 400, 2)
with torch.no_grad():
    log_q = q.log_prob(z[:, :, None]).permute(2, 0, 1)  # (4, 400, 400)
cell = (points[1] - points[0]) ** 2
kl_to_posterior = (log_q.exp() * (log_q - log_posterior)).sum((1, 2)) * cell
print("   ELBO  + KL(q‖p(z|x)) =     sum      log p(x)")
for e, k, truth in zip(bound, kl_to_posterior, exact[chosen], strict=True):
    print(f"{e:8.2f} + {k:8.2f}      = {e + k:8.2f}    {truth:8.2f}")

# %% [markdown]
# (Our pixels are grey, so p(x|z), and with it p(x), is a *score* here rather than a probability: see *Is that a
# likelihood?* The identity needs only that p(x, z) is positive, wherever q is, and has a
# finite integral over z.)
#
# The KL is never negative, so the ELBO is never above log p(x): a **bound**, tight exactly where
# encoder and posterior agree. Note the logarithm: it is log p(x), not p(x), that splits so. And raising
# the ELBO need not raise log p(x); it may just close the gap.

# %% [markdown]
# ## How good is the model?
#
# The ELBO mixes the model with the quality of its encoder. For the model alone we want log p(x).
# Importance sampling can be written down for any dimension, with draws from any proposal r that covers the
# posterior: $p(x) = \mathbb E_{r(z)}\bigl[\,p(x\mid z)\,p(z)/r(z)\,\bigr]$. How good it is depends on r. With the
# bare encoder as r, and with the package's mixture:

# %%
torch.manual_seed(0)
few = sample[:60]
with torch.no_grad():
    q = vae2.encode(few)
    z = q.sample((3000,))  # (3000, 60, 2)
    log_weight = torch.stack(
        [vae2.decode(k).log_prob(few) + vae2.prior.log_prob(k) - q.log_prob(k) for k in z]
    )

# %%
bare = log_weight.logsumexp(0) - torch.tensor(3000.0).log()
adapted = evaluation.log_likelihood(vae2, few, samples=3000)
for name, estimate in (("bare encoder", bare), ("adapted mixture", adapted)):
    short = exact[:60] - estimate
    print(
        f"{name:16} short of log p(x) by {short.mean():5.2f} nats on average, at most {short.max():5.2f}"
    )

# %% [markdown]
# Three thousand draws, and on the worst image still many nats short. The picture below shows it: nearly all of the
# posterior's mass lies where the encoder hardly ever draws, so the average never sees it, and nothing
# warns us. `evaluation.log_likelihood` (the adapted mixture) draws from encoder, widened encoder, prior and
# the places of large weight it has found. Half of its draws look for these; only the other half is averaged, so
# that r is fixed before and the estimate of p(x) unbiased.

# %%
worst = (exact[:60] - bare).argmax().item()
points, log_posterior = evaluation.posterior_on_grid(
    vae2, few[worst : worst + 1], grid=400, extent=5
)
with torch.no_grad():
    q = vae2.encode(few[worst : worst + 1])

# %%
posteriors(
    points,
    log_posterior,
    q,
    few[worst : worst + 1],
    titles=[f"test image {worst}: {exact[worst] - bare[worst]:.1f} nats short"],
    alt="One close-up: the purple mass of the true posterior lies away from the encoder's blue "
    "ellipse.",
    caption=f"{digits.name}: the image, of the first 60, on which the encoder's own samples fail "
    "most. Darkness is the square root of the density.",
)

# %% [markdown]
# Now the model with 20 dimensions, where no grid can check us. The estimate of p(x) is unbiased, so that of log p(x)
# is on average too low (Jensen's inequality), the more so the more often a part of the posterior is missed: but for
# chance, the true −log p(x) is at most what is printed.

# %%
torch.manual_seed(0)
with torch.no_grad():  # a thousand at a time: all at once take 200 MB more
    test_bound = torch.cat([elbo(vae20, part).bound for part in digits.test_images.split(1000)])
grey = evaluation.log_likelihood(vae20, sample[:100], samples=1000)
print(f"−ELBO, all {len(test_bound):,} test images      {-test_bound.mean():6.1f} nats")
print(f"−ELBO, the first 100 of them      {-test_bound[:100].mean():6.1f} nats")
print(f"“−log p(x)” of these, estimated   {-grey.mean():6.1f} nats")

# %% [markdown]
# ## Is that a likelihood?
#
# Not on grey pixels. A Bernoulli gives probability to 0 and to 1. Put in x = 0.3 and
# $\lambda^x(1-\lambda)^{1-x}$ is a number, but these numbers do not integrate to 1 over x in [0, 1],
# so they are no density: the integral depends on λ, the probability of ink.

# %%
ink = torch.linspace(0, 1, 10_001, dtype=torch.double)
for p in (0.01, 0.3, 0.5, 0.9):
    total = torch.trapezoid(p**ink * (1 - p) ** (1 - ink), ink)
    closed = (
        (2 * p - 1) / torch.logit(torch.tensor(p)) if p != 0.5 else 0.5
    )  # (2λ−1) / log(λ/(1−λ))
    print(f"λ = {p:4}: ∫ λ^x (1−λ)^(1−x) dx = {total:.4f}   (closed form {closed:.4f})")

# %% [markdown]
# So what is the grey number? Flip a coin for each pixel, ink with probability x.
# - Averaged over these black-and-white *versions* of an image, log p(version | z) is the grey-level score,
#   exactly: it is linear in x.
# - So the grey −ELBO is also an upper bound on the versions' −log p(version), averaged. But its q was made from
#   the grey image, and must serve all its versions at once.
# - Its −reconstruction cannot fall below the entropy of the coins, which a decoder that returns x
#   itself would reach.
#
# The honest figure binarizes the test images and shows them to the encoder, too:

# %%
torch.manual_seed(0)
versions = torch.bernoulli(digits.test_images)
coins = [torch.distributions.Bernoulli(part) for part in digits.test_images.split(1000)]
entropy = torch.cat([part.entropy().sum((1, 2, 3)) for part in coins])
with torch.no_grad():
    binary_bound = torch.cat([elbo(vae20, part).bound for part in versions.split(1000)])
binary = evaluation.log_likelihood(vae20, versions[:100], samples=1000)
print(f"entropy of the coins, all test images      {entropy.mean():6.1f} nats")
print(f"−ELBO, grey levels, all                    {-test_bound.mean():6.1f} nats")
print(f"−ELBO, binarized, all                      {-binary_bound.mean():6.1f} nats")
print(f"−ELBO, binarized, the first 100            {-binary_bound[:100].mean():6.1f} nats")
print(f"−log p(x), binarized, the first 100        {-binary.mean():6.1f} nats, estimated")

# %% [markdown]
# The two −ELBOs bound nearly the same number. The binarized one can be lower because its encoder sees the version
# itself: a difference of the q's, not of the decoder.
#
# Compare figures only with figures of the same kind: grey with grey, binarized with binarized, bound
# with bound. A density for grey levels is the continuous Bernoulli (Loaiza-Ganem & Cunningham 2019), or a
# Gaussian with a stated σ.
#
# ### Exercise 4: the whole loss
#
# From memory, all of it: from the networks' outputs and a batch, whose ink may be grey, to the one number that
# training lowers.


# %% tags=["exercise"]
def vae_loss(mean, log_variance, logits, x):  # (B, d), (B, d), (B, 1, H, W), (B, 1, H, W) -> ()
    # solution
    reconstruction = (x * logits - F.softplus(logits)).flatten(1).sum(1)
    kl = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum(1)
    return (kl - reconstruction).mean()


check_loss(vae_loss)

# %% [markdown]
# ## Recap
#
# 1. A VAE is a prior, a decoder and an encoder that returns mean and log-variance. Its loss is
#    `(kl - reconstruction).mean()`, with sums over pixels and latent dimensions.
# 2. Reconstruction pushes codes apart and shrinks their bubbles; the KL term pulls them to the origin
#    and widens them. Without it the bubbles become specks, and draws from the prior no longer
#    represent the data.
# 3. log p(x) = ELBO + KL(q ‖ p(z|x)), as measured on this network.
# 4. Grey-level −ELBO is no −log-density of the grey image: its −reconstruction is a cross-entropy
#    with a floor above zero. Binarized, −ELBO bounds −log p(x) from above.
#
# **The limit of this chapter.** Nothing said the two terms should weigh the same. What do we gain,
# and lose, if β is 4, or ¼? That is [chapter](beta_vae).
#
# ## Sources, and where this chapter differs
#
# Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, arXiv:1312.6114 (eq. 3 and 10, appendix B).
# Rezende, Mohamed & Wierstra 2014, *Stochastic Backpropagation*, arXiv:1401.4082. Loaiza-Ganem &
# Cunningham 2019, *The Continuous Bernoulli*, arXiv:1907.06845. The order of ideas, and the bubbles,
# follow A. Canziani's lecture *Generative Models: Variational Autoencoders* (25 March 2021).
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | P(x) = 𝓛 + KL | log p(x) = ELBO + KL(q ‖ p(z\|x)) | *The bound, measured* |
# | bubbles have “a radius of around 1” | in the linear model v* = 1/(1 + J²/σ²): only unused dimensions do | *What the penalty wants* |
# | μ² minimizes the distance between the z's | it pulls each mean to the origin | *Without the KL term* |
# | 𝕍(z) is the variance, and 𝕍 = v − log v − 1 | two things: the variance v, and its price ½(v − log v − 1) | *What the penalty wants* |
# | “Evaluate Likelihood”, of log p(x) by a VAE | it bounds it; importance sampling estimates it | *How good is the model?* |
#
# (“With *binary* data” the loss is a binary cross-entropy, says a lecture, rightly. Common code feeds it grey levels,
# and so did we: *Is that a likelihood?*)
