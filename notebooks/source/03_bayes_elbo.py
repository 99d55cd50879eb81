# %% [markdown]
# # 03 · Bayes and the ELBO
#
# An autoencoder has no density, so it cannot say how probable an image is. A model with a hidden
# cause can, at the price of an integral. This chapter does the integral where it can be done, shows
# why it usually cannot, and derives, by three roads and an
# optional fourth, the bound that replaces it.
#
# **You will be able to**
# 1. compute evidence and posterior of a model with one latent dimension, and say what makes them hard;
# 2. show plain Monte Carlo failing and importance sampling working;
# 3. explain a KL divergence as extra code length, and choose its direction;
# 4. derive log p(x) ≥ ELBO by three roads (a fourth is optional), and say when the bound is tight;
# 5. give a step that raises the ELBO and lowers log p(x).
#
# Allow about <!-- minutes --> minutes, and about 25 more for the parts marked *optional*; nothing later needs those.
#
# **Predict first.** A measurement has two good explanations, far apart, and you must summarize them
# by *one* Gaussian q. You choose the q with the best ELBO (a score of q, defined below: for a fixed model,
# the higher, the closer q is to the exact answer). Where is it: on one of the two, between them, or
# over both? And once q is chosen, can improving the ELBO further, by changing the model, make the model
# worse? Write both guesses down.

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import heapq
import math
import time
from collections import Counter

import torch
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm
from torch.distributions import Categorical, LowRankMultivariateNormal, MixtureSameFamily, Normal
from torch.nn.functional import softplus

# %%
from vae_teach import data, evaluation
from vae_teach.chapters.bayes_elbo import exercises as exercise
from vae_teach.chapters.bayes_elbo import figures as picture
from vae_teach.chapters.bayes_elbo.derivation import Derivation
from vae_teach.chapters.bayes_elbo.graphical_model import graphical_model
from vae_teach.chapters.bayes_elbo.panels import bayes_rule_panel, two_directions_panel
from vae_teach.explorers.elbo_bars import ElboBars
from vae_teach.models import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

# %% [markdown]
# The open cells below are the chapter: read their code. A folded cell only checks, prints, times or plots
# something: read its output.

# %%
digits = data.course_set()
torch.manual_seed(0)
digits

# %% [markdown]
# ## A cause that nobody sees
#
# A **latent variable** is a cause that we do not observe but that explains what we observe. Behind the
# picture of a digit: which digit was meant, the slant, the pen. We begin with one number.
#
# A car of mass 1 passes with velocity $z$, negative if it reverses. A meter beside the road reads its
# energy $\tfrac12 z^2$, with noise: that reading is $x$. We see $x$ and want $z$.
#
# | | distribution | here |
# |---|---|---|
# | **prior** $p(z)$ | velocities before we look | $\mathcal N(0.5,\ 1.5^2)$ |
# | **likelihood** or **decoder** $p(x\mid z)$ | readings, given the velocity | $\mathcal N(\tfrac12 z^2,\ 0.5^2)$ |
# | **evidence** $p(x)$ | readings, whatever the velocity | $\int p(x\mid z)\,p(z)\,dz$ |
# | **posterior** $p(z\mid x)$ | velocities, after a reading | $p(x\mid z)\,p(z)\,/\,p(x)$, Bayes' rule |
#
# We write $\mathcal N(m, s^2)$; the code below takes the standard deviation $s$, not the variance. Here
# and below log is the natural logarithm, its unit the *nat*. In logarithms the density of a Gaussian is


# %%
def log_normal(value, mean, std):
    return -0.5 * ((value - mean) / std) ** 2 - math.log(std) - 0.5 * math.log(2 * math.pi)


# %% tags=["aside"]
print(f"ours {log_normal(1.0, 0.3, 0.7):.6f}, SciPy's {norm(0.3, 0.7).logpdf(1.0):.6f}")

# %% [markdown]
# All velocities that matter lie on a fine grid, so the integral is a sum over the grid times its step.

# %%
z = torch.linspace(-8, 8, 4001, dtype=torch.double)
dz = (z[1] - z[0]).item()


def energy(z):
    return 0.5 * z**2


# %%
def bayes(prior_mean, prior_width, sigma, x, decoder=energy):
    prior = log_normal(z, prior_mean, prior_width).exp()
    likelihood = log_normal(x, decoder(z), sigma).exp()
    evidence = (likelihood * prior).sum() * dz
    return prior, likelihood, likelihood * prior / evidence, evidence


# %% [markdown]
# Is a sum good enough? SciPy integrates the same function adaptively:


# %% tags=["aside"]
def joint_density(z, x=1.2):
    return math.exp(log_normal(z, 0.5, 1.5) + log_normal(x, energy(z), 0.5))


evidence = bayes(0.5, 1.5, 0.5, x=1.2)[-1].item()
by_scipy, _ = quad(joint_density, -8, 8, points=[-1.5, 1.5], epsabs=1e-12)
print(f"evidence p(1.2): grid {evidence:.10f}, SciPy {by_scipy:.10f}")
print(f"log p(1.2) = {math.log(evidence):.6f} nats: the log OF the integral")

# %% [markdown]
# ## Drag it
#
# The curves below come from the function `bayes` above. Try: lower $x$ from 5 to −1; make the prior
# narrow; make the noise large; move the prior until one explanation wins.

# %% tags=["aside"]
bayes_rule_panel(
    z,
    bayes,
    energy,
    alt="Above, the decoder's parabola with the observed reading as a horizontal line that cuts it "
    "twice. Below, a broad grey prior, an orange likelihood with two humps where line and parabola "
    "meet, and a purple posterior with two peaks, the right one higher.",
    caption="Energy meter: prior N(0.5, 1.5²), σ = 0.5, reading 1.2. Grid of 4,001 velocities.",
)

# %% [markdown]
# **What you see.** The posterior is large where the decoder explains $x$ *and* the prior allows it. A
# reading of 4 has two explanations, a reading of −0.5 (noise!) has one, near zero. Large σ: the
# posterior falls back on the prior. The evidence is high for readings that are common under the model:
# at σ = 0.5 highest near 0.3, not at their mean. The orange curve is no density of $z$: its area is not 1.

# %% tags=["aside"]
for reading in (-0.5, 1.2, 4.0):
    prior, likelihood, posterior, evidence = bayes(0.5, 1.5, 0.5, reading)
    forward = posterior[z > 0].sum() * dz
    areas = [f"{(f.sum() * dz).item():.3f}" for f in (prior, likelihood, posterior)]
    print(f"x = {reading:4}: areas of prior, likelihood, posterior {', '.join(areas)}; ", end="")
    print(f"p(x) = {evidence:.4f}; it drives forward with probability {forward:.3f}")

# %% [markdown]
# ## A sum, where z is discrete
#
# Let the car have only three velocities: reverse, parked, forward. The integral becomes a sum of three
# terms, exact and cheap.

# %%
states = torch.tensor([-1.5, 0.0, 1.5], dtype=torch.double)
masses = torch.tensor([0.2, 0.3, 0.5], dtype=torch.double)  # P(z), sums to 1
terms = log_normal(1.2, energy(states), 0.5).exp() * masses
after = terms / terms.sum()

