"""One network for every β against VAEs trained for one β each: rate and distortion on test images.

Same hidden sizes, data, batches, schedule and number of steps for all: the short training that a
learner can wait for. Writes vae_teach/pretrained/rate_distortion.json and benchmarks/rate_distortion.png.
Run (about half an hour on two cores):
    python benchmarks/rate_distortion.py [--sets strokes mnist] [--resume] [--quick]
Exits with 1 where the one network's D + βR is above the separate VAEs' by more than 0.5 nats at
β <= 1, or by more than 2 % above, in the mean over seeds.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

from vae_teach import data
from vae_teach.chapters.beta_vae.rate_distortion import plane
from vae_teach.models import VAE, MultiRateVAE
from vae_teach.objectives import elbo, multi_rate
from vae_teach.pretrained import HERE
from vae_teach.training import fit

STORED = HERE / "rate_distortion.json"
FIGURE = Path(__file__).with_suffix(".png")
BETAS = (0.05, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0)
SEVERAL = (0.25, 1.0, 4.0)  # trained from three seeds
CURVE = (
    0.05,
    0.07,
    0.1,
    0.15,
    0.25,
    0.35,
    0.5,
    0.7,
    1.0,
    1.4,
    2.0,
    2.8,
    4.0,
    6.0,
    8.0,
    10.0,
    14.0,
    20.0,
)
SEEDS = (0, 1, 2)
EPOCHS = {"strokes": 18, "mnist": 6}  # 360,000 images, 1,410 steps
SETTINGS = {"batch_size": 256, "lr": 4e-3, "one_cycle": True}
DRAWS = 2


@torch.no_grad()
def rate_and_distortion(model, x):
    """Mean R and D in nats an image; the same draws for every model."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        terms = [elbo(model, part, samples=DRAWS) for part in x.split(1000)]
    rate = torch.cat([t.kl for t in terms]).mean().item()
    return {
        "rate": round(rate, 4),
        "distortion": round(-torch.cat([t.reconstruction for t in terms]).mean().item(), 4),
    }


def trained(model, images, objective, epochs, seed):
    """Train in place; process seconds."""
    started = time.process_time()
    fit(model, images, objective, epochs=epochs, seed=seed, progress=False, **SETTINGS)
    return model.eval(), time.process_time() - started


def run_set(digits, epochs, stored, save, betas, several, seeds):
    """Fill stored["single"] and stored["multi"] with what is not there yet."""
    images, test = digits.train_images, digits.test_images
    for seed in seeds:
        if not any(r["seed"] == seed for r in stored["multi"]):
            torch.manual_seed(seed)
            model, seconds = trained(MultiRateVAE(), images, multi_rate, epochs, seed)
            for beta in CURVE:
                record = {"beta": beta, "seed": seed, **rate_and_distortion(model.at(beta), test)}
                stored["multi"].append(record)
            print(f"{digits.name}: one network, seed {seed}, {seconds:.0f} s of CPU", flush=True)
            save()
        for beta in betas if seed == 0 else several:
            if any((r["beta"], r["seed"]) == (beta, seed) for r in stored["single"]):
                continue
            torch.manual_seed(seed)
            model, seconds = trained(
                VAE(20), images, lambda m, x, b=beta: elbo(m, x, b), epochs, seed
            )
            record = {"beta": beta, "seed": seed, **rate_and_distortion(model, test)}
            stored["single"].append(record)
            print(f"{digits.name}: {record}, {seconds:.0f} s of CPU", flush=True)
            save()


def objectives(records, beta):
    """D + βR of every seed at this β."""
    return [r["distortion"] + beta * r["rate"] for r in records if r["beta"] == beta]


def gaps(stored):
    """Rows (β, separate mean, separate spread, gap, spread of the one network, allowed gap)."""
    for beta in sorted({r["beta"] for r in stored["single"]}):
        single, multi = (objectives(stored[kind], beta) for kind in ("single", "multi"))
        mean = statistics.mean(single)
        spreads = [max(v) - min(v) for v in (single, multi)]
        allowed = 0.5 if beta <= 1 else 0.02 * mean
        yield (
            beta,
            mean,
            spreads[0],
            len(single),
            statistics.mean(multi) - mean,
            spreads[1],
            allowed,
        )


def report(name, stored):
    """Print the table; True where the aim is met."""
    print(
        f"\n{name}: D + βR in nats on the test images; spread is largest less smallest over seeds"
    )
    print("     β  separate  seeds  spread  one less separate  spread  allowed")
    met = True
    for beta, mean, spread, seeds, gap, multi_spread, allowed in gaps(stored):
        ok = gap <= allowed
        met = met and ok
        print(
            f"{beta:6g} {mean:9.2f} {seeds:6} {spread:7.2f} {gap:+8.2f} ({100 * gap / mean:+4.1f} %) "
            f"{multi_spread:7.2f} {allowed:8.2f}{'' if ok else '  MISSED'}"
        )
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=EPOCHS, default=list(EPOCHS))
    parser.add_argument("--resume", action="store_true", help="keep what the JSON file holds")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a sixth of the steps, three β, one seed; stores nothing",
    )
    parser.add_argument("--threads", type=int, help="of PyTorch")
    chosen = parser.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    all_sets = json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}
    met = True
    for name in chosen.sets:
        epochs = max(1, EPOCHS[name] // 6) if chosen.quick else EPOCHS[name]
        old = all_sets.get(name) if chosen.resume and not chosen.quick else None
        stored = old or {"single": [], "multi": []}
        all_sets[name] = stored
        stored["settings"] = {
            "epochs": epochs,
            **SETTINGS,
            "hidden": [400],
            "latent_dim": 20,
            "draws": DRAWS,
            "images": "test",
        }

        def save(name=name, stored=stored):
            if not chosen.quick:  # read again: another process may have written its own set
                others = json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}
                text = {**others, name: stored, "command": "python benchmarks/rate_distortion.py"}
                STORED.write_text(
                    json.dumps(text, indent=1, sort_keys=True) + "\n", encoding="utf-8"
                )

        betas, seeds = (SEVERAL, (0,)) if chosen.quick else (BETAS, SEEDS)
        run_set(data.load(name), epochs, stored, save, betas, SEVERAL, seeds)
        met = report(name, stored) and met
    if not chosen.quick:
        name = "mnist" if "mnist" in all_sets else chosen.sets[0]
        picture = plane(all_sets[name], name=name)
        FIGURE.write_bytes(picture.png())
    sys.exit(int(not met))


if __name__ == "__main__":
    main()
