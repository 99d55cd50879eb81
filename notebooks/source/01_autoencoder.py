# %% [markdown]
# # 01 · Autoencoder
#
# Squeeze an image through a few numbers, and rebuild it from them. What those numbers can do, and what
# they cannot, is the reason for everything that follows in this course.
#
# **You will be able to**
# 1. write an autoencoder and its training step, and count what passes its bottleneck;
# 2. show by number that a linear autoencoder finds PCA's subspace, and say what it does not find;
# 3. choose a reconstruction loss (L1, L2, SSIM, perceptual) and say what each of them lets go;
# 4. answer with evidence: can a model generate? change? score?
#
# Press Run All now and read while it works (about a minute). Allow about <!-- minutes --> minutes, and about 15 more for
# the parts marked *optional*; nothing else needs those.
#
# **Predict first.** An autoencoder passes each digit through twenty numbers and rebuilds it
# readably. Now take the codes of two *different* digits and decode the point half-way between. Or forget
# the images: draw a random code with the same mean and covariance as the codes of digits, and decode
# that. Of 100 images of each kind, how many does a good classifier recognize as some digit (probability
# above 0.9)? Write down two numbers.

# %% tags=["aside"]
import importlib.util

if importlib.util.find_spec("vae_teach") is None:  # such as on Colab
    repository = input("Web address of the course's repository: ")
    # %pip install -q "vae-teach @ git+{repository}"

# %%
import copy
import math
from pathlib import Path

import torch
from scipy.linalg import orthogonal_procrustes, subspace_angles
from skimage.metrics import structural_similarity
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional as F
from torchvision.models import MobileNet_V3_Small_Weights, mobilenet_v3_small

from vae_teach import data, pictures, pretrained
from vae_teach.chapters.autoencoder.exercises import (
    check_error,
    check_path,
    check_pca,
    check_ssim,
    check_sure,
)
from vae_teach.chapters.autoencoder.figures import captioned, sureness
from vae_teach.chapters.autoencoder.panels import between_codes_panel, bottleneck_panel
from vae_teach.explorers import LatentPlane
from vae_teach.models import Autoencoder
from vae_teach.models.autoencoder import squared_error
from vae_teach.models.classifier import fraction_sure
from vae_teach.training import fit

# %% [markdown]
# The open cells below are the chapter: read their code. A folded cell only checks, prints or draws
# something: read its output.

# %%
digits = data.course_set()
test = digits.test_images[:1000]
classifier = pretrained.for_set("classifier", digits).requires_grad_(False)
digits

# %% [markdown]
# ## Encoder, bottleneck, decoder
#
# An autoencoder is two functions. The **encoder** turns an image x into a **code** z of d numbers, the
# **decoder** turns the code into an image x̂ of the old size:
#
# $$z = \mathrm{Enc}(x), \qquad \hat x = \mathrm{Dec}(z).$$
#
# Nothing here is random. Where the code is narrower than the image, it is a **bottleneck**: here 784
# pixels must pass through 8 numbers. The sigmoid keeps x̂ between 0 and 1, like ink.

# %%
torch.manual_seed(0)
encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 8))
decoder = nn.Sequential(
    nn.Linear(8, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))
)

# %% [markdown]
# Both are trained together to make x̂ resemble x: here, by the squared error, summed over pixels and
# averaged over images. No label is used. One step:


