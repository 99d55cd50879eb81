"""Pictures of chapter 01: components, captioned images, and how sure a classifier is of a plane."""

import torch
from matplotlib.figure import Figure

from vae_teach import labels as labelling
from vae_teach.pictures import drawable, pixels
from vae_teach.pictures.images import check_rows, show_ink
from vae_teach.pictures.picture import Picture


def captioned(rows, words, alt, caption="", width=9.0):
    """Rows of images, with a word under each image.

    Args:
        rows: dict of row name -> images (N, C, H, W) in [0, 1], the same N in every row.
        words: dict of row name -> N strings; a row may be missing.
        alt: alternative text.
        caption: shown below.
        width: inches.
    """
    columns = check_rows(rows)
    heights = [1.0 + 0.32 * (name in words) for name in rows]
    figure = Figure(figsize=(width, (width - 1.6) / columns * sum(heights)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
    for line, (name, images) in zip(grid, rows.items(), strict=True):
        for i, (axes, image) in enumerate(zip(line, images.detach().cpu(), strict=True)):
            show_ink(axes, image)
            for spine in axes.spines.values():
                spine.set(visible=True, color="0.85")
            if name in words:
                axes.set_xlabel(words[name][i], fontsize=9)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    return Picture(figure, alt, caption)


def sureness(model, classifier, codes, labels, alt, caption="", side=48):
    """How sure a classifier is of what a 2-D autoencoder draws, over the plane of codes.

    Args:
        model: an Autoencoder with latent_dim 2.
        classifier: images -> logits (B, K).
        codes: (N, 2), drawn as their labels' digits.
        labels: (N,) whole numbers.
        alt: alternative text.
        caption: shown below.
        side: grid points a side.

    Returns:
        Picture: left the doubt, one minus the probability of the likeliest class, with a dashed line
        at 0.1; right the images.
    """
    drawable.check_plane(model)
    labels = labelling.checked(labels, len(codes), of="codes").cpu()
    low, high = codes.amin(0).tolist(), codes.amax(0).tolist()
    extent = (low[0], high[0], low[1], high[1])
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    z = _grid(low, high, side)
    with torch.no_grad():
        surest = [classifier(model.decode(part)).softmax(1).amax(1) for part in z.split(500)]
        doubt = 1 - torch.cat(surest).reshape(side, side).numpy()
        sheet = pixels.tile(model.decode(_grid(low, high, 14)), 14)
    frame = {"extent": extent, "origin": "upper"}
    shown = left.imshow(doubt, cmap="Oranges", vmin=0, vmax=0.9, aspect="auto", alpha=0.7, **frame)
    left.contour(doubt, [0.1], colors="0.35", linestyles="--", linewidths=1, **frame)
    for y in labels.unique().tolist():
        left.scatter(*codes[labels == y].t(), s=26, marker=f"${y}$", c="0.1", lw=0.2)
    left.set(xlim=extent[:2], ylim=extent[2:])
    picture = pixels.to_array(sheet)
    right.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    left.set_title("codes, and the classifier's doubt", fontsize=11)
    right.set_title("what is decoded there", fontsize=11)
    for axes in (left, right):
        axes.set(xlabel="$z_1$", ylabel="$z_2$")
    figure.colorbar(shown, ax=left, label="1 − largest p(class | decoded image)")
    return Picture(figure, alt, caption)


def _grid(low, high, side):
    """Codes (side², 2) over a box, rows from the top: z2 falls, z1 grows."""
    across = torch.linspace(low[0], high[0], side)
    down = torch.linspace(high[1], low[1], side)
    return torch.stack([across.repeat(side), down.repeat_interleave(side)], dim=1)
