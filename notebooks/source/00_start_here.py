# %% [markdown]
# # 00 · Start here
#
# A course on variational autoencoders that you run rather than read. Formulas are computed beside their text, small
# networks are trained in front of you (some, and all on this first page, come ready-made), and there is something to
# drag on every page.
#
# Work through the cells with **Shift+Enter**, or run the whole page with *Run ▸ Run All Cells*.
#
# **You will be able to**
# 1. say four things a generative model of images can do (sample, change, classify, score), and show each;
# 2. write down what p(C|x) leaves out of p(x, C), on an example where both are exact;
# 3. use Bayes' rule to classify with a generative model;
# 4. find your way: the course's map, its notation, its exercises.
#
# **Predict first.** A classifier was trained on digits. We show it negatives of digits, then pictures of noise. Will
# it hesitate, or name a digit with confidence? And what would a model that knows p(x) make of them, and of
# blank paper? Write down your guess; section *Score* answers.
#
# ## Is this computer ready?

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import math
import os
import platform

import torch
import torchvision
from sklearn.linear_model import LogisticRegression
from torch.distributions import MultivariateNormal, kl_divergence

import vae_teach
from vae_teach import data, pictures, pretrained
from vae_teach.chapters.start_here.exercises import (
    check_bits,
    check_evidence,
    check_mean,
    check_posterior,
)
from vae_teach.chapters.start_here.panels import log_joint, two_classes_panel
from vae_teach.explorers import LatentSliders
from vae_teach.objectives import elbo
from vae_teach.page import Panel
from vae_teach.page.widgets import FloatSlider

# %%
print(f"vae_teach {vae_teach.__version__}, Python {platform.python_version()}")
print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}")
print(f"{os.cpu_count()} processors, {torch.get_num_threads()} used by PyTorch")
accelerator = "cuda" if torch.cuda.is_available() else None
accelerator = accelerator or ("mps" if torch.backends.mps.is_available() else "none, none needed")
print(f"accelerator: {accelerator}")

# %% [markdown]
# If that cell printed versions and no error, everything the course needs is installed; where something does not
# work, `TROUBLESHOOTING.md` in the course's folder has the remedy. Without a
# graphics card the chapters still train live. `make lab` leaves one processor to the browser, which draws while a
# network trains: with all of them training would wait for the page, and both be slower.
#
# ## Which pictures?
#
# The chapters open on **MNIST**, 70,000 handwritten digits, downloaded once (12 MB). Without a
# network they open on **strokes**, 24,000 digits of 28×28 pixels that this course draws from splines on
# your machine. The next cell says which of the two you have.

# %%
digits = data.course_set()
digits

# %%
first = torch.cat([digits.test_images[digits.test_labels == d][:12] for d in range(10)])
pictures.image_grid(
    first,
    columns=12,
    alt="A table of digits, a row for each of 0 to 9, twelve examples in each row.",
    caption=f"{digits.name}: the first twelve test images of each class.",
)

# %% [markdown]
# Two environment variables change the choice (set them before starting Jupyter):
#
# | variable | effect |
# |---|---|
# | `VAE_TEACH_DATA` | a folder to keep downloads in, or one that holds `MNIST/raw` already |
# | `VAE_TEACH_DATASET` | open every chapter on this set: `mnist`, `strokes` or `fashion` (Fashion-MNIST, clothes) |
#
# ## Exercises name your mistake
#
# An exercise is a function whose body is `return ...`. Replace the dots and run the cell: the check
# below it says what is right, or names the mistake. The collapsed cell after it holds a solution (click
# on the blue bar at its left, or *View ▸ Expand Selected Code*).
#
# ### Exercise 1: the mean
#
# Of N numbers. `(N,) -> ()` says that a vector goes in and a single number comes out.


# %% tags=["exercise"]
def sample_mean(x):  # (N,) -> ()
    # solution
    return x.sum() / len(x)


check_mean(sample_mean)