# %%
def training_step(model, x, optimizer):
    loss = (model(x) - x).square().sum((1, 2, 3)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %%
torch.manual_seed(1)
model = copy.deepcopy(nn.Sequential(encoder, decoder))  # each run of this cell starts anew
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
batches = torch.randperm(len(digits.train_images))[:15_000].split(50)
losses = [training_step(model, digits.train_images[rows], optimizer) for rows in batches]
print(
    f"squared error: first batch {losses[0]:.0f}, mean of the last ten {sum(losses[-10:]) / 10:.1f}"
)

# %% tags=["aside"]
x = test[:12]
with torch.no_grad():
    rebuilt = model(x)
pictures.image_rows(
    {"test image": x, "rebuilt from 8": rebuilt},
    alt="Two rows of twelve digits: test images, and below them their blurred but mostly readable "
    "reconstructions.",
    caption=f"{digits.name}: a code of 8 numbers, after 300 batches of 50 images.",
)

# %% [markdown]
# The package's `Autoencoder` is this network, and `fit` this loop. `fit` *maximizes*, so the package's
# `squared_error(net, x)` is *minus* each image's error. The History line calls it “bound”, which in
# later chapters it will be.
#
# ### Exercise 1: the error of each image
#
# From memory: the squared error of each image of a batch, one number an image.


# %% tags=["exercise"]
def image_error(x_hat, x):  # (B, C, H, W) both -> (B,)
    # solution
    return (x_hat - x).square().flatten(1).sum(1)


check_error(image_error)

# %% [markdown]
# ## The linear one is PCA, nearly
#
# Leave out the hidden layers and the sigmoid: encoder and decoder are one matrix each. What such
# a pair returns lies in some d-dimensional **subspace**. Principal component analysis (PCA) finds the
# subspace of least squared error in closed form: the d directions of largest variance. Does gradient
# descent find it too?
#
# We subtract the mean image first, as PCA does, and take d = 6.

# %%
images = digits.train_images[:10_000].flatten(1)  # (N, 784)
mean = images.mean(0)
centred = images - mean
pca = PCA(32).fit(images.numpy())
directions = torch.tensor(pca.components_)  # (32, 784), orthonormal rows

# %%
torch.manual_seed(0)
linear = nn.Sequential(nn.Linear(784, 6, bias=False), nn.Linear(6, 784, bias=False))
settings = dict(epochs=20, batch_size=500, lr=1e-2, one_cycle=True, progress=False)
fit(linear, centred, squared_error, **settings)

# %% tags=["aside"]
with torch.no_grad():
    ours = -squared_error(linear, centred).mean()
scores = torch.tensor(pca.transform(images.numpy()))[:, :6]
theirs = (centred - scores @ directions[:6]).square().sum(1).mean()
print(f"squared error an image: linear autoencoder {ours:.4f}, scikit-learn's PCA {theirs:.4f}")
print(f"ratio {ours / theirs:.5f}")

# %% [markdown]
# The same error; the same subspace? **Principal angles** measure how far two subspaces lie apart: the
# smallest angle between a direction of one and a direction of the other, then the next at right angles
# to those, and so on (printed largest first). All zero: the same subspace.

# %%
W = linear[1].weight.detach()  # (784, 6): its columns span what the decoder can draw
angles = torch.tensor(subspace_angles(W.double().numpy(), directions[:6].T.double().numpy()))
print("principal angles, degrees:", " ".join(f"{a:.2f}" for a in angles.rad2deg().tolist()))
cosines = W.T / W.T.norm(dim=1, keepdim=True) @ directions[:6].T
print("largest |cosine| of each column with a PCA direction:")
print(" ".join(f"{c:.2f}" for c in cosines.abs().amax(1).tolist()))

# %% [markdown]
# The subspaces agree within a degree or so; the directions do not. Nothing in the loss asks for them:
# put any invertible matrix A behind the encoder E and its inverse before the decoder D. Then
# (D A⁻¹)(A E) = D E, and every x̂ is what it was.

# %% tags=["aside"]
torch.manual_seed(0)
A = torch.randn(6, 6, dtype=torch.double)
E, D = linear[0].weight.detach().double(), W.double()
changed = (D @ A.inverse()) @ (A @ E) - D @ E
print(f"largest change of the map x → x̂: {changed.abs().max():.0e}")

# %% [markdown]
# So the optimum is "PCA's subspace, in any basis" (Baldi & Hornik 1989). Take a basis at right angles (a
# QR decomposition of the columns): now only a *rotation* (perhaps with a reflection) is left free, and
# `orthogonal_procrustes` finds the one that turns our basis onto PCA's.

# %%
basis = torch.linalg.qr(W).Q  # (784, 6), orthonormal columns of the same span
rotation, _ = orthogonal_procrustes(basis.numpy(), directions[:6].T.numpy())
turned = basis @ torch.tensor(rotation)
match = (turned * directions[:6].T).sum(0)
print("cosine of each turned column with its PCA direction:", [round(c, 4) for c in match.tolist()])

# %% tags=["aside"]
pictures.components(
    {
        "decoder's columns": W.T.reshape(6, 28, 28),
        "rotated": turned.T.reshape(6, 28, 28),
        "PCA": directions[:6].reshape(6, 28, 28),
    },
    alt="Three rows of six signed patterns. The decoder's own columns look like mixtures; the rotated "
    "ones are the same as PCA's components in the row below.",
    caption=f"{digits.name}: orange adds ink, purple takes it away, relative to the mean image. "
    "10,000 training images, d = 6.",
)

# %% [markdown]
# **What you see.** The decoder's own columns are mixtures. PCA orders its directions by variance and
# makes them orthogonal by definition; the autoencoder has no reason to. Remember this when somebody
# reads a meaning into "the third dimension of the code": an autoencoder's axes are arbitrary, the deep
# one's too (its encoder ends and its decoder begins with a linear layer).
#
# ### Exercise 2: PCA as an autoencoder
#
# Return the reconstruction: subtract the mean, encode, decode, add the mean. (`components` holds one
# direction of length 1 a row, so of the two products with it the first needs the transpose.)


# %% tags=["exercise"]
def pca_rebuild(x, mean, components):  # (B, D), (D,), (d, D) -> (B, D)
    # solution
    return mean + (x - mean) @ components.T @ components


check_pca(pca_rebuild)

# %% [markdown]
# ## Networks for images
#
# A hidden layer with a nonlinearity bends the flat subspace into a curved surface. A **convolutional**
# encoder looks at small neighbourhoods with the same weights everywhere, and halves the resolution by
# **pooling** (the largest of each 2×2 pixels). Its decoder doubles it again by **upsampling** (each
# pixel repeated 2×2 times), with a convolution after each step to draw the detail.

# %%
torch.manual_seed(1)
pooling_encoder = nn.Sequential(
    *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),  # 28×28 -> 14×14
    *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),  # 14×14 -> 7×7
    *(nn.Flatten(), nn.Linear(16 * 7 * 7, 8)),
)
upsampling_decoder = nn.Sequential(
    *(nn.Linear(8, 16 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (16, 7, 7))),
    *(nn.Upsample(scale_factor=2), nn.Conv2d(16, 8, 3, padding=1), nn.ReLU()),
    *(nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, padding=1), nn.Sigmoid()),
)

