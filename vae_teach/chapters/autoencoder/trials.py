"""What chapter 01's exercises are tried on, and right answers from other libraries."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import mean_squared_error


def two_batches(seed, *shape, linear=False):
    """Rebuilt images and images (B, C, H, W), grey; or black and white, rebuilt beyond [0, 1]."""
    a, x = torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed))
    return (3 * a - 1, x.round()) if linear else (a, x)


def error_by_sklearn(x_hat, x):
    """Squared error of each image."""
    pairs = zip(x_hat.flatten(1), x.flatten(1), strict=True)
    return torch.tensor([x[0].numel() * mean_squared_error(a, b) for a, b in pairs])


def principal(seed, points, dimensions, components, shown=3):
    """Some points, and the mean and components of those that they belong to."""
    draws = torch.Generator().manual_seed(seed)
    mixing = torch.randn(points, dimensions, generator=draws)
    x = mixing @ torch.randn(dimensions, dimensions, generator=draws) + 2
    x += torch.arange(dimensions)  # each pixel has a mean of its own
    pca = PCA(components).fit(x.double().numpy())
    return x[:shown], *(torch.tensor(v, dtype=torch.float) for v in (pca.mean_, pca.components_))


def pca_by_sklearn(x, mean, components):
    """The reconstruction."""
    pca = PCA(len(components))
    pca.mean_, pca.components_ = mean.double().numpy(), components.double().numpy()
    return torch.tensor(pca.inverse_transform(pca.transform(x.double().numpy())))


def windows(seed, count, pixels):
    """Two sets of windows, faint, so that SSIM's constants count."""
    draws = torch.Generator().manual_seed(seed)
    a = 0.1 + 0.1 * torch.rand(count, pixels, generator=draws)
    return a, (a + 0.03 * torch.randn(count, pixels, generator=draws)).clamp(0, 1)


def plain_windows():
    """Blank twice; ink and its negative; the same twice; an edge, fainter."""
    edge = (torch.arange(9) % 3 > 0).float()
    grey = torch.linspace(0, 1, 9)
    return torch.stack([0 * edge, edge, grey, edge]), torch.stack(
        [0 * edge, 1 - edge, grey, edge / 3]
    )


def ssim_by_skimage(a, b):
    """SSIM of windows of an odd number of rows, and as many columns."""
    from skimage.metrics import structural_similarity  # slow to import

    side = int(a.shape[1] ** 0.5)  # such images are exactly one window of it
    how = {"win_size": side, "data_range": 1.0, "use_sample_covariance": False}
    pairs = zip(*(v.double().reshape(-1, side, side).numpy() for v in (a, b)), strict=True)
    return torch.tensor(np.array([structural_similarity(u, v, **how) for u, v in pairs]))


def logits(seed, images, classes):
    """Of images between sure and unsure."""
    return (3 * torch.randn(images, classes, generator=torch.Generator().manual_seed(seed)),)


def near_the_bar(*surest, classes=2, shift=0.0):
    """Logits of images whose likeliest class has these probabilities; the others share the rest.

    The likeliest class differs from image to image.
    """
    surest = torch.tensor(surest)
    rest = ((1 - surest) / (classes - 1)).log()
    wanted = torch.stack([*[rest] * (classes - 1), surest.log()], 1)
    return (torch.stack([row.roll(-i) for i, row in enumerate(wanted)]) + shift,)


def ends(seed, dimensions, *t):
    """Two codes, and how far on the way."""
    both = torch.randn(2, dimensions, generator=torch.Generator().manual_seed(seed))
    return *both, torch.tensor(t)