# %% [markdown]
# ## Two kinds of model
#
# Images x come with classes C. A **discriminative** model learns p(C|x): given an image, which class?
# A **generative** model learns p(x, C), or p(x) where there are no classes: which images are there at all,
# and how common is each?
#
# A joint is usually built as $p(x, C) = p(x\mid C)\,p(C)$: the **likelihood** of x under class C times the
# **prior**, the share of class C. From it everything else follows: the **evidence** $p(x) = \sum_C p(x, C)$, and,
# by **Bayes' rule**, the **posterior** $p(C\mid x) = p(x\mid C)\,p(C) / p(x)$. The way back is closed:
# $p(x, C) = p(C\mid x)\,p(x)$, and p(C|x) leaves out the factor p(x).
#
# Take two classes on a line, A = N(0, 1) and B = N(2, 1) (mean, *variance*), so that all is exact.
# **Drag x far to the right** and watch the three numbers. Then change how common class A is.

# %%
two_classes_panel()

# %% [markdown]
# **What you see.** Far to the right, p(B|x) is nearly 1, although hardly any B looks like that. Only p(x) says so.
# The upper picture needs both bells; the lower curve needs only their *ratio*.
#
# For these two classes Bayes' rule gives $p(B\mid x) = \mathrm{sigmoid}(2x - 2)$ if they are equally common:
# the logarithm of the ratio of the bells is $-\tfrac12(x-2)^2 + \tfrac12 x^2 = 2x - 2$. Logistic regression, the
# plainest discriminative model, must find that line from labelled draws alone, without ever seeing a bell:

# %%
generator = torch.Generator().manual_seed(0)
labels = torch.randint(0, 2, (20_000,), generator=generator)  # 0 is A, 1 is B
x = 2.0 * labels + torch.randn(20_000, generator=generator)
line = LogisticRegression(C=1e6).fit(x[:, None].numpy(), labels.numpy())
print(f"log-odds, learnt:  {line.coef_[0, 0]:.2f} x + ({line.intercept_[0]:.2f})")
# log p(x, B) − log p(x, A) at x = 0 and at x = 1 gives intercept and slope
ratio = log_joint(torch.tensor([0.0, 1.0]), share=0.5) @ torch.tensor([-1.0, 1.0])
print(f"log-odds, exact:   {ratio[1] - ratio[0]:.2f} x + ({ratio[0]:.2f})")

# %% [markdown]
# ### Exercise 2: the evidence
#
# K classes. Given $\log p(x\mid C)$ for N images and $\log p(C)$, return $\log p(x)$. Images have likelihoods
# like $e^{-1000}$, which is 0 on a computer; `torch.logsumexp(..., dim=...)` adds numbers that are given by their
# logarithms.


# %% tags=["exercise"]
def evidence(log_likelihood, log_prior):  # (N, K), (K,) -> (N,)
    # solution
    return torch.logsumexp(log_likelihood + log_prior, dim=1)


check_evidence(evidence)

# %% [markdown]
# ### Exercise 3: Bayes' rule
#
# From the same two, the probability of each class given x.


# %% tags=["exercise"]
def posterior(log_likelihood, log_prior):  # (N, K), (K,) -> (N, K)
    # solution
    return torch.softmax(log_likelihood + log_prior, dim=1)


check_posterior(posterior)

# %% [markdown]
# ## What a generative model of images can do
#
# Here are two networks that come with the course: a variational autoencoder (**VAE**), which models
# p(x), and a small convolutional classifier, which models p(C|x). How a VAE works is what the
# course is about; today we only use one. It describes an image x by a *code* z of 20 numbers. Its *encoder*
# answers an image with a Gaussian over codes, q(z|x): a mean and a variance for each number. Its *decoder* draws the
# image of a code.

# %%
vae = pretrained.for_set("vae20", digits)
classifier = pretrained.for_set("classifier", digits)

