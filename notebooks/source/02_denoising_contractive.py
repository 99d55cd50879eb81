# %% [markdown]
# # 02 · Denoising and contractive autoencoders
#
# An ordinary autoencoder only ever sees clean images, and does something odd with a spoilt one. Here we
# spoil the input in training and ask for the clean image back. That small change does more than clean
# pictures: it teaches the network, wherever the noise has taken it in training, the way to
# where the data are.
#
# **You will be able to**
# 1. corrupt a batch with a mask or with Gaussian noise, and train an autoencoder to undo it;
# 2. say where a denoising autoencoder beats an ordinary one, and where it loses;
# 3. read the arrow r(x̃) − x̃ as σ² times the gradient of a log-density, and check it by number;
# 4. compute the contractive penalty, and say what it does to the encoder's singular values;
# 5. say what all this still lacks as a generative model.
#
# Allow about <!-- minutes --> minutes, and about 20 more for the parts marked *optional*; nothing else needs those.
#
# **Predict first.** Two equal networks train for equally many steps. One copies clean images. The
# other sees images with pixels knocked out and has to return the clean ones. (a) Both are given a
# *clean* test image: which makes the smaller error? (b) We start from noise and let a denoiser
# walk, step by step, towards its own output: does a digit appear, or mush? Write your guesses down.

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import math

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.func import jacrev, vmap
from torch.nn import functional as F

from vae_teach import data, pictures, pretrained
from vae_teach.chapters.denoising_contractive.exercises import (
    check_denoising_loss,
    check_mask,
    check_noise,
    check_penalty,
    check_score,
)
from vae_teach.chapters.denoising_contractive.figures import clouds, lattice, vector_fields
from vae_teach.chapters.denoising_contractive.panels import corruption_panel, field_panel
from vae_teach.data.corruptions import blank_square, blur, salt_and_pepper
from vae_teach.models import Autoencoder
from vae_teach.training import fit

# %% [markdown]
# The open cells below are the chapter: read their code. A folded cell only checks, prints or draws
# something: read its output.

# %%
digits = data.course_set()
torch.manual_seed(0)
digits

# %% [markdown]
# ## Two ways to spoil an image
#
# Write x for a clean image of D pixels and x̃ ("x tilde") for its corrupted version.
#
# - **Mask**: $\tilde x = x \cdot m$, pixel by pixel, with $m \in \{0, 1\}^D$. Each pixel has a Bernoulli
#   variable of its own and is dropped ($m_i = 0$) with probability *rate*.
# - **Gaussian noise**: $\tilde x = x + \sigma\varepsilon$ with $\varepsilon \sim \mathcal N(0, I)$. Here
#   σ is the standard deviation of the noise, in units of ink (0 blank, 1 black).


# %%
def mask(x, rate, noise):  # noise: uniform in [0, 1), of x's shape
    return x * (noise >= rate)


def add_noise(x, sigma, noise):  # noise: standard normal, of x's shape
    return x + sigma * noise


# %% [markdown]
# We measure on a thousand test images, always with the same noise, by the squared error Σ (a − b)² over pixels:

# %%
x = digits.test_images[:1000]
torch.manual_seed(0)
uniform, normal = torch.rand_like(x), torch.randn_like(x)


def squared_error(a, b):  # (B, 1, H, W) twice -> (B,): summed over pixels
    return (a - b).square().flatten(1).sum(1)


# %% [markdown]
# The shape of m matters. A slide of one lecture writes $m \in \{0, 1\}$, a single number. Then an image
# is either left whole or wiped out, and there is nothing to fill in.

# %% tags=["aside"]
torch.manual_seed(1)
one_an_image = mask(x[:12], 0.5, torch.rand(12, 1, 1, 1))
pictures.image_rows(
    {"m in {0,1}^D": mask(x[:12], 0.5, uniform[:12]), "m in {0,1}": one_an_image},
    alt="Upper row: twelve digits with about half of their pixels missing. Lower row: some digits "
    "are complete, the others are blank.",
    caption=f"{digits.name}, rate 0.5. Above: one m a pixel. Below: one m an image.",
)

# %% [markdown]
# ### How far is that? (optional, 2 minutes)
#
# A dropped pixel loses $x_i^2$, so the expected squared distance from x is rate · ‖x‖² for the mask, and
# D σ² for the noise. Over the test images:

# %% tags=["aside"]
for level in (0.2, 0.5):
    masked, noisy = mask(x, level, uniform), add_noise(x, level, normal)
    expected = level * x.square().flatten(1).sum(1).mean(), x[0].numel() * level**2
    print(f"rate {level}: {squared_error(masked, x).mean():6.2f}, formula {expected[0]:6.2f}")
    print(f"σ    {level}: {squared_error(noisy, x).mean():6.2f}, formula {expected[1]:6.2f}")

# %% [markdown]
# ### Exercise 1: mask a batch (optional warm-up, 2 minutes)
#
# From memory. `noise` is uniform in [0, 1). Drop the pixels whose noise lies below the rate.


# %% tags=["exercise"]
def my_mask(x, rate, noise):  # (B, 1, H, W), (), (B, 1, H, W) -> (B, 1, H, W)
    # solution
    return x * (noise >= rate)


check_mask(my_mask)

# %% [markdown]
# ### Exercise 2: Gaussian noise of a given variance
#
# N(μ, ·) is written with σ by some and with σ² by others, so read what you are given. Here it is the
# **variance**, one for each image. Give it the shape (B, 1, 1, 1) first: `variance.view(-1, 1, 1, 1)`.
# `noise` is standard normal.


# %% tags=["exercise"]
def my_noise(x, variance, noise):  # (B, 1, H, W), (B,), (B, 1, H, W) -> (B, 1, H, W)
    # solution
    return x + variance.sqrt()[:, None, None, None] * noise


check_noise(my_noise)

