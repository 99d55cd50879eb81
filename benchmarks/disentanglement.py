"""PCA, autoencoder, VAE, β-VAE and β-TCVAE side by side: MIG and DCI over several seeds.

    python benchmarks/disentanglement.py            # five seeds, both sets, half an hour
    python benchmarks/disentanglement.py --only AE  # one method again, the others as they are stored
    python benchmarks/disentanglement.py --quick    # two seeds of one epoch, nothing is written

Writes vae_teach/pretrained/disentanglement.json and prints a table. Codes are those of the 4,000 test
images: principal components, the autoencoder's code, or the mean of q(z|x). A seed sets weights,
batches and draws; for PCA, which has none of these, it draws a bootstrap sample of the training
images. Scores come from `evaluation.mig` and `evaluation.dci`.
"""

import argparse
import json
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import torch
from sklearn.decomposition import PCA

from vae_teach import evaluation
from vae_teach.data.sprites import sprites
from vae_teach.data.strokes import strokes
from vae_teach.models import VAE, Autoencoder
from vae_teach.models.autoencoder import squared_error
from vae_teach.objectives import beta_tcvae, elbo
from vae_teach.training import fit

TARGET = (
    Path(__file__).resolve().parent.parent / "vae_teach" / "pretrained" / "disentanglement.json"
)
COMMAND = "python benchmarks/disentanglement.py"
SCORES = ("mig", "disentanglement", "completeness", "informativeness")
LATENT, HIDDEN, BETA, TC_BETA = 10, (256, 256), 4.0, 6.0
TRAINING = {"epochs": 10, "batch_size": 256, "lr": 3e-3, "one_cycle": True}
AE_LR = 1e-3  # with 3e-3 it stays in a plateau: all ten numbers told the size, and no other factor
FACTORS = {  # others change half a pixel, a shade of grey, or follow from the class
    "sprites": ("shape", "scale", "rotation", "x", "y"),
    "strokes": ("class", "slant", "rotation", "width", "thickness"),
}
CIRCULAR = {"sprites": ("rotation",), "strokes": ()}
METHODS = {
    "PCA": None,
    "AE": (Autoencoder, squared_error),
    "VAE": (VAE, elbo),
    "β-VAE": (VAE, partial(elbo, beta=BETA)),
    "β-TCVAE": (VAE, beta_tcvae),
}


def codes(method, images, seed, training):
    """Codes (M, d) of the test images, and the trained model (None for PCA)."""
    if method == "PCA":
        rows = torch.randint(
            len(images.train_images),
            (len(images.train_images),),
            generator=torch.Generator().manual_seed(seed),
        )
        pca = PCA(LATENT, svd_solver="randomized", random_state=seed)
        pca.fit(images.train_images[rows].flatten(1).numpy())
        return torch.from_numpy(pca.transform(images.test_images.flatten(1).numpy())), None
    network, objective = METHODS[method]
    if objective is beta_tcvae:
        objective = partial(beta_tcvae, beta=TC_BETA, data_size=len(images.train_images))
    torch.manual_seed(seed)
    model = network(LATENT, images.train_images.shape[1:], "mlp", HIDDEN)
    if method == "AE":
        training = training | {"lr": AE_LR}
    fit(model, images.train_images, objective, seed=seed, progress=False, **training)
    model.eval()
    with torch.no_grad():
        encoded = model.encode(images.test_images)
    return (encoded if method == "AE" else encoded.mean), model


def record(method, name, images, seed, training):
    """One row of the table: scores, and for VAEs the parts of the KL term."""
    started = time.perf_counter()
    z, model = codes(method, images, seed, training)
    names = FACTORS[name]
    columns = [images.factors.names.index(factor) for factor in names]
    causes = images.factors.test[:, columns]
    gap = evaluation.mig(z, causes, names=names)
    parts = evaluation.dci(z, causes, names=names, circular=CIRCULAR[name], seed=seed)
    row = {"method": method, "seed": seed, "mig": round(gap.score, 4)}
    row |= {score: round(getattr(parts, score), 4) for score in SCORES[1:]}
    row["gaps"] = {factor: round(value, 4) for factor, value in gap.gaps.items()}
    row["predicted"] = {factor: round(value, 4) for factor, value in parts.predicted.items()}
    row["information"] = _rounded(gap.information)
    row["importances"] = _rounded(parts.importances)
    if isinstance(model, VAE):
        x = images.test_images[:2000]
        row["kl_parts"] = {
            name: round(value, 3) for name, value in evaluation.kl_parts(model, x)._asdict().items()
        }
        row["active"] = int(evaluation.active_units(model, x).sum())
    print(
        f"{name:8} {method:8} seed {seed} "
        + " ".join(f"{score} {row[score]:.3f}" for score in SCORES)
        + f"  {time.perf_counter() - started:.0f} s",
        flush=True,
    )
    return row


def _rounded(table):
    return [[round(value, 3) for value in row] for row in table.tolist()]


def table(records):
    """Mean and spread by method; and how much of the variance lies between methods."""
    for name, rows in records.items():
        print(f"\n{name:10}" + "".join(f"{score:>18}" for score in SCORES))
        for method in METHODS:
            cells = [[r[score] for r in rows if r["method"] == method] for score in SCORES]
            print(
                f"{method:10}"
                + "".join(f"{statistics.mean(c):11.3f} ± {statistics.stdev(c):.3f}" for c in cells)
            )
        for label, chosen in (("all", list(METHODS)), ("VAEs", ["VAE", "β-VAE", "β-TCVAE"])):
            within, between = zip(*(variances(rows, s, chosen) for s in SCORES), strict=True)
            print(f"spread of {label}: standard deviation between seeds, between methods")
            print(
                " " * 10
                + "".join(
                    f"{w**0.5:9.3f}, {b**0.5:.3f}  " for w, b in zip(within, between, strict=True)
                )
            )


def variances(rows, score, methods):
    """Mean variance over the seeds of a method, and the variance of the methods' true means.

    The second is estimated without bias: variance of the observed means less their share of noise.
    """
    groups = [[r[score] for r in rows if r["method"] == m] for m in methods]
    within = statistics.mean(statistics.variance(g) for g in groups)
    between = statistics.variance([statistics.mean(g) for g in groups]) - within / len(groups[0])
    return within, max(0.0, between)


def write(stored):
    """The file, with one line for each record."""
    parts = []
    for key, value in stored.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in value)
            text = f"[\n{lines}\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    TARGET.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two seeds, one epoch, no file")
    parser.add_argument(
        "--only", choices=METHODS, help="one method, in place of its stored records"
    )
    options = parser.parse_args()
    quick, only = options.quick, options.only
    seeds = range(2 if quick else 5)
    training = TRAINING | ({"epochs": 1} if quick else {})
    records, before = {}, json.loads(TARGET.read_text("utf-8")) if only else {}
    for name, images in (("sprites", sprites(32)), ("strokes", strokes())):
        records[name] = [
            record(method, name, images, seed, training)
            if only in (None, method)
            else next(r for r in before[name] if (r["method"], r["seed"]) == (method, seed))
            for seed in seeds
            for method in METHODS
        ]
    table(records)
    if not quick:
        settings = {
            **TRAINING,
            "lr of AE": AE_LR,
            "network": f"fully connected, hidden layers {HIDDEN}",
            "latent_dim": LATENT,
            "beta": {"β-VAE": BETA, "β-TCVAE": TC_BETA},
            "train_images": 20_000,
            "test_images": 4_000,
            "factors": FACTORS,
        }
        write({**records, "settings": settings, "command": COMMAND})
    return 0


if __name__ == "__main__":
    sys.exit(main())