# %% [markdown]
# ### Sample
#
# Draw a code from the prior p(z), here 20 independent standard normal numbers, and decode it. None
# of these was ever written by anyone. Many can be read, others lie between two digits. A classifier p(C|x)
# alone cannot do this.

# %%
torch.manual_seed(1)
with torch.no_grad():
    samples = vae.decode(vae.prior.sample((36,))).mean

pictures.image_grid(
    samples,
    columns=18,
    alt="Two rows of digits drawn by the model, many of them readable, others in between two digits.",
    caption=f"36 draws from a VAE with 20 latent dimensions, trained on {digits.name}. "
    "Shown is the mean of each pixel.",
)

# %% [markdown]
# ### Change
#
# Encode two images, go from one code to the other, decode on the way. **Drag t** from 0 to 1: on the left, through
# the codes, one image bends into another; on the right, through the pixels, it only fades.

# %%
pair = digits.test_images[[0, 2]]
ends = vae.encode(pair).mean.detach()


def on_the_way(t):
    with torch.no_grad():
        drawn = vae.decode(torch.lerp(*ends, t)[None]).mean[0]
    faded = torch.lerp(*pair, t)
    return torch.cat([drawn, torch.zeros(1, 28, 4), faded], dim=2)


Panel(
    on_the_way,
    {"t": FloatSlider(0.5, min=0, max=1, step=0.01, description="t")},
    alt="Two pictures half-way between two digits: left, decoded from the code half-way; right, the "
    "two digits laid over each other.",
    caption=f"{digits.name}, test images 0 and 2. Left through the codes, right through the pixels, "
    "half-way (t = 0.5).",
)

# %% [markdown]
# Some numbers of the code change the image much, others less. Each slider moves one of them, starting from a test
# image; the most used come first.

# %%
LatentSliders(vae, images=digits.test_images[:500])

# %% [markdown]
# ### Classify
#
# To classify, a generative model asks each class how well *it* explains the image: $p(x, C) = p(x\mid C)\,p(C)$.
# We give each class a Gaussian of its own in the space of codes, p(z|C), with the mean and covariance of
# the codes of its training images (the covariance of their means, plus the encoder's own average variance).
# Nothing else is trained.

# %%
with torch.no_grad():
    q = vae.encode(digits.train_images[:20_000])
codes, labels = q.mean, digits.train_labels[:20_000]
means = torch.stack([codes[labels == c].mean(0) for c in range(10)])
spread = [codes[labels == c].T.cov() + q.variance[labels == c].mean(0).diag() for c in range(10)]
classes = MultivariateNormal(means, torch.stack(spread))  # p(z|C), ten of them
log_share = labels.bincount(minlength=10).div(len(labels)).log()  # log p(C)

# %% [markdown]
# Now $p(x\mid C) = \int p(x\mid z)\,p(z\mid C)\,dz$, an integral over all codes. [Chapter](bayes_elbo) derives a bound for it:
#
# $$\log p(x\mid C) \ge \mathbb E_q[\log p(x\mid z)] - \mathrm{KL}(q(z\mid x)\,\|\,p(z\mid C)).$$
#
# KL(q‖p), the average of log q − log p under q, says how badly p fits draws of q; it is 0 only if they agree. The
# first term is the same for every class, because the decoder sees only z. So score the classes by the
# second. (A shortcut: we compare bounds, not the probabilities themselves.)

# %%
x, y = digits.test_images[:2000], digits.test_labels[:2000]
with torch.no_grad():
    q = vae.encode(x)
    each = MultivariateNormal(q.mean[:, None], q.variance.diag_embed()[:, None])
    score = log_share - kl_divergence(each, classes)  # (2000, 10) nats, up to a constant an image
    discriminative = classifier(x).argmax(1)
print(
    f"generative model right on     {(score.argmax(1) == y).float().mean():.1%} of {len(x)} images"
)
print(f"discriminative model right on {(discriminative == y).float().mean():.1%}")