# %% [markdown]
# ## Train to undo it
#
# The network r, encoder and then decoder, gets x̃; its output is compared with the **clean** x:
#
# $$\mathbb E\,\lVert r(\tilde x) - x\rVert^2 \qquad\text{and not}\qquad
# \lVert r(\tilde x) - \tilde x\rVert^2.$$
#
# Three networks of the same make, an ordinary autoencoder (AE) and two denoising ones (DAE). The
# noise levels of training *vary*: each image draws a rate from 0 to 0.9, or a σ from 0 to 1. Nobody
# tells the network which. The three objectives differ only in what goes *in*; `trained` is [chapter](autoencoder)'s
# recipe. `fit` maximizes, hence the minus signs. The cell that trains takes a quarter of a minute; read on
# meanwhile.


# %%
def restore(model, x):  # model(x) would refuse the values outside [0, 1] of a noisy image
    return model.decoder(model.encoder(x))


def copy(model, x):
    return -squared_error(restore(model, x), x)


# %%
def fill_in(model, x):
    rate = 0.9 * torch.rand(len(x), 1, 1, 1)
    return -squared_error(restore(model, mask(x, rate, torch.rand_like(x))), x)


def denoise(model, x):
    sigma = torch.rand(len(x), 1, 1, 1)
    return -squared_error(restore(model, add_noise(x, sigma, torch.randn_like(x))), x)


# %%
count = len(digits.train_images)  # 180,000 // count: three passes over MNIST, nine over strokes


