"""Latent sliders: one slider a latent dimension, and the image decoded from them."""

import math
import threading

import torch
from ipywidgets import Button, FloatSlider, GridBox, HBox, Label, Layout, VBox

from vae_teach import checks
from vae_teach.explorers import pixels
from vae_teach.explorers.panel import LiveImage

MOST = 64
_ALT = "Image decoded from the sliders' code: the mean of p(x|z)"
SIZE = 336  # of the image on screen, in pixels


class LatentSliders(HBox):
    """Sliders for the numbers of a code, beside the mean of p(x|z).

    Args:
        model: a VAE with 1 or 3 image channels.
        z: the code to start from, a float32 tensor (d,); None is the origin.
        dimensions: which latent dimensions get a slider; None is all, at most 64.

    Attributes:
        z: the code shown now, a float32 tensor (d,).

    Raises:
        TypeError, ValueError: what was handed in does not fit; the message says what would.
    """

    def __init__(self, model, z=None, dimensions=None):
        """Check the arguments and draw the first image."""
        start = torch.zeros(model.latent_dim) if z is None else z.detach().cpu().float()
        self._dimensions = _check(model, start, dimensions)
        self._model, self._start, self._code = model, start, start.clone()
        # Callbacks run on a thread of their own, beside the cell that runs, and beside each other.
        self._lock, self._moving = threading.RLock(), False
        limit = max(3.0, float(math.ceil(start.abs().max())))
        self._sliders = [_slider(i, start[i].item(), limit) for i in self._dimensions]
        frame = Layout(max_width="100%", align_self="center", border="1px solid #999")
        self._image = LiveImage(format="png", tooltip=_ALT, layout=frame)
        self._message = Label(layout=Layout(display="none"))
        for slider in self._sliders:
            slider.observe(self._redraw, "value")
        reset = Button(description="Reset", tooltip="Back to the code this started from")
        random = Button(description="Random z ~ p(z)", tooltip="A code drawn from the prior")
        reset.on_click(lambda _: self._move(lambda: self._start))
        random.on_click(lambda _: self._move(self._model.prior.sample))
        columns = math.ceil(len(self._sliders) / (10 if len(self._sliders) <= 30 else 16))
        template = Layout(
            grid_auto_flow="column",
            grid_template_rows=f"repeat({math.ceil(len(self._sliders) / columns)}, auto)",
            grid_auto_columns="minmax(210px, 1fr)",
            flex=f"1 1 {210 * columns}px",  # where this does not fit, it goes below the image
        )
        grid = GridBox(self._sliders, layout=template)
        left = VBox(
            [
                Label("Decoded image: mean of p(x|z)"),
                self._image,
                HBox([reset, random]),
                self._message,
            ],
            layout=Layout(align_items="center", padding="6px"),
        )
        super().__init__(
            [left, grid], layout=Layout(flex_flow="row wrap", align_items="flex-start")
        )
        self.add_class("vae-teach-live")
        self._redraw()

    @property
    def z(self):
        """The code shown now, float32 (d,); a copy."""
        with self._lock:
            return self._code.clone()

    def _redraw(self, _change=None):
        """Decode what all sliders say now: whichever call comes last shows the last values."""
        with self._lock:
            if self._moving:
                return
            try:
                for i, slider in zip(self._dimensions, self._sliders, strict=True):
                    self._code[i] = slider.value
                image = pixels.mean_images(self._model, self._code[None])[0]
                self._image.value = pixels.to_png(image, SIZE)
                self._message.layout.display = "none"
            except Exception as problem:
                self._tell(problem)

    def _move(self, source):
        """Set all sliders to source(), and draw once."""
        with self._lock:
            try:
                code = source().detach().cpu()
            except Exception as problem:
                self._tell(problem)
                return
            self._moving = True
            for i, slider in zip(self._dimensions, self._sliders, strict=True):
                slider.value = code[i].item()
            self._moving = False
            self._redraw()

    def _tell(self, problem):
        self._message.value = f"{type(problem).__name__}: {problem}"
        self._message.layout.display = ""

    def still(self):
        """HTML of a picture: each row moves one slider from end to end (the first ten)."""
        rows, steps = self._dimensions[:10], torch.linspace(-3, 3, 11)
        codes = self.z.repeat(len(rows), len(steps), 1)
        for row, i in enumerate(rows):
            codes[row, :, i] = steps
        images = pixels.mean_images(self._model, codes.flatten(0, 1))
        names = ", ".join(f"z{i + 1}" for i in rows)
        picture = pixels.to_array(pixels.tile(images, len(steps)))
        return pixels.still(
            pixels.small_png(picture.repeat(2, 0).repeat(2, 1)),
            f"{len(rows)} rows of decoded images; from left to right one number of z goes from "
            f"-3 to 3 and the others stay; from the top: {names}.",
            f"What a slider does: each row moves one number of z from −3 to 3 ({names}). "
            f"Run the cell to drag them.",
        )

    def _ipython_display_(self):
        pixels.show(self, self.still())

    def __repr__(self):
        """One line: sliders, dimensions, and the length of the code."""
        return (
            f"LatentSliders on {len(self._dimensions)} of {self._model.latent_dim} dimensions "
            f"at |z| = {self.z.norm().item():.2f}"
        )


def _slider(index, value, limit):
    name = "z" + "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(index + 1))
    return FloatSlider(
        value=value,
        min=-limit,
        max=limit,
        step=0.01,
        description=name,
        layout=Layout(width="auto"),
        style={"description_width": "2.2em"},
    )


def _check(model, start, dimensions):
    if start.shape != (model.latent_dim,):
        raise ValueError(f"z has shape {tuple(start.shape)}, ({model.latent_dim},) is needed.")
    checks.finite(start, "z")
    if dimensions is None and model.latent_dim > MOST:
        raise ValueError(
            f"model.latent_dim is {model.latent_dim}, {MOST} sliders at most: say which, "
            f"for example dimensions=range(20)."
        )
    chosen = list(range(model.latent_dim) if dimensions is None else dimensions)
    wrong = [i for i in chosen if i not in range(model.latent_dim)]
    if wrong or not chosen or len(set(chosen)) < len(chosen) or len(chosen) > MOST:
        raise ValueError(
            f"dimensions is {chosen}, from 1 to {MOST} different numbers from 0 to "
            f"{model.latent_dim - 1} are needed."
        )
    return chosen