# %% [markdown]
# The specialist wins, as it should: it spent all its numbers on the border between the classes. But the
# generative model can run its classes backwards: $x \sim p(x\mid C)$, draw a code from p(z|C) and decode. This is
# *conditional sampling*. (Not style transfer, which keeps one image's content and takes another's style.)

# %%
torch.manual_seed(2)
with torch.no_grad():
    drawn = vae.decode(classes.sample((3,)).flatten(0, 1)).mean  # 3 draws of each of 10 classes

pictures.image_rows(
    {f"draw {i + 1}": drawn[10 * i : 10 * i + 10] for i in range(3)},
    alt="Three rows of ten drawn digits each; the columns are the classes 0 to 9, and most of them are readable.",
    caption=f"Conditional samples, VAE on {digits.name}. Columns: C = 0, 1, ..., 9. "
    "Shown is the mean of each pixel.",
    width=7.5,
)

# %% [markdown]
# ### Score
#
# Now the prediction. Digits, and four kinds of strange picture: flipped top to bottom (a 0, 1, 3 or 8
# survives that, a 2 becomes a 5), the negative, the digit's own pixels shuffled, and blank paper (500 times
# the same image).

# %%
torch.manual_seed(3)
x = digits.test_images[:500]
shuffled = x.flatten(1)[:, torch.randperm(784)].reshape(x.shape)
kinds = {"digit": x, "flipped": x.flip(2), "negative": 1 - x, "shuffled": shuffled}
kinds["blank"] = torch.zeros_like(x)

pictures.image_rows(
    {name: images[:10] for name, images in kinds.items()},
    alt="Five rows: ten digits, the same flipped, white on black, as noise, and ten blank squares.",
    caption=f"{digits.name}: the first ten of 500 test images, and what is made of them.",
    width=7,
)

# %% [markdown]
# The classifier says how probable its favourite class is. The VAE says how probable the *image* is, by the
# **ELBO** (evidence lower bound): a lower bound on log p(x), in **nats**, the unit of natural logarithms
# (1 nat = 1/ln 2 = 1.44 bits). It warns of an image whose ELBO is below that of 99 % of the digits.

# %%
torch.manual_seed(4)
print("              classifier at least 90 % sure    ELBO, mean    warned of")
for name, images in kinds.items():
    with torch.no_grad():
        sure = classifier(images).softmax(1).amax(1) >= 0.9
        bound = elbo(vae, images, samples=10).bound
    if name == "digit":
        threshold = bound.quantile(0.01)
    warned = (bound < threshold).float().mean()
    print(f"{name:14}{sure.float().mean():16.0%} {bound.mean():23.0f} nats {warned:9.0%}")

# %% [markdown]
# **What you see.** Of many negatives the classifier is sure, of noise less often; on blank paper it is
# not. Nothing in its training asked it to hesitate far from the digits: p(C|x) was fitted only where digits were.
# The VAE was never shown strange pictures either, yet it warns of every negative and of all noise.
# Flipped digits are still made of strokes: it warns of the smaller part. (Of 1 % of the digits it warns by
# construction.)
#
# But blank paper, where the classifier was wise, scores **best of all** with the VAE. A likelihood is high where an image is easy to predict, not where
# it is typical: every digit's surroundings are blank, so the model predicts blank pixels very well. A
# high likelihood is no seal of being a digit (Nalisnick et al. 2019).
# (On grey pixels these scores are likelihoods only up to a subtlety that [chapter](vae) settles.)
#
# ### Exercise 4: nats, bits, pixels
#
# Where pixels are only black or white, p(x) is a probability, and a file of about −log₂ p(x) bits can hold x; the lower,
# the better the model. Turn log p(x) in nats into *bits a pixel*.


# %% tags=["exercise"]
def bits_per_pixel(log_p, pixels):  # (N,) in nats, () -> (N,)
    # solution
    return -log_p / math.log(2) / pixels