def trained(objective):
    torch.manual_seed(0)  # all three start from the same weights
    model = Autoencoder(latent_dim=64)
    settings = dict(batch_size=384, lr=5e-3, one_cycle=True, progress=False)
    history = fit(model, digits.train_images, objective, 180_000 // count, **settings)
    print(f"{objective.__name__:8} squared error an image {-history.train['bound'][-1]:5.1f}")
    return model.requires_grad_(False)


# %%
ae, mask_dae, noise_dae = trained(copy), trained(fill_in), trained(denoise)

# %% [markdown]
# These are averages over the last epoch, each on its own task. Now the same spoilt test images go to
# the AE and to the DAE that knows the kind of noise.

# %% tags=["aside"]
masked, noisy = mask(x[:12], 0.5, uniform[:12]), add_noise(x[:12], 0.5, normal[:12])
pictures.image_rows(
    {
        "original": x[:12],
        "mask, rate 0.5": masked,
        "output of AE": restore(ae, masked),
        "output of DAE": restore(mask_dae, masked),
        "noise, σ = 0.5": noisy.clamp(0, 1),
        "output of AE ": restore(ae, noisy),
        "output of DAE ": restore(noise_dae, noisy),
    },
    alt="Seven rows of twelve digits. From half of the pixels, and from noise, the ordinary "
    "autoencoder returns many faint or blotched strokes, the denoising ones mostly clean, whole digits.",
    caption=f"{digits.name}, 64-D code. Noise outside [0, 1] is shown as 0 or 1, but given unclipped.",
)

# %% [markdown]
# ## Corruption lab
#
# Drag the level of the mask. The noise stays the same, so pixels go one after the other. When do you lose
# the digit, and when does each network? Watch the errors at rate 0, too. Then try the other kinds: the last three
# (each pixel of *salt and pepper* turns black or white at the rate shown) were in nobody's training. Before you look:
# which network will be the best on each?

# %% tags=["aside"]
kinds = {
    "mask": (lambda images, rate: mask(images, rate, uniform[:12]), 0.95, "rate {:.2f}"),
    "Gaussian noise": (lambda images, s: add_noise(images, s, normal[:12]), 1.2, "σ = {:.2f}"),
    "salt and pepper": (
        lambda images, rate: salt_and_pepper(images, rate, uniform[:12]),
        0.6,
        "rate {:.2f}",
    ),
    "blank square": (blank_square, 16, "side {:.0f} pixels"),
    "blur": (blur, 4, "σ = {:.1f} pixels"),
}
networks = {"AE": ae, "DAE for masks": mask_dae, "DAE for noise": noise_dae}
corruption_panel(
    x[:12],
    kinds,
    {name: lambda z, model=model: restore(model, z) for name, model in networks.items()},
    alt="Five rows of digits with their squared errors: originals, the same after the chosen corruption, "
    "and what the ordinary autoencoder and the two denoising ones make of it.",
    caption=f"{digits.name}. Beside each row its squared error against the originals, mean over the twelve.",
)

# %% tags=["aside"]
print("at how many of 20 levels each network has the least (the largest) error of the three")
print(f"{'':16}" + "".join(f"{name:>16}" for name in networks))
for kind, (spoil, highest, _) in kinds.items():
    spoilt = [spoil(x[:12], highest * k / 20) for k in range(1, 21)]
    errors = torch.tensor(
        [[squared_error(restore(m, s), x[:12]).mean() for m in networks.values()] for s in spoilt]
    )
    least, most = (best.bincount(minlength=3) for best in (errors.argmin(1), errors.argmax(1)))
    counts = (f"{a} ({b})" for a, b in zip(least, most, strict=True))
    print(f"{kind:16}" + "".join(f"{count:>16}" for count in counts))

# %% [markdown]
# **What you see.** Salt and pepper looks enough like Gaussian noise: the DAE for noise is soon ahead of both others.
# The DAE for masks never saw ink where there was none, and is *worse* than the AE at most rates.
# A large blank square is not unlike a mask, and both DAEs fill in a little of it. Blur only spreads ink, and there is
# nothing to fill in: the DAE for masks, trained to add ink, makes blots of it.

# %% [markdown]
# ## Who wins where
#
# The error against the clean image for every level of noise. The dotted curve is the *other* denoiser,
# trained on the wrong kind of noise; the grey dash-dotted one is x̃ itself, doing nothing.


# %% tags=["aside"]
def error_curves(spoil, levels, models):
    curves = {name: [] for name in [*models, "x̃ itself"]}
    for level in levels:
        spoilt = spoil(level)
        for name, model in models.items():
            curves[name].append(squared_error(restore(model, spoilt), x).mean())
        curves["x̃ itself"].append(squared_error(spoilt, x).mean())
    return curves


# %% tags=["aside"]
rates, sigmas = torch.linspace(0, 0.9, 10), torch.linspace(0, 1, 11)
by_rate = error_curves(
    lambda rate: mask(x, rate, uniform),
    rates,
    {"DAE for masks": mask_dae, "AE": ae, "DAE for noise": noise_dae},
)
by_sigma = error_curves(
    lambda sigma: add_noise(x, sigma, normal),
    sigmas,
    {"DAE for noise": noise_dae, "AE": ae, "DAE for masks": mask_dae},
)
colours = (pictures.DECODER, pictures.LABELS[0], pictures.LABELS[8], pictures.PRIOR)

# %% tags=["aside"]
pictures.lines(
    rates,
    by_rate,
    alt="Four curves rise with the masking rate. At rate 0 the untouched image is at zero and of the "
    "networks the ordinary autoencoder is lowest; from moderate rates on the denoiser for masks is "
    "the lowest of all, and by far.",
    caption=f"{digits.name}, 1,000 test images, against the clean image.",
    xlabel="masking rate",
    ylabel="squared error an image",
    colours=colours,
)

# %% tags=["aside"]
picture = pictures.lines(
    sigmas,
    by_sigma,
    alt="Curves over the noise's standard deviation. At σ = 0 the untouched image is at zero and of "
    "the networks the ordinary autoencoder is lowest; soon the denoiser for noise is far below it. "
    "The corrupted image leaves the frame.",
    caption=f"{digits.name}, 1,000 test images. x̃ itself is D σ² = 784 σ² away on average (each pixel adds σ²) and leaves the frame.",
    xlabel="σ of the noise",
    ylabel="squared error an image",
    colours=colours,
)
picture.figure.axes[0].set_ylim(0, 70)
picture

# %% tags=["aside"]
print("squared error        clean   rate 0.5    σ = 0.5")
for name in ("AE", "DAE for masks", "DAE for noise"):
    print(f"{name:18} {by_rate[name][0]:7.1f} {by_rate[name][5]:10.1f} {by_sigma[name][5]:10.1f}")
for levels, curves, dae in ((rates, by_rate, "DAE for masks"), (sigmas, by_sigma, "DAE for noise")):
    ahead = [level for level, a, b in zip(levels, curves["AE"], curves[dae], strict=True) if b < a]
    print(f"{dae} ahead of the AE from level {ahead[0]:.1f} on (levels tried in steps of 0.1)")

# %% [markdown]
# **What you see.** Prediction (a): on clean images the AE wins; copying them is all it was trained for, and
# the DAEs spent their capacity elsewhere. With a little damage the AE is still ahead. (With next to none, x̃ itself
# beats all three: a code of 64 numbers loses more than the noise did.) From the levels printed above on, the DAE
# for that kind of damage wins, and by more and more. On masks the other DAE gains a little; on noise it does
# about as badly as the AE, or worse: a denoiser undoes the noise it was trained on.

# %% [markdown]
# ### Exercise 3: the denoising loss
#
# Write the loss for a network r, a clean batch and its corrupted version: Σ over pixels, mean over
# images.


# %% tags=["exercise"]
def denoising_loss(r, x, corrupted):  # r: images to images; (B, 1, H, W) twice -> ()
    # solution
    return (r(corrupted) - x).square().flatten(1).sum(1).mean()


check_denoising_loss(denoising_loss)

# %% [markdown]
# ## What does a denoiser know?
#
# Draw the arrow from x̃ to r(x̃). For the best r it points to the mean of all data that could have led to x̃ (shown
# below): for a small σ, towards the data. To see arrows we go to the plane, where the data lie near a curve, a one-dimensional **manifold**. We choose a density that is
# known exactly: 32 Gaussians of standard deviation 0.2 in a row along a wave.
#
# If x has the density p, then x̃ = x + σε has the *smoothed* density $p_\sigma$. Here that is
# the same mixture with the variances 0.2² + σ²: adding independent Gaussians adds their variances.

# %%
t = torch.linspace(0, 1.94 * math.pi, 32, dtype=torch.double)
centres = torch.stack([2 * t / math.pi - 2, 1.3 * t.sin()], dim=1)  # (32, 2)
extent = (-3.2, 3.2, -2.4, 2.4)  # of the pictures: left, right, bottom, top


# %%
def smoothed(sigma):  # p_sigma, a torch distribution over the plane; smoothed(0) is p
    width = math.hypot(0.2, sigma)
    bumps = Independent(Normal(centres, width), 1)
    return MixtureSameFamily(Categorical(torch.ones(32)), bumps)


torch.manual_seed(0)
points = smoothed(0).sample((20_000,)).float()

# %% [markdown]
# The gradient of a log-density with respect to the *data*, $\nabla_x \log p(x)$, is called the
# **score** (a noun; *to score an image*, [chapter](start_here)'s word, still means to give it log p(x)). It points uphill, to where data are more probable. For our density autograd gives it exactly:


# %%
def score(sigma, x):  # ∇ log p_sigma at x, (N, 2)
    x = x.detach().requires_grad_()  # the sum below: each term depends on its own x alone
    return torch.autograd.grad(smoothed(sigma).log_prob(x).sum(), x)[0]


# %% [markdown]
# ## The best denoiser knows the score
#
# **Step 1.** Which answer g to a given x̃ has the least expected squared error? The mean of all x that
# may have led to it, $r^*(\tilde x) = \mathbb E[x\mid\tilde x]$; any other pays for its distance from it:
#
# $$\mathbb E\bigl[\lVert g - x\rVert^2 \,\big|\, \tilde x\bigr] = \lVert g - r^*(\tilde x)\rVert^2
# + \mathbb E\bigl[\lVert r^*(\tilde x) - x\rVert^2 \,\big|\, \tilde x\bigr].$$
#
# **Step 2.** Take the gradient of the smoothed density
# $p_\sigma(\tilde x) = \int p(x)\,\mathcal N(\tilde x; x, \sigma^2 I)\,dx$ and divide by it. Only the Gaussian
# depends on x̃, and its gradient with respect to x̃ is $\frac{x - \tilde x}{\sigma^2}\,\mathcal N(\tilde x; x, \sigma^2 I)$:
#
# $$\nabla \log p_\sigma(\tilde x) \;\overset{(1)}{=}\; \frac{\nabla p_\sigma(\tilde x)}{p_\sigma(\tilde x)}
# \;\overset{(2)}{=}\; \frac{1}{p_\sigma(\tilde x)}\int \frac{x - \tilde x}{\sigma^2}\, p(x)\,\mathcal N(\tilde x; x, \sigma^2 I)\,dx
# \;\overset{(3)}{=}\; \frac{\mathbb E[x\mid\tilde x] - \tilde x}{\sigma^2}.$$
#
# In (2) the derivative went into the integral; in (3), p(x) 𝒩(x̃; x, σ²I)/p_σ(x̃) = p(x | x̃) by Bayes' rule, so the
# integral is a mean over p(x | x̃).
#
# So **r\*(x̃) − x̃ = σ² ∇ log p_σ(x̃)**, for every σ and any density (Miyasawa 1961, often called Tweedie's
# formula). The next cells check each line at one point, for σ = 0.4; integrals are sums over a fine grid (*quadrature*). Read the
# comments of the first, then only what the others print.

# %%
sigma, x_tilde = 0.4, torch.tensor([0.6, 0.9], dtype=torch.double)
line = torch.linspace(-4, 4, 201, dtype=torch.double)
clean = torch.cartesian_prod(line, line)  # (40401, 2): every possible x
kernel = Normal(clean, sigma).log_prob(x_tilde).sum(1).exp()  # N(x̃; x, σ² I)
weight = smoothed(0).log_prob(clean).exp() * kernel * (line[1] - line[0]) ** 2
p_tilde = weight.sum()  # p_σ(x̃)
best = (weight[:, None] * clean).sum(0) / p_tilde  # r*(x̃) = E[x | x̃]


# %% tags=["aside"]
def expected_error(g):  # E[‖g − x‖² | x̃]
    return (weight * (g - clean).square().sum(1)).sum() / p_tilde


print(f"p_σ(x̃): quadrature {p_tilde:.8f}, mixture {smoothed(sigma).log_prob(x_tilde).exp():.8f}")
for g in (x_tilde, torch.zeros(2), best):
    split = (g - best).square().sum(), expected_error(best)
    where = ", ".join(f"{v:5.2f}" for v in g.tolist())
    print(f"g = ({where}): E‖g−x‖² {expected_error(g):.8f}"
          f" = {split[0]:.8f} + {split[1]:.8f} = {sum(split):.8f}")  # fmt: skip

# %% tags=["aside"]
point = x_tilde.clone().requires_grad_()
(slope,) = torch.autograd.grad(smoothed(sigma).log_prob(point).exp(), point)
lines = {
    "∇ log p_σ      autograd  ": score(sigma, x_tilde[None])[0],
    "(1) ∇p_σ / p_σ autograd  ": slope / smoothed(sigma).log_prob(x_tilde).exp(),
    "(2) integral   quadrature": (weight[:, None] * (clean - x_tilde)).sum(0) / sigma**2 / p_tilde,
    "(3) (r* − x̃)/σ² quadrature": (best - x_tilde) / sigma**2,
}
for name, (a, b) in lines.items():
    print(f"{name:27} {a:12.8f} {b:12.8f}")

# %% [markdown]
# ## A network finds it without being told
#
# The network below never sees the density, only points and their noisy versions. It has no
# bottleneck: two layers of 64 hidden units for two numbers. What keeps it from copying is the noise, of one *fixed* σ
# for each network.


# %%
def plane_denoiser(sigma):
    torch.manual_seed(0)
    layers = nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)
    r = nn.Sequential(*layers)

    def objective(r, x):
        return -(r(x + sigma * torch.randn_like(x)) - x).square().sum(1)

    settings = dict(epochs=10, batch_size=256, lr=2e-2, one_cycle=True, progress=False)
    fit(r, points, objective, **settings)
    return r.double().requires_grad_(False)