# %% [markdown]
# Where does it compress? Count the numbers after each layer:

# %% tags=["aside"]
x1 = digits.test_images[:1]
for layer in [*pooling_encoder, *upsampling_decoder]:
    x1 = layer(x1)
    if not isinstance(layer, nn.ReLU):
        print(f"{type(layer).__name__:10} {tuple(x1.shape[1:])!s:12} {x1.numel():5d} numbers")
both = [*pooling_encoder.parameters(), *upsampling_decoder.parameters()]
print(f"{sum(p.numel() for p in both):,} parameters")

# %% [markdown]
# Each pooling quarters the numbers, but the convolution before it multiplied them (by 8, then by 2).
# After both stages there are as many numbers as pixels. Only the last layer of the encoder compresses,
# 784 to 8. Pooling's merit is another: each number sees a larger piece of the image.
#
# Both kinds of network with the same 8-number code and the same 600 steps: `Autoencoder` takes our pair as
# it is, and makes a multilayer perceptron (MLP) where none is given.

# %%
settings = dict(epochs=1, batch_size=25, lr=3e-3, one_cycle=True, progress=False)
torch.manual_seed(0)
nets = {"mlp": Autoencoder(8)}
pair = copy.deepcopy((pooling_encoder, upsampling_decoder))  # each run of this cell starts anew
nets["pooled"] = Autoencoder(8, encoder=pair[0], decoder=pair[1])
for net in nets.values():
    fit(net, digits.train_images[:15_000], squared_error, **settings)

# %% tags=["aside"]
rebuilt = {}
for name, net in nets.items():
    with torch.no_grad():
        rebuilt[name] = net(test)
    count = sum(p.numel() for p in net.parameters())
    error = (rebuilt[name] - test).square().sum() / 1000
    print(f"{name:8} {count:8,} parameters, error {error:5.1f}")

# %% tags=["aside"]
pictures.image_rows(
    {"test image": test[:12]} | {name: images[:12] for name, images in rebuilt.items()},
    alt="Three rows of twelve digits: test images, then reconstructions by a fully connected and a "
    "pooling network, blurred but mostly readable.",
    caption=f"{digits.name}: 8 numbers in each code; the networks had 600 steps of 25 images.",
)

# %% [markdown]
# **What you see.** Both make a smaller error than PCA with 8 numbers, as the slider below will show. The
# convolutional form has a fortieth of the parameters of the MLP, but not a fortieth of its work: the
# few weights of its convolutions are used again at every place
# (most of its parameters sit in its two linear layers). On centred 28×28 digits the MLP wins at this budget; convolutions
# come into their own on larger images, where things may lie anywhere.

# %% [markdown]
# ## What does “alike” mean?
#
# The squared error is one choice. Four measures of the difference between x̂ and x, one number an image
# each:
#
# - **L1**, $\sum_i |\hat x_i - x_i|$, and **L2**, $\sum_i (\hat x_i - x_i)^2$: pixel by pixel;
# - **SSIM** (structural similarity) compares means, variances and covariance of small windows, and is 1
#   for equal images; the loss is 1 − SSIM;
# - **perceptual**: compares what a trained classifier *computes* from both images, its features.
#
# The function `ssim` is folded; an optional part takes it apart.


