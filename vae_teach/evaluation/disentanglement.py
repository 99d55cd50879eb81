"""Which dimension of a code holds which known cause of the images, and how alone it does."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vae_teach import checks

UNUSED = 1e-12  # of a sum of importances: below it a dimension, or a factor, was not used at all


class Mig(NamedTuple):
    """What `mig` returns; information is in nats."""

    score: float
    """Mean of the gaps, from 0 to 1; 1 needs a dimension for each factor that tells it alone."""
    gaps: dict[str, float]
    """Factor name -> (largest - second largest information) / entropy of the factor."""
    information: Tensor
    """(d, K): between each dimension of the code and each factor."""
    entropies: Tensor
    """(K,): of the factors, continuous ones after binning."""


class Dci(NamedTuple):
    """What `dci` returns, every score from 0 to 1."""

    disentanglement: float
    """1 where each dimension serves to predict one factor only."""
    completeness: float
    """1 where each factor is predicted from one dimension only."""
    informativeness: float
    """Mean of `predicted`: how well the factors are told from the whole code."""
    importances: Tensor
    """(d, K): of each dimension for each factor's prediction; a column sums to 1, or to 0."""
    predicted: dict[str, float]
    """Factor name -> score on held-out rows, 0 for knowing nothing, 1 for knowing all."""


def mig(codes, factors, bins=20, names=None):
    """Mutual information gap, after Chen et al. 2018 (arXiv:1802.04942, section 4), of binned codes.

    For each factor: its mutual information with the best dimension of the code, less that with the
    second best, divided by the factor's entropy. Everything is counted in a table: a column with at
    most `bins` different values is taken as it is, any other is cut at its quantiles into `bins`
    classes of equal size. Therefore the score does not change when a dimension is shifted, scaled,
    flipped or bent monotonically, nor when dimensions change places. The price: a mean that moves far
    less than its q(z|x) is wide counts in full, though the decoder cannot see it. Hand in draws of
    q(z|x) to count what the decoder sees.

    Published scores are computed otherwise, and are not comparable with these. Chen et al. take the
    density q(z|x) for the code, not a table. Locatello et al. 2019 (arXiv:1811.12359) count a table of
    the means, in 20 bins of equal *width*: columns cut so before they are handed in have their score.

    A table of N rows finds about (bins - 1)² / 2N nats too much between independent columns; the gap
    loses most of that. A factor on a circle, such as an angle, is binned like any other, but no
    single number runs round a circle without a jump: where cosine and sine hold it perfectly, its
    gap is about 0. Of such a factor a gap near 0 says nothing; `dci` has `circular` for it.

    Args:
        codes: (N, d), one code a row; for a VAE usually the mean of q(z|x).
        factors: (N, K) known causes, such as `Factors.test`.
        bins: classes of a continuous column, at least 2.
        names: K factor names.

    Returns:
        Mig. A code that holds nothing scores 0.

    Raises:
        TypeError, ValueError: no matrices of finite numbers with equal rows, a factor of one value
            only, names of another number, bins < 2.
    """
    codes, factors, names = _checked(codes, factors, names)
    checks.positive_int(bins, "bins")
    if bins < 2:
        raise ValueError("bins is 1, at least 2 are needed.")
    from sklearn.metrics import mutual_info_score  # heavy, and few chapters need it

    z = [_classes(column, bins).numpy() for column in codes.T.contiguous()]
    causes = [_classes(column, bins).numpy() for column in factors.T.contiguous()]
    information = torch.tensor(
        [[mutual_info_score(cause, code) for cause in causes] for code in z], dtype=torch.float64
    ).clamp(min=0)  # (d, K); rounding may leave -1e-16
    entropies = torch.tensor([mutual_info_score(cause, cause) for cause in causes]).double()
    best = torch.cat([information, torch.zeros(1, len(names))]).topk(2, dim=0).values
    gaps = ((best[0] - best[1]) / entropies).tolist()
    named = dict(zip(names, gaps, strict=True))
    return Mig(sum(gaps) / len(gaps), named, information.float(), entropies.float())