# %% tags=["aside"]
mixture = MixtureSameFamily(Categorical(masses), Normal(energy(states), 0.5 + 0 * states))
by_torch = mixture.log_prob(torch.tensor(1.2, dtype=torch.double)).exp()
print(f"p(1.2) = {terms.sum():.8f}, torch.distributions {by_torch:.8f}")
print("P(z | 1.2) =", [round(p, 4) for p in after.tolist()])

# %% tags=["aside"]
prior, _, posterior, _ = bayes(0.5, 1.5, 0.5, 1.2)
picture.sum_beside_integral(
    ["reverse", "parked", "forward"],
    (masses, after),
    z,
    (prior, posterior),
    alt="Left, three pairs of bars: parked loses nearly all of its probability, reverse and forward "
    "gain. Right, the same for real z: the posterior has a peak at each of two velocities and a "
    "valley at zero.",
    caption="Reading 1.2, σ = 0.5. Left: three velocities, −1.5, 0 and 1.5. Right: all velocities.",
)

# %% [markdown]
# For real $z$ the sum becomes an integral; on a grid each point has the mass $p(z)\,\Delta z$, and 65 points
# already suffice:

# %% tags=["aside"]
for count in (5, 9, 17, 33, 65):
    few = torch.linspace(-8, 8, count, dtype=torch.double)
    joint = log_normal(few, 0.5, 1.5) + log_normal(1.2, energy(few), 0.5)
    print(f"{count:3} states: {joint.exp().sum() * 16 / (count - 1):.8f}   (SciPy {by_scipy:.8f})")

# %% [markdown]
# ### Exercise 1: a posterior on a grid
#
# Three readings at once: from log p(z) and log p(x|z) on a grid to the three posterior *densities*.
# `sum(1, keepdim=True)` leaves one number a row, so that each reading is divided by its own evidence.


# %% tags=["exercise"]
def posterior_on_grid(log_prior, log_likelihood, dz):  # (G,), (B, G), () -> (B, G)
    # solution
    joint = (log_prior + log_likelihood).exp()
    return joint / (joint.sum(1, keepdim=True) * dz)


exercise.check_posterior(posterior_on_grid)

# %% [markdown]
# ## What makes it hard
#
# Not the number of pixels. Take an image of 784 pixels and a decoder that is *linear* in one
# $z \sim \mathcal N(0, 1)$: each pixel is $w_i z$ plus Gaussian noise. Everything stays Gaussian, and the evidence has a closed form: the
# density of $\mathcal N(0,\ ww^\top + \sigma^2 I)$. The grid over $z$ agrees.

# %% tags=["aside"]
torch.manual_seed(0)
w, noise = torch.randn(2, 784, dtype=torch.double)
image = 0.8 * w + 0.5 * noise  # drawn with z = 0.8
ones = torch.ones(784, dtype=torch.double)
closed = LowRankMultivariateNormal(0 * w, w[:, None], 0.25 * ones).log_prob(image)
log_joint = log_normal(image, z[:, None] * w, 0.5).sum(1) + log_normal(z, 0, 1)
print(f"784 pixels, linear decoder: closed form {closed:.6f} nats, ", end="")
print(f"grid {log_joint.logsumexp(0) + math.log(dz):.6f} nats")

# %% [markdown]
# One "pixel" through $\tfrac12 z^2$, on the other hand, has no such formula in elementary functions. With a
# **decoder nonlinear in $z$** there is in general no closed form. (Nor, with black-and-white pixels, for logits linear in
# $z$: their noise is not Gaussian.) A grid is the general way out, but only while **$z$ has very few dimensions**.
# How few? A grid of 20 points a side, timed on $d$ copies of $z_i \sim \mathcal N(0, 1)$,
# $x_i \mid z_i \sim \mathcal N(z_i, 0.3^2)$, all $x_i = 1$. (This decoder is linear, only so that we know the
# truth, $x_i \sim \mathcal N(0, 1 + 0.3^2)$; the grid makes no use of it.)

# %%
side = torch.linspace(-5, 5, 20)
step = math.log(side[1] - side[0])
one_dimension = log_normal(1.0, 0.0, math.sqrt(1 + 0.3**2))  # exact log p(x), d = 1


def on_grid(d):
    points = torch.cartesian_prod(*[side] * d).reshape(-1, d)
    parts = [log_normal(p, 0, 1) + log_normal(1.0, p, 0.3) for p in points.split(100_000)]
    return torch.cat([part.sum(1) for part in parts]).logsumexp(0).item() + d * step


# %% tags=["aside", "measured"]
seconds = []
on_grid(2)  # the first call is slower: warm up
for d in range(1, 6):
    started = time.perf_counter()
    estimate = on_grid(d)
    seconds.append(time.perf_counter() - started)
    print(f"d = {d}: {20**d:9,} points, {seconds[-1]:8.4f} s, ", end="")
    print(f"off by {abs(estimate - d * one_dimension):.3f} nats")
years = seconds[-1] * 20.0**15 / (365.25 * 24 * 3600)
print(f"d = 20 would take {years:.0e} years")

# %% tags=["aside", "measured"]
picture.grid_cost(
    [1, 2, 3, 4, 5],
    seconds,
    20,
    alt="Seconds against dimension on a logarithmic scale: five measured dots, then a straight dashed "
    "line that climbs by a factor of 20 each and passes a day and a year before fourteen dimensions.",
    caption="20 points a side, no network to evaluate. Dots measured here; the line multiplies by 20. "
    "Below d = 4 the clock sees mostly overhead.",
)

# %% [markdown]
# ## Guess instead: Monte Carlo
#
# The evidence is an average over the prior, $p(x) = \mathbb E_{p(z)}[p(x\mid z)]$, so draw values of $z$
# from the prior and average. No grid, any dimension, unbiased. The logarithm is of the mean; `logsumexp` takes
# it without underflow.
#
# **Importance sampling** draws from some *proposal* $q$ instead and pays for it in the weights:
#
# $$p(x) = \int q(z)\,\frac{p(x\mid z)\,p(z)}{q(z)}\,dz = \mathbb E_{q(z)}\!\left[\frac{p(x\mid z)\,p(z)}{q(z)}\right].$$
#
# That needs $q(z) > 0$ wherever $p(x, z) > 0$: what $q$ cannot draw is missed. With $q = p(z)$ it is plain Monte Carlo. A better guess: whoever sees $x_i = 1$ looks for $z_i$ near 1.
# Below, that proposal is $\mathcal N(1, 0.45^2)$ in each dimension.


# %%
def estimates(d, mean, width, draws=10_000, repeats=15):
    z = mean + width * torch.randn(repeats, draws, d)
    log_weight = log_normal(z, 0, 1) + log_normal(1.0, z, 0.3) - log_normal(z, mean, width)
    return log_weight.sum(2).logsumexp(1) - math.log(draws)  # log p(x), `repeats` times


# %% tags=["aside"]
torch.manual_seed(0)
dimensions = [1, 2, 5, 10, 15, 20]
plain, better = (
    torch.stack([estimates(d, mean, width) - d * one_dimension for d in dimensions])
    for mean, width in ((0.0, 1.0), (1.0, 0.45))
)
print("estimate − truth, nats      from the prior      from the proposal")
for d, a, b in zip(dimensions, plain, better, strict=True):
    print(f"d = {d:2}, mean ± spread   {a.mean():8.2f} ± {a.std():4.2f}   ", end="")
    print(f"{b.mean():8.3f} ± {b.std():5.3f}")

