"""Checks of chapter 01, the autoencoder."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import mean_squared_error

from vae_teach.exercises.judge import judge


def check_error(attempt):
    """Squared error of each image: x_hat, x (B, C, H, W) -> (B,), summed over the pixels."""
    draws = torch.Generator().manual_seed(0)
    x_hat, x = torch.rand(2, 3, 1, 4, 5, generator=draws)

    def right(x_hat, x):
        pairs = zip(x_hat.flatten(1), x.flatten(1), strict=True)
        return torch.tensor([20 * mean_squared_error(a, b) for a, b in pairs])

    def squares(x_hat, x):
        return (x_hat - x).square()

    print(
        judge(
            attempt,
            (x_hat, x),
            right,
            {
                "sum over the pixels; their mean is 784 times smaller on a 28×28 image.": (
                    lambda a, x: squares(a, x).flatten(1).mean(1)
                ),
                "one number an image is needed, you averaged over all pixels of all images (as "
                "`mse_loss` does).": lambda a, x: squares(a, x).mean(),
                "one number an image is needed: the mean over images comes later.": lambda a, x: (
                    squares(a, x).sum() / len(x)
                ),
                "one number an image is needed, you summed over images too.": lambda a, x: squares(
                    a, x
                ).sum(),
                "the differences are not squared, so errors of both signs cancel.": lambda a, x: (
                    (a - x).flatten(1).sum(1)
                ),
                "these are absolute differences, the L1 error; square them.": lambda a, x: (
                    (a - x).abs().flatten(1).sum(1)
                ),
                "this is the length of the difference; its square is wanted, without the root.": (
                    lambda a, x: squares(a, x).flatten(1).sum(1).sqrt()
                ),
                "square before summing, not after.": lambda a, x: (
                    (a - x).flatten(1).sum(1).square()
                ),
                "sum over channels, rows and columns: flatten each image first.": lambda a, x: (
                    squares(a, x).sum(1)
                ),
                "sum over the pixels of each image, not over the images.": lambda a, x: squares(
                    a, x
                ).sum(0),
                "the sign is turned: an error is never negative.": lambda a, x: (
                    -squares(a, x).flatten(1).sum(1)
                ),
            },
        )
    )


def check_pca(attempt):
    """PCA's reconstruction: x (B, D), mean (D,), components (d, D), orthonormal rows -> (B, D)."""
    draws = torch.Generator().manual_seed(0)
    points = torch.randn(50, 4, generator=draws) @ torch.randn(4, 4, generator=draws) + 2
    pca = PCA(2).fit(points.double().numpy())
    x = points[:3]
    mean, components = (torch.tensor(v, dtype=torch.float) for v in (pca.mean_, pca.components_))

    def right(x, *_):
        codes = pca.transform(x.double().numpy())
        return torch.tensor(pca.inverse_transform(codes), dtype=torch.float)

    print(
        judge(
            attempt,
            (x, mean, components),
            right,
            {
                "subtract the mean before projecting: the components belong to centred data.": (
                    lambda x, m, c: m + x @ c.T @ c
                ),
                "add the mean back: what you return is centred.": lambda x, m, c: (x - m) @ c.T @ c,
                "both times the mean is missing: subtract it first, add it back last.": (
                    lambda x, m, c: x @ c.T @ c
                ),
                "these are the codes (B, d): decode them again with the components.": (
                    lambda x, m, c: (x - m) @ c.T
                ),
                "this is what the projection leaves out; return what it keeps.": lambda x, m, c: (
                    x - m - (x - m) @ c.T @ c
                ),
                "nothing passed the bottleneck: this is x itself.": lambda x, m, c: x,
                "the mean is subtracted where it must be added back.": lambda x, m, c: (
                    (x - m) @ c.T @ c - m
                ),
            },
        )
    )