# %%
def l1(x_hat, x):
    return (x_hat - x).abs().flatten(1).sum(1)


def l2(x_hat, x):
    return (x_hat - x).square().flatten(1).sum(1)


# %% tags=["aside"]
def ssim(a, b):  # (B, 1, H, W) both -> (B,)
    def pooled(v):  # means over all windows of 7×7 pixels
        return F.avg_pool2d(v, 7, stride=1)

    ma, mb = pooled(a), pooled(b)
    va, vb, c = pooled(a * a) - ma**2, pooled(b * b) - mb**2, pooled(a * b) - ma * mb
    top = (2 * ma * mb + 0.01**2) * (2 * c + 0.03**2)
    return (top / ((ma**2 + mb**2 + 0.01**2) * (va + vb + 0.03**2))).flatten(1).mean(1)


# %% [markdown]
# For the perceptual loss we need a network that has learned to *see*. Ours is `classifier`, a small one of
# digits, shipped with the course and loaded at the top; its weights stay as they are, only the autoencoder learns.
# `features` returns the activations of its two stages.


# %%
def perceptual(x_hat, x):
    pairs = zip(classifier.features(x_hat), classifier.features(x), strict=True)
    return sum((f - g).square().flatten(1).mean(1) for f, g in pairs)


# %% tags=["aside"]
with torch.no_grad():
    right = (classifier(test).argmax(1) == digits.test_labels[:1000]).float().mean()
print(f"the classifier is right on {right:.1%} of 1,000 test images")

# %% [markdown]
# Same network, same start (the MLP above, trained on L2), same 100 further steps; only the loss differs.

# %%
measures = {
    "L1": l1,
    "L2": l2,
    "1 − SSIM": lambda x_hat, x: 1 - ssim(x_hat, x),
    "perceptual": perceptual,
}

# %%
settings = dict(epochs=2, batch_size=100, lr=3e-3, one_cycle=True, progress=False)
trained = {}
for name, loss in measures.items():
    trained[name] = copy.deepcopy(nets["mlp"])
    fit(
        trained[name],
        digits.train_images[:5000],
        lambda net, x, loss=loss: -loss(net(x), x),  # minus: `fit` maximizes
        **settings,
    )

# %% tags=["aside"]
few = test[:500]
print("trained on    measured by" + "".join(f"{name:>12}" for name in measures))
for name, net in trained.items():
    with torch.no_grad():
        row = [measure(net(few), few).mean().item() for measure in measures.values()]
    print(f"{name:25}" + "".join(f"{value:12.3f}" for value in row))

# %% [markdown]
# Read it by columns: on each measure, the network trained on that measure is the best. No loss is the
# best one; each buys its own kind of likeness.

# %% tags=["aside"]
hard = l2(rebuilt["mlp"], test).argsort(descending=True)[10:130:10]
with torch.no_grad():
    rows = {"test image": test[hard]} | {f"by {n}": net(test[hard]) for n, net in trained.items()}
pictures.image_rows(
    rows,
    alt="Five rows: test images that are hard to rebuild, and their reconstructions by networks "
    "trained on L1, L2, SSIM and perceptual loss. L2's are the blurriest; L1's and SSIM's are crisper; "
    "the perceptual ones have specks of ink around the strokes.",
    caption=f"{digits.name}: chosen among the 130 of 1,000 test images with the largest squared error; 8 numbers.",
)

# %% [markdown]
# **What you see.** Where eight numbers leave a doubt, each loss settles it in its own way. Under L2 the
# best guess for a pixel is the *mean* of what it could be: grey. Under L1 it is the *median*: mostly all
# ink or none, so edges are crisper and thin strokes may vanish. SSIM keeps the pattern
# inside each small window and lets go of exact grey values. The perceptual loss keeps what its network
# looks at, and leaves specks of ink that it overlooks.
#
# Two of the four are log-densities in disguise, up to a constant: L2/(2σ²) is −log of a **Gaussian** around
# x̂, L1/b is −log of a **Laplace** density, $\frac{1}{2b}e^{-|x-\hat x|/b}$ per pixel. The other two come
# from no density that anyone can write down. Harmless here; in a VAE it decides what may be called an
# ELBO, the bound a VAE is trained on ([chapter](bayes_elbo)).