def dci(codes, factors, names=None, circular=(), seed=0, trees=10):
    """Disentanglement, completeness, informativeness (Eastwood & Williams 2018, "A framework for
    the quantitative evaluation of disentangled representations").

    A random forest learns each factor from the code on three quarters of the rows. Its importances
    (the share of the variance, or of the Gini impurity, that splits on a dimension remove) form a
    table R (d, K). Disentanglement of a dimension is 1 - entropy of its row as a distribution, to
    base K, averaged with the rows' sums as weights; completeness of a factor is 1 - entropy of its
    column, to base d. Informativeness is measured on the last quarter: R² of a continuous factor,
    and (accuracy - a) / (1 - a) of a discrete one, a being the share of its most common value; no
    less than 0. (The paper's informativeness is a prediction error, where less is better, and its
    regressors are a lasso and a random forest.)

    A forest gives useless dimensions a little importance, so a code with noise scores below a
    perfect one. Its splits are parallel to the axes: from a few thousand rows it learns a factor that
    is spread over many dimensions less well than one that has its own, so that informativeness, too,
    is a little in favour of aligned codes.

    Args:
        codes: (N, d), one code a row.
        factors: (N, K) known causes. A column of whole numbers with at most 20 different values
            counts as discrete.
        names: K factor names.
        circular: names of factors that are angles in radians, on a full circle. Cosine and sine are
            predicted instead, so that 0 and 2π are the same. A code that holds both in two
            dimensions is complete only to 1 - log 2 / log d for that factor.
        seed: of the split and the forests.
        trees: in each forest.

    Returns:
        Dci. A code that holds nothing scores 0.

    Raises:
        TypeError, ValueError: no matrices of finite numbers with equal rows, fewer than 20 rows, a
            factor of one value only, names that do not fit.
    """
    codes, factors, names = _checked(codes, factors, names)
    checks.positive_int(trees, "trees")
    checks.seed(seed, most=2**32 - 1)  # as scikit-learn takes it
    unknown = [name for name in circular if name not in names]
    if unknown:
        raise ValueError(f"circular names {unknown[0]!r}, one of {', '.join(names)} is needed.")
    if len(codes) < 20:
        raise ValueError(f"codes has {len(codes)} rows, at least 20 are needed to learn and test.")
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed)).numpy()
    train, test = order[: 3 * len(order) // 4], order[3 * len(order) // 4 :]
    z = codes.numpy()
    columns, predicted = [], {}
    for name, factor in zip(names, factors.T, strict=True):
        model, y = _forest(factor, name in circular, seed, trees)
        model.fit(z[train], y[train])
        columns.append(torch.from_numpy(model.feature_importances_))
        predicted[name] = _above_chance(model.score(z[test], y[test]), y[test], model)
    importances = torch.stack(columns, dim=1)
    rows, whole = importances.sum(1), importances.sum()
    shares = rows / whole if whole > UNUSED else rows
    return Dci(
        float(shares @ _concentration(importances)),
        float(_concentration(importances.T).mean()),
        sum(predicted.values()) / len(predicted),
        importances.float(),
        predicted,
    )


def _forest(factor, circular, seed, trees):
    """An untrained forest for one factor (N,), and what it shall predict, (N,) or (N, 2)."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    # Every split sees all dimensions: otherwise the useless ones are taken where the others are out.
    settings = {
        "n_estimators": trees,
        "max_features": 1.0,
        "min_samples_leaf": 5,
        "random_state": seed,
    }
    if circular:
        return RandomForestRegressor(**settings), torch.stack(
            [factor.cos(), factor.sin()], 1
        ).numpy()
    if torch.equal(factor, factor.round()) and len(factor.unique()) <= 20:
        return RandomForestClassifier(**settings), factor.long().numpy()
    return RandomForestRegressor(**settings), factor.numpy()


def _above_chance(score, y, model):
    """R² as it is, accuracy (of a classifier) rescaled so that guessing scores 0; at least 0."""
    if hasattr(model, "classes_"):
        common = torch.from_numpy(y).unique(return_counts=True)[1].max().item() / len(y)
        score = (score - common) / (1 - common) if common < 1 else 0.0
    return max(0.0, float(score))


def _concentration(table):
    """1 - entropy of each row of weights (n, k) to base k: 1 for a single weight, 0 for equal ones."""
    sums = table.sum(1)
    shares = table / sums.clamp(min=UNUSED)[:, None]
    spread = torch.special.entr(shares).sum(1) / math.log(max(2, table.shape[1]))
    return torch.where(sums > UNUSED, 1 - spread, 0.0).clamp(min=0)


def _classes(column, bins):
    """The class (N,) of each value: itself if there are few different ones, else by quantiles."""
    values, index = column.unique(return_inverse=True)
    if len(values) <= bins:
        return index
    edges = column.quantile(torch.arange(1, bins, dtype=column.dtype) / bins).unique()
    return torch.bucketize(column, edges, right=True)


def _checked(codes, factors, names):
    """Codes and factors as float64 matrices on the CPU, and a list of names."""
    codes, factors = _matrix(codes, "codes"), _matrix(factors, "factors")
    if len(codes) != len(factors):
        raise ValueError(
            f"codes has {len(codes)} rows, factors {len(factors)}: one row for each image in both."
        )
    names = [f"factor {k}" for k in range(factors.shape[1])] if names is None else list(names)
    if len(names) != factors.shape[1]:
        raise ValueError(
            f"names has {len(names)} entries for {factors.shape[1]} factors: one for each is needed."
        )
    for name, column in zip(names, factors.T, strict=True):
        if (column == column[0]).all():
            raise ValueError(
                f"{name} has the value {column[0].item():g} in every row: leave that factor out."
            )
    return codes, factors, names


def _matrix(x, name):
    if isinstance(x, np.ndarray | list | tuple) and np.asarray(x).dtype.kind in "biuf":
        x = torch.from_numpy(np.array(x, float))
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"{name} is {checks.kind(x)}, a tensor (N, columns) of numbers is needed.")
    if x.dim() != 2 or 0 in x.shape:
        column = f": for one column use {name}[:, None]" if x.dim() == 1 and len(x) else ""
        raise ValueError(f"{name} has shape {tuple(x.shape)}, (N, columns) is needed{column}.")
    x = x.detach().cpu().double()
    checks.finite(x, name)
    return x