# %% tags=["aside"]
picture.estimates(
    dimensions,
    {"draws from the prior": plain, "draws from a proposal": better},
    alt="Two panels of dots against dimension. From the prior, estimates scatter and sink many nats "
    "below the truth as the dimension grows. From the proposal, all stay close to the truth.",
    caption="Each dot: log of an average over 10,000 draws; 15 repeats a dimension; x_i = 1, σ = 0.3.",
)

# %% [markdown]
# **What you see.** In 20 dimensions hardly any draw from the prior lands where $p(x\mid z)$ is large; the
# average misses what it should count, and is nearly always too low. The average itself (not its log, which
# the table shows) is still unbiased: once in a very long while a huge weight would make up for it.
#
# ### How many draws would do? (optional, 2 minutes)
#
# With the prior as $q$, a weight is $p(x\mid z)$. In *one* dimension its relative variance (variance over
# squared mean) is $c - 1$ with $c = \mathbb E[p(x\mid z)^2]/p(x)^2$; in $d$ independent dimensions, $c^d - 1$.
# An average of $n$ draws has relative variance $(c^d - 1)/n$; for an error of 10 % set it to $0.1^2$.

# %%
squared = (log_normal(z, 0, 1) + 2 * log_normal(1.0, z, 0.3)).exp().sum() * dz
c = squared.item() / math.exp(2 * one_dimension)
print(f"c = {c:.4f}")
for d in (1, 5, 10, 20):
    print(f"d = {d:2}: {(c**d - 1) / 0.1**2:8.1e} draws from the prior for an error of 10 %")

# %% [markdown]
# ### Exercise 2: importance sampling
#
# $S$ draws from a proposal for each of $B$ images, the three log-densities given. Estimate $\log p(x)$.
# Mind that images have log-likelihoods like −900.


# %% tags=["exercise"]
def importance_log_evidence(log_prior, log_likelihood, log_q):  # (S, B) each -> (B,)
    # solution
    return (log_prior + log_likelihood - log_q).logsumexp(0) - math.log(len(log_q))


exercise.check_importance(importance_log_evidence)

# %% [markdown]
# ## The same on digits
#
# A small model of digits with two latent dimensions, trained for a few seconds. (How, and
# what its progress line says: [chapter](vae); here it is only a nonlinear decoder.) Two dimensions still allow a grid, so we know the truth.

# %%
torch.manual_seed(0)
vae = VAE(latent_dim=2, hidden=(200,))
epochs = 180_000 // len(digits.train_images)
fit(vae, digits.train_images, elbo, epochs=epochs, batch_size=500, lr=5e-3, one_cycle=True)

# %% tags=["aside"]
images = digits.test_images[:100]
exact = evaluation.exact_log_likelihood(vae, images)  # (100,), by grid
torch.manual_seed(0)
draws = vae.prior.sample((20_000,))
with torch.no_grad():
    log_p_x_given_z = torch.cat(
        [evaluation.pairwise_log_prob(vae, part, images) for part in draws.split(4_000)], 1
    )  # (100 images, 20,000 draws)
for count in (10, 100, 1_000, 10_000):
    groups = log_p_x_given_z.reshape(100, -1, count)  # 20,000 / count estimates an image
    short = exact[:, None] - (groups.logsumexp(2) - math.log(count))
    print(f"{count:6,} draws from the prior: log p(x) too low by ", end="")
    print(f"{short.mean():6.2f} nats on average, {short.max():6.1f} at most")

# %% tags=["aside"]
with torch.no_grad():
    one = vae.encode(images).mean.norm(dim=1).argsort()[30].item()  # no extreme case
    log_p_z_given_x = log_p_x_given_z[one] + vae.prior.log_prob(draws) - exact[one]
points, log_posterior = evaluation.posterior_on_grid(vae, images[one : one + 1])
inside = log_p_z_given_x[:1000] > log_posterior.max() - 4.5
# 4.5 = 3²/2: within 3 standard deviations, if the posterior is Gaussian
print(f"draws within 4.5 nats of the posterior's peak: {int(inside.sum())} of 1,000")

# %% tags=["aside"]
picture.prior_draws(
    points,
    log_posterior[0],
    draws[:1000],
    inside,
    images[one],
    alt="A test digit, and beside it the latent plane: a thousand grey dots spread over a disc, and a "
    "small purple spot, the posterior; the few that hit it are black.",
    caption=f"{digits.name}, test image {one}. Purple: its exact posterior, in steps of 0.5, 2, 4.5 and "
    "8 nats below the peak. Dots: 1,000 draws from the prior, black within 4.5 nats of the peak.",
)

# %% [markdown]
# Only a small spot of $z$ explains this image. The black dots hit it; the count above says how few. (The
# image has 784 pixels, yet the grid gave the truth: what counts is the dimension of $z$.)
#
# ## A proposal that looks at x
#
# Each $x$ has its own spot, and every further dimension of $z$ makes the spot harder to hit. A network that
# looks at $x$ and says where the spot is would be the proposal we want: the **encoder** $q_\phi(z\mid x)$. To
# train it we need a measure of how far $q$ is from the posterior. That is next.
#
# ## Extra code length
#
# That measure comes from sending messages: the price of a wrong belief, in bits. Here a *code* is a table of
# bit strings, not a value of $z$. Send the letters of a message as bits. A
# **prefix code** (no code word begins another) that is made for letter frequencies $p$ gives frequent letters
# short words. David Huffman's method builds the best one: join the two rarest, again and again
# (`huffman`, folded).


# %% tags=["aside"]
def huffman(p):  # letter -> weight, to letter -> bits
    heap = [(weight, i, {letter: ""}) for i, (letter, weight) in enumerate(p.items())]
    heapq.heapify(heap)
    while len(heap) > 1:
        (a, _, left), (b, i, right) = heapq.heappop(heap), heapq.heappop(heap)
        joined = {k: "0" + v for k, v in left.items()} | {k: "1" + v for k, v in right.items()}
        heapq.heappush(heap, (a + b, i, joined))
    return heap[0][2]


# %%
right_code = huffman({"a": 1 / 2, "b": 1 / 4, "c": 1 / 8, "d": 1 / 8})
wrong_code = huffman({"a": 1 / 8, "b": 1 / 8, "c": 1 / 4, "d": 1 / 2})

# %%
message = "abacabad" * 125  # 1,000 letters: half of them a, a quarter b, an eighth c and d
for name, code in (("right", right_code), ("wrong", wrong_code)):
    sent = "".join(code[letter] for letter in message)
    print(f"{name} code {code}: {len(sent)} bits, {len(sent) / 1000} a letter")

# %% [markdown]
# Ideally a letter of probability $p_i$ gets $-\log_2 p_i$ bits, and the average is the **entropy**. Huffman's code does
# exactly that if all $p_i$ are powers of ½; otherwise single words may be far from it, and the average is above the
# entropy by less than one bit a letter. Under a code made for $q$ a letter ideally gets $-\log_2 q_i$ bits: the
# average is the **cross-entropy**. The difference of the two is the **Kullback-Leibler divergence**:
#
# $$\underbrace{-\sum_i p_i\log_2 q_i}_{\text{cross-entropy } H(p, q)} \;=\; \underbrace{-\sum_i p_i\log_2 p_i}_{\text{entropy } H(p)} \;+\; \underbrace{\sum_i p_i\log_2\frac{p_i}{q_i}}_{\mathrm{KL}(p\,\|\,q)}$$