def check_ssim(attempt):
    """SSIM of one window: a, b (B, N) pixels of B windows, constants 0.01² and 0.03² -> (B,)."""
    from skimage.metrics import structural_similarity  # 7×7 pixels are exactly one window of it

    draws = torch.Generator().manual_seed(0)
    a = 0.1 + 0.1 * torch.rand(4, 49, generator=draws)  # faint, so that the constants count
    b = (a + 0.03 * torch.randn(4, 49, generator=draws)).clamp(0, 1)
    small, smaller = 0.03**2, 0.01**2

    def right(a, b):
        windows = (v.double().reshape(-1, 7, 7).numpy() for v in (a, b))
        how = {"win_size": 7, "data_range": 1.0, "use_sample_covariance": False}
        return torch.tensor(
            np.array([structural_similarity(u, v, **how) for u, v in zip(*windows, strict=True)])
        )

    def parts(a, b, unbiased=False):
        n = a.shape[1] - unbiased
        mean_a, mean_b = a.mean(1), b.mean(1)
        deviations = a - mean_a[:, None], b - mean_b[:, None]
        covariance = (deviations[0] * deviations[1]).sum(1) / n
        return mean_a, mean_b, *(d.square().sum(1) / n for d in deviations), covariance

    def combined(combine, **how):
        return lambda a, b: combine(*parts(a, b, **how))

    def ssim(p, q, v, w, c, one=smaller, two=small):
        return (2 * p * q + one) * (2 * c + two) / ((p**2 + q**2 + one) * (v + w + two))

    print(
        judge(
            attempt,
            (a, b),
            right,
            {
                "this is 1 − SSIM, the loss; the similarity itself is asked for.": combined(
                    lambda *s: 1 - ssim(*s)
                ),
                "variances and covariance are divided by N, not N − 1, here.": combined(
                    ssim, unbiased=True
                ),
                "`var` divides by N − 1 unless `correction=0`.": combined(
                    lambda p, q, v, w, c: ssim(p, q, v * 49 / 48, w * 49 / 48, c)
                ),
                "the two small constants are missing: two blank windows would give 0/0.": combined(
                    lambda *s: ssim(*s, one=0, two=0)
                ),
                "the constants are swapped: 0.01² belongs to the means, 0.03² to the variances.": (
                    combined(lambda *s: ssim(*s, one=small, two=smaller))
                ),
                "the constants are squares: 0.01² and 0.03².": combined(
                    lambda *s: ssim(*s, one=0.01, two=0.03)
                ),
                "standard deviations stand where variances belong.": combined(
                    lambda p, q, v, w, c: ssim(p, q, v.sqrt(), w.sqrt(), c)
                ),
                "a covariance is the mean product less the product of the means.": combined(
                    lambda p, q, v, w, c: ssim(p, q, v, w, c + p * q)
                ),
                "the second factor, of variances and covariance, is missing.": combined(
                    lambda p, q, v, w, c: (2 * p * q + smaller) / (p**2 + q**2 + smaller)
                ),
                "the first factor, of the means, is missing.": combined(
                    lambda p, q, v, w, c: (2 * c + small) / (v + w + small)
                ),
                "the factors 2 in the numerator are missing: two equal windows must give 1.": (
                    combined(
                        lambda p, q, v, w, c: (
                            (p * q + smaller)
                            * (c + small)
                            / ((p**2 + q**2 + smaller) * (v + w + small))
                        )
                    )
                ),
                "the factor 2 before the covariance is missing: two equal windows must give 1.": (
                    combined(
                        lambda p, q, v, w, c: (
                            (2 * p * q + smaller)
                            * (c + small)
                            / ((p**2 + q**2 + smaller) * (v + w + small))
                        )
                    )
                ),
                "the two factors are multiplied, not added.": combined(
                    lambda p, q, v, w, c: (
                        (2 * p * q + smaller) / (p**2 + q**2 + smaller)
                        + (2 * c + small) / (v + w + small)
                    )
                ),
            },
        )
    )


def check_sure(attempt):
    """Share of images with a class above 0.9: logits (B, K) -> ()."""
    draws = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(40, 5, generator=draws)

    def share(surest):
        return (surest > 0.9).float().mean()

    print(
        judge(
            attempt,
            (logits,),
            lambda a: share(torch.distributions.Categorical(logits=a).probs.amax(1)),
            {
                "logits are not probabilities: a softmax over the classes is missing.": lambda a: (
                    share(a.amax(1))
                ),
                "the softmax must run over the classes of each image (dim 1), not over images.": (
                    lambda a: share(a.softmax(0).amax(1))
                ),
                "this is the mean of the largest probability; count the images above 0.9.": (
                    lambda a: a.softmax(1).amax(1).mean()
                ),
                "only each image's largest probability counts: your mean runs over classes, too.": (
                    lambda a: share(a.softmax(1))
                ),
                "this is the share of images of which it is *not* sure.": lambda a: (
                    1 - share(a.softmax(1).amax(1))
                ),
                "this counts images; divide by how many there are.": lambda a: (
                    a.softmax(1).amax(1) > 0.9
                ).sum(),
                "softmax, not sigmoid: one image's class probabilities sum to 1.": lambda a: share(
                    a.sigmoid().amax(1)
                ),
                "one share for all images: take the mean over them.": lambda a: (
                    a.softmax(1).amax(1) > 0.9
                ).float(),
            },
        )
    )


def check_path(attempt):
    """Codes on the way from start (d,) to end (d,) at each t (T,) from 0 to 1 -> (T, d)."""
    draws = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 3, generator=draws)
    t = torch.tensor([0.0, 0.2, 0.7, 1.0])

    def right(start, end, t):
        return torch.stack([torch.lerp(start, end, w) for w in t])

    print(
        judge(
            attempt,
            (start, end, t),
            right,
            {
                "the way runs backwards: t = 0 must give the start.": lambda a, b, t: (
                    t[:, None] * a + (1 - t[:, None]) * b
                ),
                "the start must fade as the end comes in: its weight is 1 − t.": lambda a, b, t: (
                    a + t[:, None] * b
                ),
                "add t times the *difference* end − start; its sign is turned.": lambda a, b, t: (
                    a + t[:, None] * (a - b)
                ),
                "the start is missing: this is only the difference, scaled.": lambda a, b, t: (
                    t[:, None] * (b - a)
                ),
                "one row a t, (T, d): yours is (d, T), transposed.": lambda a, b, t: (
                    a[:, None] * (1 - t) + b[:, None] * t
                ),
                "one row for each t: this is the half-way point only.": lambda a, b, t: (a + b) / 2,
                "every row is the half-way point: use t.": lambda a, b, t: ((a + b) / 2).expand(
                    len(t), -1
                ),
                "both weights are t: together they must make 1.": lambda a, b, t: (
                    t[:, None] * (a + b)
                ),
            },
        )
    )