# %%
denoisers = {sigma: plane_denoiser(sigma) for sigma in (0.8, 0.4, 0.2, 0.1)}

# %% tags=["aside"]
places = lattice(extent, columns=15)
panels = {
    f"σ = {sigma}": (
        smoothed(sigma).log_prob,
        {
            "network, r(x̃) − x̃": denoisers[sigma](places) - places,
            "exact, σ² ∇ log p_σ(x̃)": sigma**2 * score(sigma, places),
        },
    )
    for sigma in (0.4, 0.2)
}

# %% tags=["aside"]
vector_fields(
    panels,
    places,
    extent,
    alt="Two panels with a wave-shaped grey band and arrows that point to it from all sides. Near "
    "the band the thick arrows of the network lie under the thin exact ones; far off, at the upper "
    "right and the lower left above all, they differ.",
    caption="32 Gaussians along a wave; grey: p_σ. Arrows are drawn at half their length.",
    length=0.5,
)

# %% [markdown]
# **What you see.** Where p_σ has mass the arrows agree. Far from it they may differ a lot: hardly any
# training point was ever there, and a squared error asks nothing of places that are never visited. So
# we measure on draws from p_σ, as a share of the exact arrows' mean square.

# %% tags=["aside"]
torch.manual_seed(1)
x_clean = smoothed(0).sample((20_000,))
noise = torch.randn_like(x_clean)


def share(a, b):  # E‖a − b‖² / E‖b‖²
    return (a - b).square().sum() / b.square().sum()


# %% tags=["aside"]
print("   σ    E‖r − r*‖²    error of the score")
for sigma, r in denoisers.items():
    noisy_points = x_clean + sigma * noise
    arrow, exact = r(noisy_points) - noisy_points, score(sigma, noisy_points)
    extra = (arrow - sigma**2 * exact).square().sum(1).mean()
    print(f"{sigma:4} {extra:13.5f} {share(arrow / sigma**2, exact):17.1%}")

# %% [markdown]
# As σ falls the network's mistakes (first column) hardly change at first, then shrink; the arrows shrink faster all the
# way, so the mistakes are a growing share of them; to divide by σ², as one must to read the score, mends nothing. For the density p of the *clean* data there is an opposite error: p_σ is not p. It vanishes as σ → 0 (Alain & Bengio
# 2014); the next table measures it, on clean points and without a network.

# %% tags=["aside"]
truth = score(0, x_clean)
print("   σ    ∇log p_σ instead of ∇log p")
for sigma in (0.8, 0.4, 0.2, 0.1, 0.05, 0.025):
    print(f"{sigma:5} {share(score(sigma, x_clean), truth):18.2%}")

