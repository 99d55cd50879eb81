"""The explorers that are tested and measured: how to make each, what is dragged, and how."""

from typing import NamedTuple

SETUP = """
import gc, json, weakref
import matplotlib.pyplot as plt, numpy as np, psutil, torch
from IPython.display import display
from ipywidgets import Checkbox, Dropdown, IntSlider, ToggleButtons, interactive
from ipywidgets.widgets.widget import _instances
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from vae_teach import em, pretrained
from vae_teach.data.strokes import strokes
from vae_teach.explorers import (
    BetaSlider, Bubbles, DrawDigit, ElboBars, EmStepper, Film, Interpolation, LatentPlane,
    LatentSliders
)
from vae_teach.page import Panel
from vae_teach.pictures.pixels import mean_images
from vae_teach.models.vae import VAE
from vae_teach.objectives import elbo
from vae_teach.training import fit

torch.manual_seed(0)
data = strokes(train=3000, test=2000, seed=0)
images, labels = data.test_images, data.test_labels
small, large = VAE(2, hidden=(200, 200)), VAE(20, hidden=(400,))
for model in (small, large):  # an untrained decoder draws the same grey everywhere
    with torch.no_grad():
        model.decoder[0].weight.mul_(4)

broken = False

def digit(k):
    \"\"\"An image that moves with k from 0 to 200; its middle says k as its grey level.\"\"\"
    if broken:
        raise ValueError("no picture today")
    image = mean_images(small, torch.tensor([[k / 50 - 2, 0.5]]))[0]
    image[:, 10:18, 10:18] = k / 255
    return image

made, seen = {}, set()  # by explorer, the numbers of its widgets; of all so far

def alive():
    used = lambda widget: len(getattr(widget, "users", ()))  # a network that another explorer uses
    return {number: type(w).__name__ for number, w in _instances.items() if not used(w)}

def show(thing, name):
    thing.add_class(name)
    made[name] = set(_instances) - seen
    seen.update(_instances)
    display(thing)
"""


class Explorer(NamedTuple):
    """One line of the table; `name` is that of its variable in the kernel and of its CSS class."""

    name: str
    make: str
    """Python that makes it."""
    handle: str
    """CSS selector of what is dragged."""
    shows: str
    """CSS selector of a picture that follows: a canvas, or another part of it."""
    page: str
    """JavaScript from root to the numbers that the page shows."""
    kernel: str
    """Python expression: the same numbers in the kernel."""
    how: str = "pointer"
    start: tuple[float, float] = (0.5, 0.5)
    """Where a pointer goes down, in parts of the dragged element from its corner left above."""
    end: tuple[float, float] = (0.75, 0.25)
    reset: str = "None"
    """Python that makes two drags along one way end alike."""
    reads: bool = False
    """The kernel draws; the middle of the picture says which value."""

    part: str = ".vae-teach"

    @property
    def root(self):
        return f".{self.name} {self.part}".strip()

    @property
    def cell(self):
        return f"{self.make}\nshow({self.name}, {self.name!r})"


WRITTEN = (
    "[...root.querySelector('{}').textContent.replaceAll('−', '-').matchAll(/-?\\d+\\.\\d+/g)]"
    ".map(Number)"
)
SLIDER = "[Number(root.querySelector('input[type=range]').value)]"
DECODED = """
def painted(k, upside_down, corner, mark):
    image = digit(k)
    image[0, 0 if corner == "upper" else -1, :3] = len(mark)
    return image.flip(1) if upside_down else image
controls = {"k": IntSlider(0, 0, 200), "upside_down": Checkbox(False)}
controls |= {"corner": Dropdown(options=["upper", "lower"])}
controls |= {"mark": ToggleButtons(options=["i", "ii"])}
decoded = Panel(painted, controls, "A picture that follows k.")
"""
FIGURE = """
figure = Figure(figsize=(6, 3.2), layout="constrained")
FigureCanvasAgg(figure)
axes = figure.subplots()
axes.set(xlim=(0, 200), ylim=(-2, 2), xlabel="k")
line, = axes.plot(range(200), [0.0] * 200, animated=True)
spot = axes.add_artist(plt.Rectangle((0.4, 0.3), 0.2, 0.4, transform=figure.transFigure,
                                     animated=True, clip_on=False, zorder=9))
def drawn(k):
    digit(k)
    line.set_ydata(1.5 * np.sin((np.arange(200) + k) / 20))
    spot.set_facecolor(str(1 - k / 255))
    return figure
curve = Panel(drawn, {"k": IntSlider(0, 0, 200)}, "A curve that follows k.")
"""