# %%
p = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8], dtype=torch.double)
q = torch.tensor([1 / 8, 1 / 8, 1 / 4, 1 / 2], dtype=torch.double)
entropy, cross_entropy = -(p * p.log2()).sum(), -(p * q.log2()).sum()
kl_bits = cross_entropy - entropy
print(f"entropy {entropy:.3f} bits, cross-entropy {cross_entropy:.3f} bits, ", end="")
print(f"KL(p‖q) {kl_bits:.3f} bits")
print(f"one bit is log 2 nats: KL(p‖q) = {kl_bits * math.log(2):.4f} nats")

# %% [markdown]
# The KL is an **expected extra code length**. It is not "bits lost": nothing is lost, the message comes back
# whole from either code. Nor is it "the negative log-likelihood of samples": that is the
# cross-entropy.
#
# ### Exercise 3: extra bits (optional, 2 minutes)
#
# The expected extra bits a symbol when symbols come from p and the code was made for q.


# %% tags=["exercise"]
def extra_bits(p, q):  # (K,), (K,) -> ()
    # solution
    return (p * (p / q).log2()).sum()


exercise.check_extra_bits(extra_bits)

# %% [markdown]
# ### A real message (optional, 5 minutes)
#
# Thomas Bayes states his problem (1763). The wrong code believes that the rarest letters are the most frequent.


# %%
def decode(bits, code):
    letters, word, text = {v: k for k, v in code.items()}, "", []
    for bit in bits:
        word += bit
        if word in letters:
            text.append(letters[word])
            word = ""
    return "".join(text)


# %%
message = (
    "given the number of times in which an unknown event has happened and failed required the "
    "chance that the probability of its happening in a single trial lies somewhere between any "
    "two degrees of probability that can be named"
)
counts = Counter(message)
letters = [letter for letter, _ in counts.most_common()]
turned = dict(zip(letters, reversed([counts[letter] for letter in letters]), strict=True))

# %%
lengths = {}
for name, weights in (("right", counts), ("wrong", turned)):
    code = huffman(weights)
    sent = "".join(code[letter] for letter in message)
    lengths[name] = len(sent) / len(message)
    print(f"{name} code: {len(sent)} bits; decoded without loss: {decode(sent, code) == message}")

# %%
p = torch.tensor([counts[k] for k in letters], dtype=torch.double) / len(message)
q = torch.tensor([turned[k] for k in letters], dtype=torch.double) / len(message)
kl_bits = (p * (p / q).log2()).sum()
extra = lengths["wrong"] - lengths["right"]
entropy, cross_entropy = -(p * p.log2()).sum(), -(p * q.log2()).sum()
print(f"right: entropy {entropy:.3f} bits a letter, sent {lengths['right']:.3f}")
print(f"wrong: cross-entropy {cross_entropy:.3f} bits a letter, sent {lengths['wrong']:.3f}")
print(f"KL(p‖q) {kl_bits:.3f} bits a letter, sent in excess {extra:.3f}")

# %% [markdown]
# Real words have whole numbers of bits, so the sent lengths differ from the formulas, here by little (the
# excess may even come out below the KL); with powers of ½, above, there is no rounding.

# %% [markdown]
# ## What a KL is, and is not
#
# From here on in nats, and for densities an integral: $\mathrm{KL}(q\,\|\,p) = \int q(z)\log\frac{q(z)}{p(z)}\,dz$.
# It is never negative, and **zero exactly where the two are equal**. (Jensen's inequality, below,
# says why.) A thousand pairs of random distributions over six states:

# %%
torch.manual_seed(0)
p, q = torch.rand(2, 1000, 6, dtype=torch.double).softmax(2)
kl = (p * (p / q).log()).sum(1)
print(f"smallest of 1,000: {kl.min():.6f}; of p from itself: {(p * (p / p).log()).sum().item()}")

# %% [markdown]
# It is no distance: it is not symmetric, and it breaks the triangle inequality (going by way of a third
# point can be shorter). Gaussians show both: first $\mathcal N(0, 0.5^2)$ and $\mathcal N(0, 1)$, there and back;
# then $a, b, c$ = $\mathcal N(-1, 1)$, $\mathcal N(0, 1)$, $\mathcal N(1, 1)$.


# %% tags=["aside"]
def kl_on_grid(first, second):  # two (mean, std)
    log_q, log_p = log_normal(z, *first), log_normal(z, *second)
    return ((log_q - log_p) * log_q.exp()).sum().item() * dz


a, c = (0, 0.5), (0, 1)
print(f"there {kl_on_grid(a, c):.4f}, back {kl_on_grid(c, a):.4f}: not symmetric")

a, b, c = (-1, 1), (0, 1), (1, 1)
print(
    f"a to c {kl_on_grid(a, c):.4f}, by way of b {kl_on_grid(a, b) + kl_on_grid(b, c):.4f}: a short cut"
)

# %% [markdown]
# ### Exercise 4: two Gaussians
#
# The integral can be done: write $\mathrm{KL}\bigl(\mathcal N(m_1, s_1^2)\,\|\,\mathcal N(m_2, s_2^2)\bigr)$ in nats.
# It is $\mathbb E[\log q - \log p]$ under the first; use $\mathbb E[(z - m_2)^2] = s_1^2 + (m_1 - m_2)^2$.
# The first half is $\mathbb E[\log q] = -\log s_1 - \tfrac12 - \tfrac12\log 2\pi$; find $\mathbb E[\log p]$ the same
# way and subtract. The arguments are tensors: `torch.log` takes their logarithm.