# %% [markdown]
# A large σ gives the wrong score precisely, a small one the right score poorly.
#
# ### Both errors together (optional, 1 minute)
#
# The network's arrow over σ² against the score of p:

# %% tags=["aside"]
print("   σ    network instead of ∇log p")
for sigma, r in denoisers.items():
    print(f"{sigma:4} {share((r(x_clean) - x_clean) / sigma**2, truth):18.1%}")

# %% [markdown]
# Down to σ = 0.1 it still falls. At large σ nearly all of it is the wrong density (the table above), at small σ most
# is the network's own.

# %% [markdown]
# ## Drag it: arrows and steps
#
# The exact arrows for any σ. Let the points take a few denoising steps, x ← r*(x). With the
# smallest σ: do six steps reach the wave? With the largest: towards how many places do they move?

# %% tags=["aside"]
starts = torch.tensor([[-2.6, -1.6], [-1.2, -1.9], [0.2, 2.0], [1.2, 1.4], [2.6, 1.5]])
field_panel(
    smoothed,
    starts,
    extent,
    steps=6,
    alt="A wave-shaped density in grey bands, orange arrows pointing to it, and five points that "
    "have walked to it along dashed paths.",
    caption="Arrows, at full length: σ² ∇ log p_σ(x). Dashed: denoising steps of five points, σ fixed.",
)

# %% [markdown]
# **What you see.** With the smallest σ six steps do not reach the wave. With a larger one the points are drawn to
# the wave and then slide *along* it to the peaks of $p_\sigma$, in its two bends, where the 32 bumps lie closest.
# With the largest, $p_\sigma$ is so smooth that its peaks have left the wave for the inside of the bends: two places for
# all points. Denoising over and over does not sample; it climbs.

# %% [markdown]
# ### Exercise 4: a score from a denoiser
#
# You are given the best denoiser r for noise of standard deviation `sigma`. Return the score of $p_\sigma$.


# %% tags=["exercise"]
def my_score(r, x, sigma):  # r: (N, D) -> (N, D); x: (N, D); sigma: () -> (N, D)
    # solution
    return (r(x) - x) / sigma**2


check_score(my_score)

# %% [markdown]
# ## Contraction without noise
#
# A robust code h = encode(x) should not change much when x is shaken a little. One can ask for that
# directly: small derivatives. The **contractive autoencoder** (Rifai et al. 2011) adds a penalty
#
# $$\lVert \hat x - x\rVert^2 + \lambda \left\lVert\frac{\partial h}{\partial x}\right\rVert_F^2,
# \qquad \lVert J\rVert_F^2 = \sum_{j,i} J_{ji}^2,\quad J_{ji} = \frac{\partial h_j}{\partial x_i}.$$
#
# Decoder and encoder share one matrix, W and its transpose. Without that tie a network with a *linear* code could make
# the encoder small and the decoder large: the penalty would vanish at no cost, and change nothing. (A sigmoid with
# small weights is nearly linear.)


# %%
class TiedAutoencoder(nn.Module):
    def __init__(self, pixels=28 * 28, code=128):
        super().__init__()
        self.weight = nn.Parameter(0.05 * torch.randn(code, pixels))
        self.encoder_bias = nn.Parameter(torch.zeros(code))
        self.decoder_bias = nn.Parameter(torch.zeros(pixels))

    def encode(self, x):  # (..., D) -> (..., d)
        return torch.sigmoid(F.linear(x, self.weight, self.encoder_bias))

    def decode(self, h):
        return torch.sigmoid(F.linear(h, self.weight.t(), self.decoder_bias))


# %% [markdown]
# `jacrev(f)` turns f into the function that returns its (d, D) Jacobian at *one* vector; `vmap` applies that to
# every row of a batch. For one sigmoid layer the derivative is $J_{ji} = h_j(1-h_j)W_{ji}$, so
# the penalty is $\sum_j \bigl(h_j(1-h_j)\bigr)^2 \sum_i W_{ji}^2$, which costs next to nothing.
# Central differences (folded) check both.

# %%
torch.manual_seed(0)
trial = TiedAutoencoder().double()
flat = digits.test_images[:3].flatten(1).double()
jacobian = vmap(jacrev(trial.encode))(flat).detach()  # (3, 128, 784)

# %% tags=["aside"]
shift = 1e-5 * torch.eye(784, dtype=torch.double)
with torch.no_grad():
    numeric = torch.stack(
        [(trial.encode(v + shift) - trial.encode(v - shift)).t() / 2e-5 for v in flat]
    )


# %%
def penalty(model, h):  # (B, d) -> (B,)
    return (h * (1 - h)).square() @ model.weight.square().sum(1)


# %% tags=["aside"]
print("torch.func ", [round(v, 8) for v in jacobian.square().sum((1, 2)).tolist()])
print("numeric    ", [round(v, 8) for v in numeric.square().sum((1, 2)).tolist()])
print("closed form", [round(v, 8) for v in penalty(trial, trial.encode(flat)).tolist()])
print(f"largest difference of an entry: {(jacobian - numeric).abs().max():.1e}")

# %% [markdown]
# Now train with λ = 0.5 and without: same start, same number of steps.


# %%
def contractive(weight):
    def objective(model, x):
        h = model.encode(x.flatten(1))
        error = (model.decode(h) - x.flatten(1)).square().sum(1)
        return -error - weight * penalty(model, h)

    torch.manual_seed(0)
    model = TiedAutoencoder()
    epochs = 120_000 // len(digits.train_images)
    settings = dict(batch_size=256, lr=1e-2, one_cycle=True, progress=False)
    fit(model, digits.train_images, objective, epochs, **settings)
    return model.requires_grad_(False)


# %%
codes = {"without penalty": contractive(0.0), "with penalty": contractive(0.5)}

# %% [markdown]
# What became of the Jacobian? Its **singular values** say by how much the encoder stretches 128
# directions of image space, the one it feels most first; the other 656 it does not feel at all. Their squares sum to
# the penalty.