# %% [markdown]
# ### SSIM, line by line (optional, 7 minutes)
#
# For one window, with means $m$, variances $v$ and covariance $c$,
#
# $$\mathrm{SSIM}(a, b) = \frac{(2 m_a m_b + 0.01^2)\,(2 c_{ab} + 0.03^2)}{(m_a^2 + m_b^2 + 0.01^2)\,(v_a + v_b + 0.03^2)},$$
#
# 1 for equal windows, and averaged over all 7×7 windows of the image. Open the folded cell of `ssim`:
# average pooling gives all their means at once. (The paper weighs 11×11 pixels by a Gaussian; the idea is
# the same.)

# %% tags=["aside"]
x, x_hat = test[:12], rebuilt["mlp"][:12]
how = {"win_size": 7, "data_range": 1.0, "use_sample_covariance": False}
for i in range(3):
    theirs = structural_similarity(x_hat[i, 0].numpy(), x[i, 0].numpy(), **how)
    print(f"image {i}: ours {ssim(x_hat, x)[i]:.5f}, scikit-image's {theirs:.5f}")

# %% [markdown]
# ### Exercise 3: one window (optional, with this part)
#
# SSIM of single windows whose pixels are given as rows. (Variances and covariance are means over the N
# pixels, not sums over N − 1.)


# %% tags=["exercise"]
def window_ssim(a, b):  # (B, N) both -> (B,)
    # solution
    ma, mb = a.mean(1), b.mean(1)
    va, vb = a.var(1, correction=0), b.var(1, correction=0)
    c = (a * b).mean(1) - ma * mb
    top = (2 * ma * mb + 0.01**2) * (2 * c + 0.03**2)
    return top / ((ma**2 + mb**2 + 0.01**2) * (va + vb + 0.03**2))


check_ssim(window_ssim)

# %% [markdown]
# ### Mean, median and densities as numbers; photographs (optional, 4 minutes)
#
# A pixel that is ink in two of five equally likely images: which guess makes the least error?

# %% tags=["aside"]
could_be = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0])  # one pixel in five equally likely images
guess = torch.linspace(0, 1, 101)[:, None]
best_l1 = guess[(guess - could_be).abs().sum(1).argmin()].item()
best_l2 = guess[(guess - could_be).square().sum(1).argmin()].item()
print(f"least L1 error at {best_l1:.2f}, the median: {could_be.median():.2f}")
print(f"least L2 error at {best_l2:.2f}, the mean:   {could_be.mean():.2f}")

# %% [markdown]
# The two densities, constants included (here σ = b = ½):

# %% tags=["aside"]
sigma = b = 0.5
guess, truth = rebuilt["mlp"][:1], test[:1]
gauss = -torch.distributions.Normal(guess, sigma).log_prob(truth).sum()
laplace = -torch.distributions.Laplace(guess, b).log_prob(truth).sum()
from_l2 = l2(guess, truth) / (2 * sigma**2) + 784 * math.log(sigma * math.sqrt(2 * math.pi))
from_l1 = l1(guess, truth) / b + 784 * math.log(2 * b)
print(f"Gaussian: −log density {gauss:.3f}; L2 / 2σ² + 784 log(σ√(2π)) = {from_l2.item():.3f}")
print(f"Laplace:  −log density {laplace:.3f}; L1 / b + 784 log(2b) = {from_l1.item():.3f}")

# %% [markdown]
# 1 − SSIM and the perceptual loss would need exp(−loss) divided by its integral over all images, which
# depends on x̂ and which nobody knows.
#
# **Photographs** call for a network that has seen photographs, usually VGG-16 (528 MB; Johnson et al. 2016). The
# next two cells use a small one, MobileNet (10 MB), where its weights already are on this machine, and never download
# anything.

# %% tags=["aside"]
wanted = MobileNet_V3_Small_Weights.DEFAULT
stored = Path(torch.hub.get_dir(), "checkpoints", Path(wanted.url).name)


def photo_features(images, network):
    pictures = F.interpolate(1 - images, size=112).expand(-1, 3, -1, -1)  # ink on white, as RGB
    shift, scale = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    return network((pictures - shift) / scale).flatten(1)


# %% tags=["aside"]
if stored.exists():
    with torch.no_grad():
        seeing = mobilenet_v3_small(weights=wanted).features[:4].eval()
        target = photo_features(test[:200], seeing)
        for name, net in trained.items():
            difference = photo_features(net(test[:200]), seeing) - target
            share = difference.square().mean() / target.square().mean()
            print(f"trained on {name:10}: {share:.3f} of the features' mean square differs")
else:
    print(f"{stored.name} is not on this machine, nothing was downloaded. To fetch it once:")
    print('mobilenet_v3_small(weights="DEFAULT"); then run this cell again.')