# %% tags=["exercise"]
def kl_gaussians(m1, s1, m2, s2):  # (B,) each, s are standard deviations -> (B,)
    # solution
    return (s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5


exercise.check_kl_gaussians(kl_gaussians)

# %% [markdown]
# ## Two directions
#
# Two bumps $p$, one Gaussian $q$. There are two ways to measure the misfit:
#
# | | averages over | is large where | other names |
# |---|---|---|---|
# | $\mathrm{KL}(q\,\|\,p)$ | draws from q | q has mass and p has none | **reverse**, exclusive |
# | $\mathrm{KL}(p\,\|\,q)$ | draws from p | p has mass and q has none | **forward**, inclusive |

# %%
log_p = torch.logaddexp(
    math.log(0.6) + log_normal(z, -1.5, 0.3), math.log(0.4) + log_normal(z, 1.7, 0.4)
)


def divergences(mean, width):
    log_q = log_normal(z, mean, width)
    reverse = (log_q.exp() * (log_q - log_p)).sum() * dz
    forward = (log_p.exp() * (log_p - log_q)).sum() * dz
    return log_q.exp(), reverse, forward


# %% [markdown]
# An optimizer, started on either side, finds two minima of the reverse KL, of different depth, and one of the
# forward KL. The latter can be checked by hand: it has the mean and the variance of $p$ itself.

# %% tags=["aside"]
minima = ([], [])
for i, name in enumerate(("reverse", "forward")):
    for start in (-1.5, 1.5):
        found = minimize(lambda a, i=i: divergences(a[0], math.exp(a[1]))[1 + i], [start, 0.0])
        minima[i].append((found.x[0], math.exp(found.x[1])))
        print(f"{name} KL from {start:4}: mean {minima[i][-1][0]:6.3f}, ", end="")
        print(f"width {minima[i][-1][1]:.3f}, {found.fun:.4f} nats")

# %% tags=["aside"]
mean = (log_p.exp() * z).sum() * dz
variance = (log_p.exp() * (z - mean) ** 2).sum() * dz
print(f"p itself: mean {mean:.3f}, standard deviation {variance.sqrt():.3f}")

# %% tags=["aside"]
two_directions_panel(
    z,
    log_p.exp(),
    divergences,
    minima,
    alt="Left, two purple bumps and a dashed blue Gaussian. Right, two maps over mean and width of "
    "the Gaussian: the reverse KL has two minima, narrow ones on the bumps; the forward KL has one, in "
    "the middle and wide.",
    caption="p = 0.6 N(−1.5, 0.3²) + 0.4 N(1.7, 0.4²). Stars: minima; dot: q; darker is larger.",
)

# %% [markdown]
# **What you see.** Reverse KL cannot stand q where p is not: with bumps this far apart its *best* q sits on one and
# ignores the other (*mode seeking*). Forward KL cannot stand p where q is not: q covers both bumps, and the valley too (*mass covering*).
#
# The bound that we derive next contains the reverse one, KL(q ‖ p(z|x)): it averages over q, which we
# can draw from. A lecture calls it forward; it is not.
#
# ## Two sets of parameters
#
# θ belongs to the model of the world: prior and decoder. φ belongs to the encoder, our guess at what the
# model implies. The posterior $p_\theta(z\mid x)$ has no parameters of its own: Bayes' rule makes it from θ.
# One encoder, a network, takes any image $x$ and returns the mean and width of a Gaussian $q_\phi(z\mid x)$.
# Without it each image would need an integral over $z$, or an optimization of its own (as further below).

# %% tags=["aside"]
graphical_model(
    alt="A graph: latent z above observed x, which is shaded, inside a plate marked N images. "
    "Solid arrows lead from z to x and from θ to both; dashed arrows from x to z and from φ to z.",
    caption="Solid: the model, prior and decoder with parameters θ. Dashed: the encoder, with "
    "parameters φ. The plate repeats z and x for each of N images; θ and φ exist once.",
)

# %% [markdown]
# ## log p(x) ≥ ELBO, by four roads
#
# The **evidence lower bound** is
#
# $$\mathrm{ELBO} \;=\; \mathbb E_{q(z)}\!\left[\log\frac{p(x, z)}{q(z)}\right] \;=\; \mathbb E_{q(z)}[\log p(x\mid z)] - \mathrm{KL}\bigl(q(z)\,\|\,p(z)\bigr) \;\le\; \log p(x),$$
#
# for *any* $q$. The first term is the **reconstruction**, the KL to the *prior* is the **rate**. Another KL, the
# one to the *posterior*, is the gap that road 1 finds; without the evidence nobody can compute it. (The B
# stands for bound; nothing in the name is an optimization.) Every line below is computed on the energy meter, for the reading $x = 1.2$ and the guess $q = \mathcal N(0.8, 1^2)$. We write
# $q(z)$ for $q_\phi(z\mid x)$, as $x$ is fixed.

# %%
x, log_q = 1.2, log_normal(z, 0.8, 1.0)
log_prior, log_likelihood = log_normal(z, 0.5, 1.5), log_normal(x, energy(z), 0.5)
log_joint = log_prior + log_likelihood
log_evidence = log_joint.logsumexp(0) + math.log(dz)
log_posterior = log_joint - log_evidence


def under_q(values):  # E_q[values]
    return (log_q.exp() * values).sum() * dz


# %% [markdown]
# ### First road: KL to the posterior
#
# Average log p(x) under $q$, which changes nothing, and let Bayes' rule bring in the posterior: the KL to it
# splits off by itself.

# %%
bound, gap = under_q(log_joint - log_q), under_q(log_q - log_posterior)
reconstruction, rate = under_q(log_likelihood), under_q(log_q - log_prior)
ratio = under_q(log_joint - log_posterior)

# %% tags=["aside"]
road1 = Derivation("Road 1: KL to the posterior")
road1.add("", r"\log p(x)", log_evidence, "what we want")
road1.add("=", r"E_q[\log p(x)]", under_q(log_evidence), "there is no z in it")
road1.add("=", r"E_q[\log \frac{p(x, z)}{p(z|x)}]", ratio, "Bayes' rule, true for every z")
formula = r"E_q[\log \frac{p(x, z)}{q(z)}] + E_q[\log \frac{q(z)}{p(z|x)}]"
road1.add("=", formula, bound + gap, "multiply and divide by q(z)")
road1.add(
    "=",
    r"\text{ELBO} + \mathrm{KL}(q\|p(z|x))",
    bound + gap,
    f"their names: {bound:.4f} + {gap:.4f}",
)
road1.add("≥", r"\text{ELBO}", bound, "a KL is never negative")
formula = r"E_q[\log p(x|z)] - \mathrm{KL}(q\|p(z))"
road1.add("=", formula, reconstruction - rate, "p(x, z) = p(x|z) p(z)")
road1

# %% [markdown]
# Mark this: for this decoder the bound has a formula (a polynomial under a Gaussian), the evidence none in
# elementary functions.
# With a network as decoder the bound is estimated from draws of $q$, [chapter](reparameterization).
#
# ### Two independent checks (optional, 2 minutes)
#
# The last number once more, by SciPy's integrator and by that formula, from the moments of a Gaussian,
# $\mathbb E[z^2] = m^2 + s^2$ and $\mathbb E[z^4] = m^4 + 6m^2s^2 + 3s^4$.


# %%
def integrand(z):
    log_q = log_normal(z, 0.8, 1.0)
    return math.exp(log_q) * (log_normal(z, 0.5, 1.5) + log_normal(1.2, energy(z), 0.5) - log_q)


by_quad = quad(integrand, -8, 8)[0]

# %%
m, s = 0.8, 1.0
second, fourth = m**2 + s**2, m**4 + 6 * m**2 * s**2 + 3 * s**4
square = x**2 - x * second + fourth / 4  # E_q[(x − ½z²)²]
by_moments = -0.5 * square / 0.5**2 - math.log(0.5) - 0.5 * math.log(2 * math.pi)
# KL(q‖prior), exercise 4's formula:
by_moments -= math.log(1.5 / s) + (s**2 + (m - 0.5) ** 2) / (2 * 1.5**2) - 0.5
print(f"ELBO by grid {bound:.8f}, SciPy {by_quad:.8f}, moments {by_moments:.8f}")

# %% [markdown]
# ### Second road: Jensen
#
# The logarithm bends downwards (it is *concave*), so the mean of logs is at most the log of the mean.
# That is **Jensen's inequality**; the two are equal only if there is nothing to average:
# the weight $w = p(x, z)/q(z)$ the same for every $z$ that $q$ draws. For a $q$ that is positive wherever $p(x, z)$ is,
# as any Gaussian is, that is so exactly when $q$ is the posterior; then $w = p(x)$. (A $q$ that never draws some of the
# posterior's $z$ has $\log\mathbb E_q[w]$ itself below $\log p(x)$: the bound holds all the more, and is not tight.)
# (It also proves KL ≥ 0: $-\mathrm{KL}(q\,\|\,p) = \mathbb E_q[\log\frac pq] \le \log\mathbb E_q[\frac pq] \le \log 1 = 0$.)

# %%
log_w = log_joint - log_q  # of the weight w = p(x, z) / q(z)
entropy_q = under_q(-log_q)

# %% tags=["aside"]
road2 = Derivation("Road 2: Jensen's inequality")
road2.add("", r"\log p(x)", log_evidence, "what we want")
road2.add("=", r"\log \int p(x, z)\,dz", math.log(by_scipy), "by SciPy's integrator")
formula = r"\log E_q[w], \quad w = \frac{p(x, z)}{q(z)}"
road2.add("=", formula, under_q(log_w.exp()).log(), "multiply and divide by q(z) > 0")
road2.add("≥", r"E_q[\log w] = \text{ELBO}", under_q(log_w), "Jensen: log is concave")
formula = r"E_q[\log p(x, z)] + H(q)"
road2.add("=", formula, under_q(log_joint) + entropy_q, "H(q) = E_q[−log q], the entropy of q")
road2

# %% tags=["aside"]
torch.manual_seed(0)
z_q = 0.8 + 1.0 * torch.randn(100_000, dtype=torch.double)  # draws from q
log_w_q = log_normal(z_q, 0.5, 1.5) + log_normal(x, energy(z_q), 0.5) - log_normal(z_q, 0.8, 1.0)
picture.jensen(
    log_w_q.exp(),
    alt="The curve of the logarithm with draws as dots along it. Above the mean weight a diamond on "
    "the curve marks the log of the mean; a square far below it marks the mean of the logs; a red "
    "bar joins them.",
    caption="Energy meter, x = 1.2, q = N(0.8, 1²); means over 100,000 draws. Dots: the first 200.",
)

# %% [markdown]
# **What you see.** All draws lie on the curve, but their average (square) lies under it: draws with tiny $w$ pull
# the mean of the logs far down and hardly move the mean. The red bar is the gap of road 1.
#
# ### Third road: importance sampling
#
# Draw $k$ values of $z$ from $q$ and average their weights: $\hat p_k = \frac1k\sum_i w_i$. Its mean is $p(x)$, for every
# $k$. Its logarithm is too low on average. More draws never make that worse (Burda et al. 2016), so one draw is worst. The
# expected log with one draw *is* the ELBO. For $k = 2$ the expectation is a double integral, here on a grid of
# pairs. Both ≥ below are Jensen's. New is the value between them: with two draws, a bound tighter than
# the ELBO.

# %% tags=["aside"]
coarse = slice(None, None, 5)  # every fifth point of the grid: 801 × 801 pairs
lw, mass = log_w[coarse], log_q[coarse].exp() * 5 * dz
log_pair_mean = torch.logaddexp(lw[:, None], lw) - math.log(2)  # log ½(w₁ + w₂)
log_of_mean = (mass @ log_pair_mean.exp() @ mass).log()  # mass @ f @ mass = Σᵢ Σⱼ mᵢ mⱼ f(zᵢ, zⱼ)

road3 = Derivation("Road 3: importance sampling, z₁ and z₂ drawn from q")
road3.add("", r"\log p(x)", log_evidence, "what we want")
road3.add("=", r"\log E[w_1]", under_q(log_w.exp()).log(), "one draw is unbiased")
road3.add("=", r"\log E[\frac12(w_1 + w_2)]", log_of_mean, "so is the mean of two")
formula = r"E[\log \frac12(w_1 + w_2)]"
road3.add("≥", formula, mass @ log_pair_mean @ mass, "its log is too low on average")
formula = r"E[\frac12\log w_1 + \frac12\log w_2]"
log_w_mean = mass @ (0.5 * lw[:, None] + 0.5 * lw) @ mass
road3.add("≥", formula, log_w_mean, "concave: log of mean ≥ mean of logs")
road3.add("=", r"E[\log w_1] = \text{ELBO}", under_q(log_w), "both draws are alike")
road3

# %% [markdown]
# Roads 1, 2 and 3 meet at the same bound:

# %% tags=["aside"]
for name, road in (("1", road1), ("2", road2), ("3", road3)):
    print(f"road {name}: log p(x) = {road.values[0]:.8f}, ELBO = {road.values[-1]:.8f}")

# %% [markdown]
# ### More draws (optional, 1 minute)
#
# More draws, a tighter bound; the importance-weighted autoencoder (Burda et al. 2016) trains with it. By
# sampling, with the standard error of each mean:

# %% tags=["aside"]
torch.manual_seed(0)
for k in (1, 2, 10, 100, 1000):
    z_q = 0.8 + 1.0 * torch.randn(1000, k, dtype=torch.double)
    log_prior_q, log_q_q = log_normal(z_q, 0.5, 1.5), log_normal(z_q, 0.8, 1.0)
    log_w_q = log_prior_q + log_normal(x, energy(z_q), 0.5) - log_q_q
    log_p_hat = log_w_q.logsumexp(1) - math.log(k)
    print(f"k = {k:4}: E[log p̂] = {log_p_hat.mean():7.3f} ± {log_p_hat.std() / 1000**0.5:.3f}")
print(f"log p(x)           = {log_evidence:7.3f}")

# %% [markdown]
# ### Fourth road: entropies, the encoder first (optional, 10 minutes)
#
# Forget the model. Readings come from a **population** Pop(x), and *any* encoder gives each a value of $z$:
# $x \sim \mathrm{Pop}$, $z \sim q(z\mid x)$. For densities, $H(x) = \mathbb E[-\log \mathrm{Pop}(x)]$,
# $H_{\text{enc}}(z\mid x) = \mathbb E[-\log q(z\mid x)]$ and $H(x, z) = \mathbb E[-\log(\mathrm{Pop}(x)\,q(z\mid x))]$,
# all over pairs. (Such *differential* entropies may be negative; they count no bits, only their differences mean
# something.) The entropy of a pair splits both ways,
# $H(x) + H_{\text{enc}}(z\mid x) = H(x, z) = H(z) + H(x\mid z)$; the split is just $\log(ab) = \log a + \log b$.
# Then describe $z$ by the model's prior, and $x$ by its decoder, instead of the pair's own densities: extra
# length, twice.
#
# Here, the population is another street, $z \sim \mathcal N(1.2, 0.7^2)$ and the same meter; the encoder is a
# rough inverse of the meter, $\mathcal N\bigl(\sqrt{2\log(1+e^x)},\ 0.4^2\bigr)$: for large $x$ its mean is nearly
# $\sqrt{2x}$, and it is real for negative readings, too. It hardly ever says "reverse", and forward it is rough: what
# each costs is printed last.

# %%
xs = torch.linspace(-3.5, 16.5, 801, dtype=torch.double)[:, None]  # (801, 1)
zs = torch.linspace(-9, 9, 721, dtype=torch.double)  # (721,)
dx, dz4 = (xs[1] - xs[0]).item(), (zs[1] - zs[0]).item()
log_dec, log_pri = log_normal(xs, energy(zs), 0.5), log_normal(zs, 0.5, 1.5)
log_pop = (log_dec + log_normal(zs, 1.2, 0.7)).logsumexp(1, keepdim=True) + math.log(dz4)
log_enc = log_normal(zs, (2 * softplus(xs)).sqrt(), 0.4)  # (801, 721)
log_pair = log_pop + log_enc  # of x and z together


def over_pairs(values):  # E over x ~ Pop, z ~ q(z|x)
    return (log_pair.exp() * values).sum() * dx * dz4


# %%
log_z = log_pair.logsumexp(0) + math.log(dx)  # the pairs' density of z, ∫ Pop(x) q(z|x) dx
H_x, H_xz = over_pairs(-log_pop), over_pairs(-log_pair)
H_z, H_x_given_z = over_pairs(-log_z), over_pairs(log_z - log_pair)
H_enc, H_pri, H_dec = over_pairs(-log_enc), over_pairs(-log_pri), over_pairs(-log_dec)

# %% [markdown]
# For comparison with the other roads: the ELBO and the gap of each reading by itself, averaged over the
# population.

# %%
elbo_x = (log_enc.exp() * (log_dec + log_pri - log_enc)).sum(1) * dz4  # (801,)
log_p_x = (log_dec + log_pri).logsumexp(1) + math.log(dz4)
log_post = log_dec + log_pri - log_p_x[:, None]
gap_x = (log_enc.exp() * (log_enc - log_post)).sum(1) * dz4
pop = log_pop[:, 0].exp() * dx  # the mass of each reading

# %% tags=["aside"]
road4 = Derivation("Road 4: entropies, averaged over the population")
road4.add("", r"H(x) = E[-\log \text{Pop}(x)]", H_x, "no other density has a lower mean of −log")
road4.add("=", r"H(x, z) - H_{\text{enc}}(z|x)", H_xz - H_enc, "a pair splits one way")
formula = r"H(z) + H(x|z) - H_{\text{enc}}(z|x)"
road4.add("=", formula, H_z + H_x_given_z - H_enc, "and the other way")
formula = r"H_{\text{pri}}(z) + H_{\text{dec}}(x|z) - H_{\text{enc}}(z|x)"
road4.add("≤", formula, H_pri + H_dec - H_enc, "cross-entropy ≥ entropy, twice")
road4.add("=", r"E_{\text{Pop}}[-\text{ELBO}(x)]", -(pop * elbo_x).sum(), "grouped by reading")
formula = r"E_{\text{Pop}}[-\log p(x) + \mathrm{KL}(q(z|x)\|p(z|x))]"
road4.add("=", formula, (pop * (gap_x - log_p_x)).sum(), "road 1 for each reading")
road4

# %% [markdown]
# $H_{\text{pri}}(z) = \mathbb E[-\log p(z)]$ and $H_{\text{dec}}(x\mid z) = \mathbb E[-\log p(x\mid z)]$ are
# cross-entropies, expectations of *logarithms*. A lecture writes $\mathbb E[-P_{\text{dec}}]$: another number.
# When is the ≤ an equality? When prior and decoder are the best for this encoder: the density $q(z)$ that the
# values of $z$ have by themselves, and the density of $x$ given $z$ in the pair,
# $\mathrm{Pop}(x)\,q(z\mid x)/q(z)$. Then the average −ELBO equals $H(x)$, whatever the encoder.

# %% tags=["aside"]
best_pri, best_dec = over_pairs(-log_z), over_pairs(-(log_pair - log_z))
print(f"H_dec = E[−log p(x|z)] = {H_dec:.4f} nats; E[−p(x|z)] = {over_pairs(-log_dec.exp()):.4f}")
print(f"best prior and decoder: {best_pri + best_dec - H_enc:.8f} nats, H(x) = {H_x:.8f}")

# %% [markdown]
# Since $\mathbb E_{\text{Pop}}[-\log p(x)] = H(x) + \mathrm{KL}(\mathrm{Pop}\,\|\,p)$, the excess splits in two. Of the
# second part, an encoder that knew the posterior's forward half exactly, but never said "reverse", would still pay
# $\mathbb E[-\log p(z > 0\mid x)]$.

# %% tags=["aside"]
model_misfit = (pop * (log_pop[:, 0] - log_p_x)).sum()
print(f"excess {H_pri + H_dec - H_enc - H_x:.4f} = KL(Pop‖p(x)) {model_misfit:.4f} ", end="")
print(f"+ mean KL(q‖p(z|x)) {(pop * gap_x).sum():.4f}")
ahead = (zs / dz4 + 0.5).clamp(0, 1)  # which part of a grid point's cell has z > 0
no_reverse = -(pop * (log_post.exp() @ ahead * dz4).log()).sum()
print(f"never saying reverse costs {no_reverse:.4f} of that gap, ", end="")
print(f"a wrong centre and width {(pop * gap_x).sum() - no_reverse:.4f}")

# %% [markdown]
# Two gaps, then: the model misses the population, and the encoder misses the model's posterior. Road 4 is
# the bound of the other roads, averaged over a population.

# %% [markdown]
# ### Exercise 5: the ELBO on a grid
#
# The three log-densities on one grid with step dz: return the ELBO in nats, one number. Remember where
# $z$ comes from.


# %% tags=["exercise"]
def elbo_on_grid(log_prior, log_likelihood, log_q, dz):  # (G,) three times, () -> ()
    # solution
    return (log_q.exp() * (log_likelihood + log_prior - log_q)).sum() * dz


exercise.check_elbo(elbo_on_grid)

# %% [markdown]
# ## Drag the gap
#
# log p(x) does not depend on $q$. So what the ELBO gains, the gap $\mathrm{KL}(q\,\|\,p(z\mid x))$ loses: the two bars
# always end at the same line. (Where the blue bar *begins* means nothing; its top and the red bar's length do.) The second decoder is a speedometer, $x \sim \mathcal N(z, 0.5^2)$:
# linear, so its posterior is a Gaussian. Drag the peak of $q$, and make the red bar as short as you can, for both.
# Where the picture is live, the parts of the ELBO stand beside the bars, as in road 1.


# %%
def split(decoder, mean, width, x=1.2, prior_mean=0.5):
    log_q = log_normal(z, mean, width)
    log_joint = log_normal(z, prior_mean, 1.5) + log_normal(x, decoder(z), 0.5)
    log_posterior = log_joint - log_joint.logsumexp(0) - math.log(dz)
    elbo = (log_q.exp() * (log_joint - log_q)).sum() * dz
    gap = (log_q.exp() * (log_q - log_posterior)).sum() * dz
    return elbo, gap


decoders = {"energy meter, ½z²": energy, "speedometer, z": lambda z: z}

# %% tags=["aside"]
ElboBars(
    z,
    log_prior,
    {name: log_normal(1.2, decoder(z), 0.5) for name, decoder in decoders.items()},
    caption="Reading 1.2, prior N(0.5, 1.5²), σ = 0.5. The bars are levels in nats.",
)

# %% [markdown]
# And what an optimizer finds, from three starts; the best is kept:

# %% tags=["aside"]
best, starts = {}, ((1.0, -0.5), (0.0, 0.0), (-1.0, -0.5))  # mean, log width
for name, decoder in decoders.items():
    tries = []
    for start in starts:
        found = minimize(lambda a, d=decoder: -split(d, a[0], math.exp(a[1]))[0], start)
        mean, width = found.x[0], math.exp(found.x[1])
        value, gap = split(decoder, mean, width)
        tries.append((value.item(), mean, width))
        print(f"{name}, start {start[0]:4}: q = N({mean:6.3f}, {width:.3f}²), ", end="")
        print(f"ELBO {value:.4f}, KL {abs(gap):.6f}, log p(x) {value + gap:.4f}")
    best[name] = max(tries)[1:]

# %% tags=["aside"]
# Precision is 1 / variance; in the speedometer's posterior those of prior and reading add.
precision = 1 / 1.5**2 + 1 / 0.5**2
posterior_mean = (0.5 / 1.5**2 + 1.2 / 0.5**2) / precision
print(f"speedometer, closed form: N({posterior_mean:.3f}, {precision**-0.5:.3f}²)")

# %% [markdown]
# **What you see.** The bound is tight exactly where $q$ is the posterior. One Gaussian can be the
# speedometer's posterior, so the KL falls to 0. It cannot be one with two bumps: the best $q$ sits on the larger one
# (reverse KL!) and a gap remains. The smaller bump is a local optimum, with a larger gap; so, here, is a broad
# $q$ over both, as the valley is not empty (a fifteenth of the higher peak, an eighth of the lower one).
#
# ### A bound with z from the prior (optional, 2 minutes)
#
# In the bound, $z$ comes from $q$. A lecture has the reconstruction under the *prior*,
# $\mathbb E_{p(z)}[\log p(x\mid z)] - \mathrm{KL}(q\,\|\,p(z))$. That is a bound as well, and a useless one: its
# best $q$ is the prior, whatever $x$ says.

# %% tags=["aside"]
under_prior = (log_prior.exp() * log_likelihood).sum() * dz
for name, mean, width in (
    ("the best q above", *best["energy meter, ½z²"]),
    ("the prior", 0.5, 1.5),
):
    log_guess = log_normal(z, mean, width)
    rate = (log_guess.exp() * (log_guess - log_prior)).sum() * dz
    right = (log_guess.exp() * log_likelihood).sum() * dz - rate
    print(f"q = {name:17} z ~ p(z): {under_prior - rate:9.3f}    z ~ q: {right:9.3f} = ELBO")

# %% [markdown]
# ## A step that makes the model worse
#
# Raising the ELBO means raising log p(x), *or* closing the gap. Take the energy meter with its best $q$, on the
# right-hand bump, and improve θ: move the prior's mean $m_0$, all else fixed. The ELBO is best where the
# prior agrees with $q$, at $m_0 = \mathbb E_q[z]$.

# %% tags=["aside"]
q_best = best["energy meter, ½z²"]
prior_means = torch.linspace(-0.5, 2.5, 61, dtype=torch.double)
levels = torch.tensor([split(energy, *q_best, prior_mean=m) for m in prior_means.tolist()])
bounds, truths = levels[:, 0], levels.sum(1)
for name, m in (("before", 0.5), ("after", q_best[0])):
    value, gap = split(energy, *q_best, prior_mean=m)
    reverse = (bayes(m, 1.5, 0.5, 1.2)[2] * (z < 0)).sum() * dz
    print(f"{name:6} m₀ = {m:.3f}: ELBO {value:.4f}, gap {gap:.4f}, ", end="")
    print(f"log p(x) {value + gap:.4f}, p(z < 0 | x) {reverse:.4f}")

# %% tags=["aside"]
picture.bound_and_truth(
    prior_means,
    bounds,
    truths,
    {"before": 0.5, "after": q_best[0]},
    "mean of the prior",
    alt="Two curves over the prior's mean. From the mark 'before' to the mark 'after' the dashed ELBO "
    "rises while the solid log p(x) falls; the shaded gap between them shrinks.",
    caption="Energy meter, x = 1.2, σ = 0.5; q fixed at the best Gaussian for the prior mean 0.5.",
)

# %% [markdown]
# **What you see.** The step makes the other explanation, which $q$ never saw, less probable (last number). The model
# becomes one whose posterior $q$ matches better, and explains the reading *less* well. With $q$ equal to the posterior this cannot happen: there
# the ELBO touches log p(x), so a better ELBO means a better model. That is the idea of expectation maximization (EM), [chapter](em).
#
# ## Recap
#
# 1. Posterior = likelihood × prior / evidence; on a grid, a sum times Δz. With a Gaussian prior and
#    Gaussian noise, a decoder linear in $z$ leaves everything in closed form; a nonlinear one in general leaves an integral,
#    and a grid does it only while $z$ has few dimensions.
# 2. The average over draws from the prior misses the spot that explains $x$; a proposal near the
#    posterior, with weights $p(x, z)/q(z)$, does not.
# 3. KL(p‖q) is the expected extra code length when p's symbols are sent with q's code. Where p has bumps far
#    apart, the best Gaussian q of the reverse KL(q‖p) picks one, that of the forward KL(p‖q) covers all.
# 4. log p(x) = ELBO + KL(q‖p(z|x)), hence ≥; by Jensen, by importance sampling with one draw (the
#    optional fourth road: by entropies, on average). Tight exactly where $q$ is the posterior.
# 5. With $q$ on one of two bumps, moving the prior towards it raised the ELBO and lowered log p(x).
#
# Your predictions: the best $q$ is on *one* of the two explanations, the likelier one, and yes, a better bound
# can go with a worse model.
#
# **The limit of this chapter.** We found $q$ by dragging, or with an optimizer for two numbers and one reading, on a
# grid. An encoder has more than a hundred thousand parameters, and its ELBO is an expectation over *draws* of $z$ from the very
# distribution that those parameters shape. How does a gradient get through a draw? That is [chapter](reparameterization).
#
# ## Sources, and where this chapter differs (for reference, not part of the hour)
#
# Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, arXiv:1312.6114 (section 2.2). Blei,
# Kucukelbir & McAuliffe 2017, *Variational Inference: A Review for Statisticians*, arXiv:1601.00670
# (Jensen, and the direction of the KL). Burda, Grosse & Salakhutdinov 2016, *Importance Weighted
# Autoencoders*, arXiv:1509.00519 (the bounds for $k$ draws). D. McAllester, lecture *Variational
# Auto-Encoders*, 2022 (the encoder-first road). D. A. Huffman 1952, *A Method for the Construction of
# Minimum-Redundancy Codes*. T. Bayes 1763, *An Essay towards solving a Problem in the Doctrine of
# Chances* (the message).
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | P(x) = 𝓛 + KL | log p(x) = ELBO + KL(q ‖ p(z\|x)) | *First road* |
# | log p(x) = ∫ p(x\|z) p(z) dz | the logarithm *of* the integral | *A cause that nobody sees* |
# | the more 𝓛 grows, the more P(x) grows | the gap may shrink instead | *A step that makes the model worse* |
# | KL is always positive, > 0 | ≥ 0, and zero exactly at equality | *What a KL is, and is not* |
# | KL(Q ‖ P) is the forward KL | it is the reverse (exclusive) one | *Two directions* |
# | KL counts bits lost; or is the negative log-likelihood of samples | expected extra code length; the other is cross-entropy | *Extra code length* |
# | KL is a distance between densities | it is not symmetric and breaks the triangle inequality | *What a KL is, and is not* |
# | Σ over all real z; Q(Z), Q(Z\|X) and q(z\|x) side by side | an integral; one $q_\phi(z\mid x)$ | *A sum, where z is discrete*; *Two sets of parameters* |
# | intractable because the data have many dimensions | because there is no closed form (decoder nonlinear in z, or noise not Gaussian), and z has too many dimensions for a grid | *What makes it hard* |
# | ELBO: evidence lower bound *optimization* | evidence lower bound | *log p(x) ≥ ELBO, by four roads* |
# | H_dec(y\|z) = E[−P_dec(y\|z)] | E[−ln P_dec(y\|z)] | *Fourth road* |
# | in the bound, z ~ p(z) | z ~ q(z\|x) | *A bound with z from the prior* |