# %%
flat = digits.test_images[:100].flatten(1)
jacobians = {name: vmap(jacrev(m.encode))(flat) for name, m in codes.items()}  # (100, 128, 784)
spectra = {name: torch.linalg.svdvals(j) for name, j in jacobians.items()}  # (100, 128), sorted
for name, values in spectra.items():
    direct = penalty(codes[name], codes[name].encode(flat)).mean()
    error = (codes[name].decode(codes[name].encode(flat)) - flat).square().sum(1).mean()
    print(
        f"{name:16} Σ s² = {values.square().sum(1).mean():.4f}, ‖∂h/∂x‖² = {direct:.4f}", end=", "
    )
    print(f"squared error {error:.1f}")

# %% tags=["aside"]
picture = pictures.lines(
    torch.arange(1, 129),
    {name: values.mean(0) for name, values in spectra.items()},
    alt="Two falling curves of singular values on a logarithmic scale. With the penalty nearly all are "
    "smaller; the gap widens towards the middle ranks and narrows again at the end, where both are nearly zero.",
    caption=f"{digits.name}: singular values of ∂h/∂x, mean over 100 test images.",
    xlabel="rank",
    ylabel="singular value",
    colours=(pictures.LABELS[0], pictures.ENCODER),
)
picture.figure.axes[0].set(yscale="log", ylim=(1e-3, 5))
picture

# %% [markdown]
# **What you see.** The penalty presses on all directions alike. What resists is the reconstruction: a direction in
# which digits really differ is needed to tell them apart, the others are let go (in proportion the middle ranks
# shrink most, the first less; the last were next to nothing anyway). The price is a worse reconstruction: the last
# numbers printed above the picture.

# %% [markdown]
# ### Exercise 5: the contractive penalty
#
# For any autoencoder with `model.encode` and `model.decode`, which take one vector or a batch. Use
# `vmap` and `jacrev`.


# %% tags=["exercise"]
def my_penalty(model, x):  # (B, D) -> (B,)
    # solution
    return vmap(jacrev(model.encode))(x).square().sum((1, 2))


check_penalty(my_penalty)

# %% [markdown]
# ### A step to another digit, and a random one (optional, 3 minutes)
#
# The curves above as numbers:

# %% tags=["aside"]
ranks, falling = (1, 10, 30, 60, 100), {n: values.mean(0) for n, values in spectra.items()}
falling["with / without"] = falling["with penalty"] / falling["without penalty"]
print("rank             " + "".join(f"{k:8d}" for k in ranks))
for name, values in falling.items():
    print(f"{name:16} " + "".join(f"{values[k - 1]:8.4f}" for k in ranks))

# %% [markdown]
# How much does the code feel a small step towards the same digit moved by one pixel, and how much a step of
# the same length in a random direction?

# %%
moved = digits.test_images[:100].roll(1, dims=3).flatten(1) - flat
torch.manual_seed(1)  # not 0: with it the weights were drawn
steps = F.normalize(moved, dim=1), F.normalize(torch.randn_like(flat), dim=1)  # length 1

# %% tags=["aside"]
print("                  error   penalty    moved   random    ratio")
for name, m in codes.items():
    felt = [(jacobians[name] @ v[:, :, None]).norm(dim=(1, 2)).mean() for v in steps]
    h = m.encode(flat)
    error, price = (m.decode(h) - flat).square().sum(1).mean(), penalty(m, h).mean()
    print(
        f"{name:16} {error:6.1f} {price:9.2f} {felt[0]:8.3f} {felt[1]:8.3f} {felt[0] / felt[1]:8.2f}"
    )

# %% [markdown]
# **What you see.** The reconstruction error is the price. What is bought: the code feels everything less, and the
# random direction loses a larger share than the one that leads to another digit-like image: the ratio rises.

# %% [markdown]
# ## Denoising contracts, too (optional, 4 minutes)
#
# With little noise the two ideas meet. Expand r(x + σε) to second order and average over ε
# (Bishop 1995); Δ is the sum of second derivatives:
#
# $$\mathbb E_\varepsilon\lVert r(x + \sigma\varepsilon) - x\rVert^2 = \lVert r(x) - x\rVert^2
# + \sigma^2 \Bigl( \Bigl\lVert\frac{\partial r}{\partial x}\Bigr\rVert_F^2 + (r(x) - x)\cdot\Delta r(x) \Bigr)
# + O(\sigma^4).$$
#
# The first term in the bracket is a contractive penalty on the *whole* reconstruction, not on the code. The second is
# small where r(x) ≈ x. (Δ acts on each component of r; odd powers of ε average to zero.) Here: one network of the
# plane, the average over ε by Gauss–Hermite quadrature, a weighted sum over 16 × 16 fixed values of ε.

# %%
r, few = denoisers[0.2], points[:100].double()
nodes, weights = np.polynomial.hermite_e.hermegauss(16)
nodes, weights = torch.tensor(nodes), torch.tensor(weights) / math.sqrt(2 * math.pi)
shifts, weights = torch.cartesian_prod(nodes, nodes), torch.outer(weights, weights).flatten()

# %%
penalty_term = vmap(jacrev(r))(few).square().sum((1, 2))
laplacian = vmap(jacrev(jacrev(r)))(few).diagonal(dim1=2, dim2=3).sum(2)  # (100, 2)
curvature_term = ((r(few) - few) * laplacian).sum(1)

# %% tags=["aside"]
print(f"‖∂r/∂x‖² {penalty_term.mean():.4f} + (r−x)·Δr {curvature_term.mean():.4f}"
      f" = {(penalty_term + curvature_term).mean():.4f}")  # fmt: skip
base = (r(few) - few).square().sum(1)
for sigma in (0.1, 0.03, 0.01):
    loss = (r(few[:, None] + sigma * shifts) - few[:, None]).square().sum(2) @ weights
    print(
        f"σ = {sigma:4}: (E‖r(x+σε)−x‖² − ‖r(x)−x‖²)/σ² = {((loss - base) / sigma**2).mean():.4f}"
    )

# %% [markdown]
# The smaller σ, the closer the last column comes to the bracket.

# %% [markdown]
# ## Can it generate?
#
# Back to the digits, and to `noise_dae`, the denoiser for Gaussian noise. Its arrows lead to the data, so let it
# walk there from noise: the mean training image plus noise of σ = 1, the strongest it
# was trained on. Each step goes a part h of the way to r(x) and gives back a little fresh noise, less each time,
# because the picture looks cleaner each time (Kadkhodaie & Simoncelli 2020). The network was never told σ; it reads
# it off the image, and so do we: ‖r(x) − x‖ ≈ σ√D, as long as σ is well above 0.1 (a clean image r changes, too).


