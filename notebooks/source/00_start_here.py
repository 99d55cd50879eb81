# %% [markdown]
# # 00 · Start here
#
# A course on variational autoencoders that you run rather than read. Every formula is computed
# beside its text, every network is trained in front of you, and there is something to drag.
#
# Work through the cells with **Shift+Enter**, or run the whole page with *Run ▸ Run All Cells*.
#
# ## Is this computer ready?

# %%
import os
import platform

import torch
import torchvision

import vae_teach
from vae_teach import data, figures
from vae_teach.exercises.chapter_00 import check_mean

print(f"vae_teach {vae_teach.__version__}, Python {platform.python_version()}")
print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}")
print(f"{os.cpu_count()} processors, {torch.get_num_threads()} used by PyTorch")
accelerator = "cuda" if torch.cuda.is_available() else None
accelerator = accelerator or ("mps" if torch.backends.mps.is_available() else "none, none needed")
print(f"accelerator: {accelerator}")

# %% [markdown]
# If that cell printed versions and no error, everything the course needs is installed. Without a
# graphics card every chapter still trains live.
#
# ## Which pictures?
#
# The chapters open on **MNIST**, 70,000 handwritten digits, downloaded once (12 MB). Without a
# network they open on **strokes**, 24,000 digits of 28×28 pixels that this course draws from splines on
# your machine. The next cell says which of the two you have, and why.

# %%
digits = data.course_set()
digits

# %%
first = torch.cat([digits.test_images[digits.test_labels == d][:12] for d in range(10)])
figures.image_grid(
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
# | `VAE_TEACH_DATASET` | open every chapter on this set: `mnist`, `fashion` or `strokes` |
#
# ## The course
#
# | | chapter | ends on a limit that the next one removes |
# |---|---|---|
# | 00 | **Start here** | |
# | 01 | Autoencoder *(to come)* | it compresses, but cannot generate |
# | 02 | Denoising and contractive autoencoders *(to come)* | noise helps, but gives no density |
# | 03 | Bayes and the ELBO *(to come)* | a density, but an integral nobody can do |
# | 04 | Reparameterization *(to come)* | the bound needs a gradient through a draw |
# | 05 | [**The variational autoencoder**](05_vae.ipynb) | why should its two terms weigh the same? |
# | 06 | β-VAE *(to come)* | what β trades |
# | 07 | EM and the VAE *(to come)* | the same objective, climbed in another way |
#
# Chapters marked *to come* are not written yet. Chapter 05 can be
# read without them by someone who knows what a KL divergence is.
#
# ## Notation
#
# | here | is | elsewhere |
# |---|---|---|
# | $x$ | an image | $y$, $X$ |
# | $z$ | its latent code | $h$, $z_{\text{enc}}$ |
# | $p(z)$ | prior | $P_{\text{pri}}$ |
# | $p_\theta(x\mid z)$ | decoder, likelihood | $P_{\text{dec}}$ |
# | $q_\phi(z\mid x)$ | encoder, approximate posterior | $P_{\text{enc}}$, $Q$ |
# | $p_\theta(z\mid x)$ | true posterior | $P(z\mid X)$ |
# | $\mathbb E_q[\log p_\theta(x\mid z)]$ | reconstruction term | $-C$ |
# | $\mathrm{KL}(q_\phi(z\mid x)\,\|\,p(z))$ | KL term, rate | $R$; $C + R = -\mathrm{ELBO}$ is the free energy |
#
# log is the natural logarithm, so everything is in **nats**. Sums run over pixels and latent dimensions, means over
# images. The same thing has the same colour on every page: prior grey, encoder blue, true posterior
# purple, decoder and reconstruction orange, KL red. (The ten digits have a palette of their own.)
#
# ## Exercises
#
# An exercise is a function whose body is `return ...`. Replace the dots and run the cell: the check
# below it says what is right, or names the mistake. The collapsed cell after it holds a solution (click
# on the blue bar at its left, or *View ▸ Expand Selected Code*). Try one:


# %% tags=["exercise"]
def sample_mean(x):  # (N,) -> ()
    return ...


check_mean(sample_mean)


# %% tags=["solution"]
def sample_mean(x):
    return x.sum() / len(x)


check_mean(sample_mean)

# %% [markdown]
# Ready? Open [chapter 05](05_vae.ipynb).