EXPLORERS = [
    Explorer(
        "plane",
        "plane = LatentPlane(small, images, labels, choices=8)",
        handle=".pad",
        shows="canvas.decoded",
        page=WRITTEN.format(".readout"),
        kernel="list(plane.z)",
    ),
    Explorer(
        "sliders",
        "sliders = LatentSliders(large, images=images)",
        handle="input[type=range]",
        how="input",
        shows="canvas.decoded",
        page=SLIDER,
        kernel="[sliders.code[sliders.dimensions[0]]]",
    ),
    Explorer(
        "beta",
        "kl = torch.outer(torch.tensor([2.0, 1, 0.2]), torch.linspace(3, 0, 20))\n"
        "d, betas = torch.tensor([60.0, 80, 140]), torch.tensor([0.1, 1, 10])\n"
        "beta = BetaSlider(pretrained.load('multirate_mnist'), images, betas, kl, d)",
        handle="input[type=range]",
        how="input",
        shows="canvas, svg *",
        page=SLIDER,
        kernel="[beta.step]",
    ),
    Explorer(
        "bubbles",
        "film = Film(images, labels)\n"
        "few = data.train_images[:1000]\n"
        "fit(VAE(2, hidden=(64,)), few, elbo, epochs=6, progress=False, watch=film)\n"
        "bubbles = Bubbles(film)",
        handle="input[type=range]",
        how="input",
        shows="canvas.layer",
        page=SLIDER,
        kernel="[bubbles.frame]",
    ),
    Explorer(
        "bars",
        "z = torch.linspace(-9, 9, 1801)\n"
        "bars = ElboBars(z, -z**2 / 2 - 0.919, {'one': -(z - 1)**2, 'two': -(z.abs() - 1.5)**2 * 2})",
        handle=".pad",
        shows="canvas, .stack .elbo",
        page="[...root.querySelectorAll('input[type=range]')].map((input) => Number(input.value))",
        kernel="[bars.mean, bars.width]",
    ),
    Explorer(
        "drawing",
        "drawing = DrawDigit(small, images[:500], labels[:500])",
        handle=".pad",
        shows="canvas.decoded",
        start=(0.3, 0.25),
        end=(0.6, 0.75),
        page="(({ width, height }, context) => [...context.getImageData(0, 0, width, height).data]"
        ".filter((_, i) => i % 4 === 0).map((v) => 255 - v))(root.querySelector('.seen'),"
        " root.querySelector('.seen').getContext('2d'))",
        kernel="list(drawing.seen)",
        reset="drawing.image = torch.zeros(1, 1, 28, 28)",
    ),
    Explorer(
        "between",
        "between = Interpolation(large, images, labels)",
        handle="input[type=range]",
        how="input",
        shows="canvas",
        page=SLIDER,
        kernel="[between.t]",
        reset="between.first, between.second = 0, 1",  # between equal ones nothing moves
    ),
    Explorer(
        "stepper",
        "x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)).double()\n"
        "third, means = torch.full((3,), 1 / 3).double(), torch.eye(3, 2).double()\n"
        "start = em.Mixture(third, means, torch.eye(2).double().repeat(3, 1, 1))\n"
        "walk = [(h.name, *vars(h.model).values(), h.responsibilities, h.log_likelihood, h.elbo)\n"
        "        for h in em.mixture(x, start, steps=10)]\n"
        "stepper = EmStepper(x, walk)",
        handle="input[type=range]",
        how="input",
        shows="canvas.points",
        page=SLIDER,
        kernel="[stepper.half_step]",
    ),
    Explorer(
        "decoded",
        DECODED,
        handle="input[type=range]",
        how="input",
        shows="canvas",
        page=SLIDER,
        kernel="[decoded.values['k']]",
        reads=True,
    ),
    Explorer(
        "curve",
        FIGURE,
        handle="input[type=range]",
        how="input",
        shows="canvas",
        page=SLIDER,
        kernel="[curve.values['k']]",
        reads=True,
    ),
]

IN_PAGE = [explorer for explorer in EXPLORERS if not explorer.reads]
IN_KERNEL = [explorer for explorer in EXPLORERS if explorer.reads]

USUAL = Explorer(  # what most notebooks do
    "usual",
    """
def usual(k):
    plt.imshow(digit(k)[0], cmap="gray_r", vmin=0, vmax=1)
    plt.show()
usual = interactive(usual, k=IntSlider(0, 0, 200, layout={"width": "500px"}))
""",
    handle=".noUi-handle",
    how="mouse",
    shows="img",
    page="",
    kernel="[usual.kwargs['k']]",
    reads=True,
    part="",
)

TRAIN = """
import copy
alone = copy.deepcopy(small)
fit(alone, data.train_images, elbo, epochs=24, progress=False)  # now nobody drags
chart = plt.figure(figsize=(3, 2))
plt.plot([0, 1])
history = fit(small, data.train_images, elbo, epochs=24)  # now somebody does
plt.plot(history.train["bound"])
same = all(torch.equal(a, b) for a, b in zip(small.parameters(), alone.parameters()))
finite = all(p.isfinite().all().item() for p in small.parameters())
print(len(history.seconds), plt.gcf() is chart, len(plt.gca().lines), same, finite)
plt.show()
"""

BROKEN = """
broken_plane = LatentPlane(VAE(2, hidden=(8,)), images[:9], labels[:9])
broken_plane.decoder.layers = [["gelu"]]
broken_plane
"""