# %%
def walk(x, steps=60, h=0.15, beta=0.2):  # beta = 1: no fresh noise
    # (1−h)σ of the noise is left, we want (1−βh)σ: variances add
    keep = ((1 - beta * h) ** 2 - (1 - h) ** 2) ** 0.5
    for _ in range(steps):
        arrow = restore(noise_dae, x) - x
        sigma = arrow.square().mean((1, 2, 3), keepdim=True).sqrt()
        x = x + h * arrow + keep * sigma * torch.randn_like(x)
    return restore(noise_dae, x)


# %%
def repeat(x, steps=60):  # x ← r(x): all the way each time, and no fresh noise
    for _ in range(steps):
        x = restore(noise_dae, x)
    return x


# %%
torch.manual_seed(0)
pure = digits.train_images.mean(0) + torch.randn(300, 1, 28, 28)
walked, repeated = walk(pure), repeat(pure)
changed = walk(add_noise(x[:12], 0.8, torch.randn(12, 1, 28, 28)))

# %% tags=["aside"]
bold = int((repeated[:12].mean((1, 2, 3)) > 2.5 * x.mean()).sum())
pictures.image_rows(
    {
        "noise, then walk": walked[:12],
        "noise, x ← r(x)": repeated[:12],
        "test images": x[:12],
        "+ noise, then walk": changed,
    },
    alt="Four rows. Walks from pure noise end in mostly readable digits. Repeating the denoiser ends in "
    f"bolder shapes, {bold} of the twelve with over 2.5 times a test image's ink. Test digits; and walks "
    "from them plus noise: some the same digits, some others.",
    caption=f"{digits.name}, denoiser for Gaussian noise. Last row: σ = 0.8 added to the test images.",
)

# %% [markdown]
# By number: how often is a classifier, trained on clean digits, more than 95 % sure of its answer? How
# many images does it read as a 1, is there as much ink as in the data, and how many end as near-copies (squared
# error below 1) of one and the same image?


# %% tags=["aside"]
def report(name, images):
    with torch.no_grad():
        top, label = judge(images.clamp(0, 1)).softmax(1).max(1)
    sure, ones = (top > 0.95).float().mean(), (label == 1).float().mean()
    copies = (torch.cdist(images.flatten(1), images.flatten(1)) < 1).float().mean(1).max()
    print(f"{name:22} sure {sure:4.0%}, read as 1 {ones:4.0%}, ", end="")
    print(f"mean ink {images.mean():.3f}, most copies {copies:4.0%}")


judge = pretrained.for_set("classifier", digits)
report("test images", x)
report("walk from noise", walked)
report("x ← r(x) from noise", repeated)

# %% [markdown]
# **What you see.** Prediction (b): digits appear, not always. Repeating r leaves too much ink, hardly ever a 1, and
# copies (on strokes a large group of one black disc, which is no digit at all). Fresh noise brings ink and the share of
# 1s closer to the data, not all the way. (How sure the classifier is does not decide between the two: the disc it
# doubts, but digits too bold or too much alike it does not mind.) Why? The mean of all images that fit x̃ is no *draw* from them, and going to the mean again
# and again does not sample: for one σ, as in the plane, it climbs to the peaks of $p_\sigma$ (this r takes a new σ each
# time). Adding noise and *drawing* from p(x | x̃) in turn would keep p (Bengio et al. 2013;
# shown below, optional). So a denoiser is generative only *with* a sampling procedure, and each image needs a long
# walk: there is no prior to draw from.
#
# ### Random codes instead (optional, 1 minute)
#
# As one might try with any autoencoder: decode codes from a Gaussian of the training codes' mean and covariance.

# %%
codes_seen = noise_dae.encoder(digits.train_images[:5000])
drawn = torch.distributions.MultivariateNormal(codes_seen.mean(0), codes_seen.t().cov())
torch.manual_seed(0)
report("random codes, decoded", noise_dae.decode(drawn.sample((300,))))

# %% [markdown]
# Ink and the share of 1s are about right, and yet far fewer are clear digits than of the test images. No single
# number is enough.
#
# ### Noise and draw keeps p; noise and mean does not (optional, 5 minutes)
#
# In the plane p(x | x̃) is known, so we can run both: it is again a mixture, bump k with
# weight ∝ 𝒩(x̃; c_k, (0.2²+σ²)I), mean c_k + κ(x̃ − c_k) and variance κσ², where κ = 0.2²/(0.2²+σ²).


# %%
def draw_clean(x_tilde, sigma):  # one draw from p(x | x̃): choose a bump, then a place in it
    near = Normal(x_tilde[:, None], math.hypot(0.2, sigma)).log_prob(centres).sum(2)
    centre = centres[Categorical(logits=near).sample()]
    keep = 0.2**2 / (0.2**2 + sigma**2)
    return centre + keep * (x_tilde - centre) + keep**0.5 * sigma * torch.randn_like(x_tilde)


def take_mean(x_tilde, sigma):  # r*(x̃)
    return x_tilde + sigma**2 * score(sigma, x_tilde)


# %%
torch.manual_seed(0)
start = smoothed(0).sample((1500,))
chains = {"draws from p": start}
for name, denoise_points in {"noise, then mean": take_mean, "noise, then draw": draw_clean}.items():
    chain = start
    for _ in range(30):
        chain = denoise_points(chain + 0.4 * torch.randn_like(chain), 0.4)
    chains[name] = chain

# %% tags=["aside"]
for name, chain in chains.items():
    print(f"{name:17} mean of log p(x) {smoothed(0).log_prob(chain).mean():6.3f} nats")

# %% tags=["aside"]
clouds(
    chains,
    smoothed(0).log_prob,
    extent,
    alt="Three clouds over the grey wave. Draws from p fill its width; noise and mean leave a thin "
    "line that misses the ends; noise and draw fill the wave like the first.",
    caption="1,500 points, 30 rounds of noise with σ = 0.4 and denoising. Grey: p.",
)