# %% [markdown]
# ## How many numbers?
#
# One shipped network has a bottleneck for every width from 1 to 32. Drag the slider: at which width do
# you begin to read the digits? Where does PCA get there?

# %% tags=["aside"]
family = pretrained.for_set("family", digits)
bottleneck_panel(
    family,
    mean,
    directions,
    test,
    caption=f"{digits.name}: test images; errors are means over 1,000 of them. PCA from 10,000 training images.",
)

# %% [markdown]
# **What you see.** A curved surface follows the digits with fewer numbers than a flat one. How many does
# PCA need for the error that the autoencoder reaches with 8? Read it off the picture: follow that error
# to the right until you meet PCA's curve. (On MNIST: at 18 to 20.)
#
# ### The same, counted (optional, 1 minute)
#
# PCA's error needs no encoding: it is the sum of the variances of the directions left out, here over its
# own 10,000 training images.

# %% tags=["aside"]
variance = torch.linalg.eigvalsh(centred.T.cov().double())  # of every direction, rising
left_out = variance.cumsum(0).flip(0)  # [k]: PCA's error with k components
for k in (2, 4, 8, 16, 32):
    with torch.no_grad():
        error = (family(test, k) - test).square().sum((1, 2, 3)).mean().item()
    print(
        f"{k:2d} numbers: error {error:5.1f}, PCA's {left_out[k]:5.1f}; "
        f"PCA needs {(left_out > error).sum()} for that"
    )

# %% [markdown]
# ## Two numbers: a map to drag
#
# With a code of two numbers we see all codes at once. Two hidden layers make up for a little of what is
# lost.

# %%
torch.manual_seed(0)
plane = Autoencoder(2, hidden=(200, 200))
settings = dict(batch_size=250, lr=3e-3, one_cycle=True, progress=False)
epochs = 150_000 // len(digits.train_images)
fit(plane, digits.train_images, squared_error, epochs, **settings)

# %% [markdown]
# Each mark is a test image at its code. Drag across the map, or click it and use the arrow keys. Look
# for: a region of one digit; the crowded middle; the empty plane far from any code. (At most one code in a
# hundred lies outside the map.)

# %%
LatentPlane(plane, digits.test_images[:600], digits.test_labels[:600])

# %% [markdown]
# Some digits have a region of their own; the rest crowd in the middle, on top of each other, and most of
# the plane holds no code. The decoder has never been asked what to draw there. It draws something,
# smoothly: here a digit stretched further, there broken strokes. The same map, with a judge: how sure is
# the classifier of what is decoded there?

# %% tags=["aside"]
with torch.no_grad():
    codes = plane.encode(digits.test_images[:300])
sureness(
    plane,
    classifier,
    codes,
    digits.test_labels[:300],
    alt="Left: codes of digits on a plane whose shade tells the classifier's doubt: orange in seams, many "
    "of them where codes crowd, pale elsewhere, also in large parts that hold no codes. Right: "
    "images decoded on a grid, mixtures of digits in the seams.",
    caption=f"{digits.name}, 300 test images, framed by their outermost codes. Dashed: doubt 0.1, "
    "that is, a probability of 0.9.",
)

# %% [markdown]
# In the orange seams, many of them where codes crowd, the classifier hesitates. But most of the pale area holds no
# codes at all, and it is sure there too, even of broken strokes (look for some outside the dashed lines): it
# knows ten answers, and “none of these” is not among them. So its vote is evidence in one direction only:
# **what it doubts is not a clear digit; what it is sure of may still be none.**
#
# ### Exercise 4: how often is it sure?
#
# Given the classifier's logits for some images, the share of images whose likeliest class has a
# probability above 0.9. (`amax` gives the values alone, `max` along a dimension also their places.)


# %% tags=["exercise"]
def share_sure(logits):  # (B, K) -> ()
    # solution
    return (logits.softmax(1).amax(1) > 0.9).float().mean()


check_sure(share_sure)

# %% [markdown]
# ## How often is it a digit?
#
# Now the prediction. `family` is the slider's shipped network, here with 20 numbers; `plane` is the one on the
# map; `test` holds the first 1,000 test images. Five kinds of code: of test images; half-way between two
# test images of the same digit; half-way between two of different digits; drawn from a Gaussian with the
# codes' mean and covariance; drawn uniformly from the box that holds all codes.


