"""Bubbles: how the q(z|x) of images move and grow while a model learns."""

import torch
import traitlets as t
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from vae_teach.explorers.bubbles.film import Film
from vae_teach.page.latent_map import marked, marks, names_of
from vae_teach.page.networks import halves
from vae_teach.page.web_explorer import BOTH_WAYS, WebExplorer
from vae_teach.pictures import pixels
from vae_teach.pictures.colours import LABELS
from vae_teach.pictures.mixtures import prior_ellipses

# Sizes that the plane may have: 3, 4, 5, 6, 8, 10, 12, 15, … up to float16's largest number.
LADDER = [m * 10**k for k in range(5) for m in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)][5:]


class Bubbles(WebExplorer):
    """Each image's q(z|x) as an ellipse of one standard deviation, to play or scrub over training.

    Between recorded frames the page interpolates. The plane zooms in few steps, to hold 49 of 50
    bubbles: the prior's circles are the measure (a prior that learns is drawn in the still only). Below
    it, the loss's two terms on these images.

    Args:
        films: a Film, or a dict of title -> Film with two of them to compare side by side, such as
            {"without the KL term": film0, "with it": film1}; a film that is over shows its end.
        classes: the labels' names for a legend, a tuple, list or array; or None.

    Attributes:
        frame: number of the frame shown, from 0; reads and sets what the page shows.
        steps: the optimizer's step of each frame.

    Raises:
        TypeError, ValueError: no film, an empty film, too few class names.
    """

    frame = t.Int(0).tag(**BOTH_WAYS)
    steps = t.List().tag(sync=True)
    films = t.List().tag(sync=True)  # of each: title, steps, their numbers, the plane's limits
    codes = t.Bytes().tag(sync=True)  # film by film, frame by frame: N means, N standard deviations
    labels = t.Bytes().tag(sync=True)  # film by film, a byte an image
    classes = t.Dict().tag(sync=True)

    def __init__(self, films, classes=None):
        """Check the films and pack their frames."""
        films = films if isinstance(films, dict) else {"": films}
        films = {str(title): film for title, film in films.items()}
        recorded, classes = _checked(films, classes)
        labels = torch.cat([film.labels for film in films.values()])
        self._frames = recorded
        self._labels = {title: film.labels for title, film in films.items()}
        steps = sorted({frame.step for frames in recorded.values() for frame in frames})
        numbers = [
            torch.cat([frame.mean, frame.sd]) for frames in recorded.values() for frame in frames
        ]
        super().__init__(
            frame=len(steps) - 1,
            steps=steps,
            films=[_numbers(title, frames) for title, frames in recorded.items()],
            codes=halves(torch.cat(numbers), "the film"),
            labels=labels.numpy().astype("u1").tobytes(),
            classes={str(k): name for k, name in names_of(labels, classes).items()},
        )

    @t.validate("frame")
    def _inside(self, proposal):
        value, last = proposal["value"], len(self.steps) - 1
        if not 0 <= value <= last:
            raise t.TraitError(f"frame is {value}, 0 to {last} is needed.")
        return value

    def still(self):
        """HTML of a picture of three moments."""
        last = self.steps[-1]
        chosen = [self.steps[round(part * (len(self.steps) - 1))] for part in (0.35, 0.65, 1)]
        titles = [title for title in self._frames if title]
        what = f", {' above and '.join(titles)} below" if len(titles) > 1 else ""
        moments = ", ".join(f"{step:,}" for step in chosen)
        ends = {title: frames[-1].step for title, frames in self._frames.items()}
        over = "".join(
            f" ({title}: to its last, {end:,})" for title, end in ends.items() if end < last
        )
        count = len(next(iter(self._labels.values())))
        return pixels.still(
            _still_png(self._frames, self._labels, chosen),
            f"q(z|x) of {count:,} images as ellipses in the latent plane after {moments} steps of "
            f"training{over}{what}; the prior's circles dashed.",
            f"How q(z|x) moves over {last:,} steps of training{over}: ellipses of one standard "
            "deviation, each picture at its own scale. Run the cell to play and scrub.",
        )

    def __repr__(self):
        """One line: images, steps, and the frame shown."""
        titles = " and ".join(title for title in self._frames if title)
        count = len(next(iter(self._labels.values())))
        return (
            f"Bubbles of {count:,} images{', ' + titles if titles else ''}: "
            f"step {self.steps[self.frame]:,} of {self.steps[-1]:,}"
        )


def _checked(films, classes):
    """The frames of each film, and the classes' names or None."""
    if not 1 <= len(films) <= 2:
        raise ValueError(f"films holds {len(films)} films, 1 or 2 are needed.")
    recorded = {}
    for title, film in films.items():
        if not isinstance(film, Film):
            raise TypeError(
                f"films holds {type(film).__name__}, an explorers.Film is needed: record one with "
                "fit(model, ..., watch=film)."
            )
        recorded[title] = film.frames
        if not recorded[title]:
            raise ValueError("a film has no frames: record some with fit(model, ..., watch=film).")
        _, names = marked(film.labels, classes, len(film.labels))
    return recorded, names


def _numbers(title, frames):
    """What the page needs of a film beside its codes."""
    return {
        "title": title,
        "count": len(frames[0].mean),
        "steps": [frame.step for frame in frames],
        "reconstruction": [round(frame.reconstruction, 3) for frame in frames],
        "kl": [round(frame.kl, 3) for frame in frames],
        "sd": [frame.sd.float().median().item() for frame in frames],
        "limits": _limits(frames),
        "prior": _fixed_prior(frames).flatten(1).tolist(),
    }


def _fixed_prior(frames):
    """(K, 2, 2): the parts of a prior that stays as it is; none of one that learns."""
    first = frames[0].prior
    return first if all(torch.equal(frame.prior, first) for frame in frames) else first[:0]


def _limits(frames):
    """Half a side of the plane for each frame: holds 49 of 50 bubbles, and changes seldom."""
    reach = [(f.mean.float().abs() + f.sd.float()).amax(1).quantile(0.98).item() for f in frames]
    steps = [next((step for step in LADDER if step >= r), LADDER[-1]) for r in reach]
    return [max(steps[max(0, i - 2) : i + 3]) for i in range(len(steps))]


def _still_png(recorded, labels, chosen):
    figure = Figure(figsize=(8, 2.9 * len(recorded)), dpi=96, layout="constrained")
    grid = figure.subplots(len(recorded), len(chosen), squeeze=False)
    for row, (title, frames) in zip(grid, recorded.items(), strict=True):
        limits = _limits(frames)
        for axes, step in zip(row, chosen, strict=True):
            index = max([i for i, frame in enumerate(frames) if frame.step <= step], default=0)
            _draw(axes, frames[index], labels[title], limits[index])
            name = f"{title}: " if title and axes is row[0] else ""
            axes.set_title(f"{name}step {frames[index].step:,}", fontsize=10)
    return pixels.figure_png(figure)


def _draw(axes, frame, labels, limit):
    mean, (widths, heights) = frame.mean.float(), (2 * frame.sd.float().t()).numpy()
    colours = [LABELS[label % 10] for label in labels.tolist()]
    shapes = EllipseCollection(
        *(widths, heights, 0 * widths), units="xy", offsets=mean.numpy(), alpha=0.1,
        facecolors=colours, edgecolors=colours, offset_transform=axes.transData,
    )  # fmt: skip
    axes.add_collection(shapes)
    marks(axes, mean, labels, 14)
    prior_ellipses(axes, frame.prior)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect=1, xlabel="$z_1$")
    axes.tick_params(labelsize=8)
    axes.locator_params(nbins=5)