# %% [markdown]
# Noise and *draw* keeps p; noise and *mean* ends on points that are too probable on average.

# %% [markdown]
# ## Can it change? Can it score?
#
# **Change**: yes, see the last row of digits above: add some noise, walk back. How much stays is set by σ: at
# σ = 0.8 many digits come back as another one; less noise changes less. It is no control over *what* changes.
#
# **Score an image**: only up to a constant. A gradient gives differences,
# $\log p_\sigma(b) - \log p_\sigma(a) = \int_a^b \nabla \log p_\sigma(x)\cdot dx$, and the constant is fixed only by
# $\int p_\sigma(x)\,dx = 1$, an integral over all images. A network's arrows are not even exactly a gradient: the integral depends on
# the path (below, optional). (A family of denoisers, one for every σ, does yield a density: diffusion models, Song et
# al. 2021.)
#
# ### The three questions
#
# | | generate | change | score |
# |---|---|---|---|
# | autoencoder | not as it is: no prior over codes | in part, by its code ([chapter](autoencoder)) | no |
# | denoising | by a long random walk, with extra theory | noise it and walk back | differences of log p_σ, roughly |
# | contractive | not by itself; by a random walk along the Jacobian's main directions (Rifai et al. 2012) | as the autoencoder | not by itself; its penalty on the whole reconstruction, if small, tells about ∇ log p (Alain & Bengio 2014) |
#
# ### Two paths (optional, 3 minutes)
#
# Two paths from one end of the wave to the other, straight and along the wave:


# %%
def along(field, path):  # ∫ field · dx by the midpoint rule
    return (field((path[1:] + path[:-1]) / 2) * path.diff(dim=0)).sum()


s = torch.linspace(0, 1, 20_001, dtype=torch.double)
angle = t[2] + (t[-5] - t[2]) * s
wave = torch.stack([2 * angle / math.pi - 2, 1.3 * angle.sin()], dim=1)
straight = torch.lerp(wave[0], wave[-1], s[:, None])

# %% tags=["aside"]
sigma = 0.4
r = denoisers[sigma]
ends = smoothed(sigma).log_prob(wave[[0, -1]])
print(f"log p_σ(b) − log p_σ(a)           {ends[1] - ends[0]:9.6f} nats")
for name, path in (("straight", straight), ("along the wave", wave)):
    exact = along(lambda x: score(sigma, x), path)
    learned = along(lambda x: (r(x) - x) / sigma**2, path)
    print(f"{name:15} exact score {exact:15.6f}    network {learned:9.6f}")

# %% [markdown]
# The exact score does not care about the path. The network's arrows do, by tenths of a nat here: nothing
# made them the gradient of anything.

# %% [markdown]
# ## Recap
#
# 1. A mask has one Bernoulli variable a *pixel*; Gaussian noise is x + σε. A DAE's loss compares
#    r(x̃) with the clean x.
# 2. Prediction (a): the ordinary AE wins on clean images. The DAE wins once the input is spoilt
#    *enough*, the way it was in training.
# 3. The best denoiser satisfies r\*(x̃) − x̃ = σ² ∇ log p_σ(x̃), exactly, for every σ. It is the score of the
#    *smoothed* density; that of p is the limit σ → 0, where dividing by σ² magnifies a network's mistakes most.
# 4. The contractive penalty Σ (∂h_j/∂x_i)² equals the sum of the encoder's squared singular values. It shrinks
#    them, in proportion least where the reconstruction resists. Training with a little noise penalizes the
#    derivative of the whole reconstruction (optional section).
# 5. Prediction (b): digits appear, not always. Without fresh noise there is too much ink, hardly ever a 1, and
#    copies. Fresh noise brings the proportions closer to the data. What is missing: a prior to draw from at once, and
#    log p(x).
#
# **The limit of this chapter.** Noise gives the *direction* to the data, and no density to score with. A
# model that says how x came to be gives both. That takes Bayes' rule, and [chapter](bayes_elbo).
#
# ## Sources, and where this chapter differs (for reference, not part of the hour)
#
# Vincent, Larochelle, Bengio & Manzagol 2008, *Extracting and Composing Robust Features with Denoising
# Autoencoders* (ICML), and with Lajoie 2010 (JMLR 11). Rifai, Vincent, Muller, Glorot & Bengio 2011, *Contractive
# Auto-Encoders* (ICML). Rifai, Bengio, Dauphin & Vincent 2012, *A Generative Process for Sampling Contractive
# Auto-Encoders* (ICML), arXiv:1206.6434. Vincent 2011, *A Connection Between Score Matching and Denoising Autoencoders*
# (Neural Computation 23). Bengio, Yao, Alain & Vincent 2013, *Generalized Denoising Auto-Encoders as Generative
# Models*, arXiv:1305.6663. Alain & Bengio 2014, *What Regularized Auto-Encoders Learn from the
# Data-Generating Distribution*, arXiv:1211.4246. Miyasawa 1961, *An Empirical Bayes Estimator of the Mean of a
# Normal Population*. Bishop 1995, *Training with Noise is Equivalent to Tikhonov Regularization* (Neural
# Computation 7). Kadkhodaie & Simoncelli 2020, *Solving Linear Inverse Problems Using the Prior Implicit in a
# Denoiser*, arXiv:2007.13640. Song et al. 2021, *Score-Based Generative Modeling through Stochastic
# Differential Equations*, arXiv:2011.13456. The masks follow S. Tulyakov's slides *Variational Auto Encoders*, the contractive part notes on A. Canziani's lecture *Generative
# Models: Variational Autoencoders* (25 March 2021).
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | m ∈ {0, 1} | m ∈ {0, 1}^D, one variable a pixel | *Two ways to spoil an image* |
# | N(μ, σ), of a code | say whether σ or σ² is meant | exercise 2 |
# | the reconstruction term penalizes sensitivity along the manifold | it penalizes *in*sensitivity there; the contractive term presses on all directions | *Contraction without noise* |
#
# Two more things are often said. "Denoising makes an autoencoder generative": only with draws from
# p(x | x̃), or fresh noise on the way (*Can it generate?*). "The arrow is the score of p": of $p_\sigma$,
# times σ²; of p only as σ → 0 (*A network finds it without being told*).