# %%
def kinds_of_code(codes, labels):
    other = codes.roll(1, 0)
    different = labels != labels.roll(1)
    low, high = codes.amin(0), codes.amax(0)
    gaussian = torch.distributions.MultivariateNormal(codes.mean(0), codes.T.cov())
    return {
        "of test images": codes,
        "half-way, same digit": (0.5 * (codes + other))[~different],
        "half-way, two digits": (0.5 * (codes + other))[different],
        "Gaussian": gaussian.sample((1000,)),
        "uniform in the box": low + (high - low) * torch.rand(1000, codes.shape[1]),
    }


# %%
torch.manual_seed(0)
names = digits.test_labels[:1000]
with torch.no_grad():
    kinds20 = kinds_of_code(family.encode(test, 20), names)
    kinds2 = kinds_of_code(plane.encode(test), names)

# %% tags=["aside"]
print(
    f"classifier sure of      20 numbers   2 numbers   (test images themselves {fraction_sure(classifier, test):.2f})"
)
for kind in kinds20:
    shares = [
        fraction_sure(classifier, decode(kinds[kind]).detach())
        for decode, kinds in ((family.decode, kinds20), (plane.decode, kinds2))
    ]
    print(f"{kind:22}  {shares[0]:10.2f} {shares[1]:11.2f}")

# %% [markdown]
# Read the first column, beside the share for the test images themselves. The classifier is sure of most
# rebuilt test images, and of half-way between two of the same digit; of what the other codes become, less
# often. (In the second column, where two numbers leave the rebuilt images blurred, it is sure of fewer of them than in
# the first, and of more in the box, mostly the pale, empty area of the map.) In the
# picture, look in the two lower rows for scribbles of which it is sure.

# %% tags=["aside"]
shown = {kind: codes[:10] for kind, codes in kinds20.items()}
with torch.no_grad():
    rows = {kind: family.decode(codes) for kind, codes in shown.items()}
    votes = {kind: classifier(images).softmax(1).max(1) for kind, images in rows.items()}
captioned(
    rows,
    {k: [f"{c}: {p:.2f}" for p, c in zip(*vote, strict=True)] for k, vote in votes.items()},
    alt="Five rows of ten decoded images with the classifier's likeliest digit and its probability. From "
    "test images, and half-way between two of the same digit: mostly clear digits. Half-way between two "
    "digits: many tangles. Gaussian: scribbles, some like digits. Uniform: mostly scribbles.",
    caption=f"{digits.name}: codes of 20 numbers. Below each image the classifier's likeliest digit and its probability.",
)

# %% [markdown]
# Keep the column of 20 numbers in mind: the VAE of [chapter](vae) also has 20, but says *where* its codes
# are drawn from. The same judge (`fraction_sure`, your `share_sure` of the classifier's logits)
# will look at it.
#
# ### Exercise 5: the way
#
# Half-way is one point of a way. (The optional drag below walks it.) All codes on the way from `start` (t = 0) to `end` (t = 1), one row for
# each t. (t needs a second axis.)


# %% tags=["exercise"]
def way(start, end, t):  # (d,), (d,), (T,) -> (T, d)
    # solution
    return (1 - t[:, None]) * start + t[:, None] * end


check_path(way)

# %% [markdown]
# ## Half-way, by hand (optional, 4 minutes)
#
# Drag from one test image to another, in the code of 20 numbers. Where does the classifier change its
# mind, and is it ever unsure?

# %% tags=["aside"]
first, second = (int((names == label).nonzero()[0]) for label in (1, 0))
ends = test[[first, second]]
start, end = family.encode(ends, 20).detach()
between_codes_panel(
    family.decode,
    classifier,
    start,
    end,
    ends,
    caption=f"{digits.name}: test images {first} and {second}; 20 numbers.",
)

# %% [markdown]
# **What you see.** It is sure near both ends; on the way there is a stretch where it is not, and for a
# while it may vote for a third digit.
#
# ## Can it generate? change? score?
#
# Three questions that we will ask every model of this course.
#
# **Generate?** Not as it is: nothing says where to draw a code, and random codes decode to scribbles too
# often (table and picture under *How often is it a digit?*). One can fit a better density to the codes afterwards than a Gaussian; the VAE
# will shape codes and density together.
#
# **Change?** In part. Half-way between two images of the *same* digit the classifier is about as sure as
# of rebuilt test images; between different digits, much less often (the table there).
#
# **Score?** A model that scores gives log p(x). All that an autoencoder offers is its error. Try it:

# %%
torch.manual_seed(0)
strange = {
    "blank": torch.zeros(28, 28),
    "inverted": 1 - test[0, 0],
    "noise": torch.rand(28, 28),
}
shown = torch.cat([test[:4], torch.stack(list(strange.values()))[:, None]])
with torch.no_grad():
    redrawn = family(shown, 20)
    errors = (redrawn - shown).square().sum((1, 2, 3))
    digit_errors = (family(test, 20) - test).square().sum((1, 2, 3))