check_bits(bits_per_pixel)

# %%
torch.manual_seed(5)
black_and_white = (digits.test_images[:500] > 0.5).float()
with torch.no_grad():
    bound = elbo(vae, black_and_white, samples=10).bound.mean().item()
print(f"black-and-white digits: log p(x) is at least {bound:.0f} nats on average,")
print(f"that is, at most {-bound / math.log(2) / 784:.2f} bits a pixel")

# %% [markdown]
# ## The course
#
# <!-- chapters -->
#
# The minutes are with exercises; what goes beyond is marked *optional*. Folded cells check,
# print or plot something: their output is what counts. A section that starts with *Run first* names the sections whose
# cells it needs; those above a chapter's first section it always needs. In a hurry?
# 03, 04 and 05 are the core.

# %% [markdown]
# ## Notation
#
# For looking up, not for reading now.
#
# | here | is | elsewhere |
# |---|---|---|
# | $x$ | an image, the observed | $y$ (where it is compressed), $X$ (data), $d$ |
# | $z$ | its latent code, never observed | $h$ (hidden), $z_{\text{enc}}$ |
# | $p(z)$ | prior | $P_{\text{pri}}(z)$ |
# | $p_\theta(x\mid z)$ | decoder, likelihood | $P_{\text{dec}}(y\mid z)$ |
# | $q_\phi(z\mid x)$ | encoder, approximate posterior | $P_{\text{enc}}(z\mid y)$, $Q(Z)$, $Q(Z\mid X)$ |
# | $p_\theta(z\mid x)$ | true posterior | $P(Z\mid X)$ |
# | $p_\theta(x)$ | evidence, marginal likelihood | $P_{\text{pri,dec}}(y)$ |
# | $\mathbb E_q[\log p_\theta(x\mid z)]$ | reconstruction term | −cost, −distortion |
# | $\mathrm{KL}(q_\phi(z\mid x)\,\|\,p(z))$ | KL term, rate | $R$, the regularizer |
# | ELBO | reconstruction − KL | $\mathcal L$; −ELBO = cost + rate is the free energy |
# | $\mathcal N(\mu, \sigma^2)$ | Gaussian, with its *variance* | $\mathcal N(\mu, \sigma)$ |
#
# log is the natural logarithm, so everything is in **nats**. Sums run over pixels and latent dimensions, means over
# images. The same thing has the same colour on every page: prior grey, encoder blue, true posterior
# purple, decoder and reconstruction orange, KL red. (The ten digits have a palette of their own.)

# %% [markdown]
# ## Recap
#
# 1. A generative model can **sample**, **change**, **classify** and **score**. A discriminative one classifies.
# 2. p(x, C) = p(C|x) p(x), and p(C|x) leaves out p(x): it cannot say that an x is strange.
# 3. Bayes' rule turns p(x|C) p(C) into p(C|x). With codes, the integral over z becomes a bound.
# 4. The prediction: of many negatives the classifier is sure, of noise less often, of blank paper it is not. The ELBO
#    warns of negatives and noise, of the smaller part of flipped digits, and not of blank paper.
#
# **The limit of this chapter.** We used a VAE without building one. Its ancestor is simpler: a network that squeezes
# an image into a code and unfolds it again. How far does that get us? [Chapter](autoencoder).
#
# ## Sources, and where this chapter differs
#
# Bishop 2006, *Pattern Recognition and Machine Learning*, section 1.5.4, on the two kinds of model. Nalisnick et
# al. 2019, *Do Deep Generative Models Know What They Don't Know?*, arXiv:1810.09136.
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | x ~ p(x\|C) is style transfer | it is conditional sampling | *Classify* |
# | a VAE evaluates log p(x) | it bounds it; the scores above are ELBOs. Importance sampling comes closer: its log is on average a bound, too, and closes as draws are added ([chapter](bayes_elbo), [chapter](vae)) | *Score* |