# %% tags=["aside"]
captioned(
    {"image": shown, "rebuilt": redrawn},
    {
        "image": ["digit"] * 4 + list(strange),
        "rebuilt": [f"error {e:.1f}" for e in errors.tolist()],
    },
    alt="Seven images and their reconstructions with the squared error: four digits, a blank image, "
    "an inverted digit and noise. The blank image has a small error, noise a large one.",
    caption=f"{digits.name}: a code of 20 numbers; squared error summed over the pixels.",
)

# %% tags=["aside"]
for name, error in zip(strange, errors[4:].tolist(), strict=True):
    share = (digit_errors > error).float().mean()
    print(f"{name:10} error {error:6.1f}: smaller than that of {share:4.0%} of 1,000 test digits")

# %% [markdown]
# The error tells what the network can *redraw*: an empty page better than any of the thousand test digits, noise and
# the inverted digit not at all. (Blank paper has a high likelihood, too: [chapter](start_here).) What is missing here
# is more: −error is no log-density at all. Under *What does “alike” mean?* the density of x stood around a fixed x̂;
# now x̂ moves along with x, and nothing makes exp(−error) integrate to 1. In the linear model it depends only on the
# distance from a subspace and does not fall along it, as far out as you like, so its integral is infinite.
#
# ### As far out as you like (optional, 1 minute)
#
# What is left of the error is rounding:

# %% tags=["aside"]
far = mean + torch.tensor([[1.0], [100.0], [10_000.0]]) * directions[0]
projected = mean + (far - mean) @ directions[:6].T @ directions[:6]
for distance, error in zip(
    (1, 100, 10_000), (projected - far).square().sum(1).tolist(), strict=True
):
    print(f"{distance:6,} away from the mean image, along PCA's first direction: error {error:.1e}")

# %% [markdown]
# ## Recap
#
# 1. Encoder, bottleneck, decoder, trained to rebuild. To see where it compresses, count all numbers after
#    a layer: channels × height × width. The narrowest place is the bottleneck.
# 2. A linear autoencoder reaches PCA's error and PCA's subspace, in an arbitrary basis: the axes of a
#    code mean nothing by themselves.
# 3. L2 blurs (mean), L1 decides (median), SSIM keeps the pattern of small windows, a perceptual loss
#    what its network looks at. Each is the best on its own measure. L1 and L2 belong to densities, Laplace and Gaussian;
#    the others to none that anyone can write down.
# 4. Generate: not as it is. Change: in part. Score: no. And your prediction? The table under *How often is it a
#    digit?* has both numbers, in the rows *half-way, two digits* and *Gaussian*; and they flatter, since the
#    classifier may be sure of nonsense.
#
# **The limit of this chapter.** An autoencoder compresses, but cannot generate by itself: it never learned what to
# do off its codes. Would it help to push images off their place in training and ask for them back?
# [Chapter](denoising_contractive) adds noise.
#
# ## Sources, and where this chapter differs
#
# Hinton & Salakhutdinov 2006, *Reducing the Dimensionality of Data with Neural Networks*, Science 313.
# Baldi & Hornik 1989, *Neural Networks and Principal Component Analysis*, Neural Networks 2. Plaut 2018,
# *From Principal Subspaces to Principal Components with Linear Autoencoders*, arXiv:1804.10253. Wang,
# Bovik, Sheikh & Simoncelli 2004, *Image Quality Assessment*, IEEE Transactions on Image Processing 13
# (SSIM, eq. 13). Johnson, Alahi & Fei-Fei 2016, *Perceptual Losses for Real-Time Style Transfer
# and Super-Resolution*,
# arXiv:1603.08155. Zhao, Gallo, Frosio & Kautz 2017, *Loss Functions for Image Restoration with Neural
# Networks*, arXiv:1511.08861. Odena, Dumoulin & Olah 2016, *Deconvolution and Checkerboard Artifacts*
# (why the decoder upsamples).
#
# | a lecture says | right is | seen in |
# |---|---|---|
# | compression happens via max-pooling | pooling halves the resolution; with more channels no number is saved, only the bottleneck compresses | *Networks for images* |
# | autoencoders use the L2 loss | one choice of many: a Gaussian with a fixed σ; L1 is a Laplace | *What does “alike” mean?* |
# | perceptual and structural similarity as reconstruction terms | for an autoencoder they are; they come from no known density, so in a VAE they make no ELBO | *What does “alike” mean?* |
