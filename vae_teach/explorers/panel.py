"""A panel: a few controls and one picture that the kernel draws again whenever one of them moves."""

import io
import threading

import numpy as np
import torch
from ipywidgets import FloatSlider, Label, Layout, VBox
from ipywidgets import Image as ImageWidget
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from traitlets import Unicode

from vae_teach.explorers import pixels

NARROWEST = 336  # screen pixels; a smaller image is shown with its pixels repeated


class LiveImage(ImageWidget):
    """An Image that can say what it shows: ipywidgets' view fails on a tooltip without this."""

    description = Unicode("").tag(sync=True)


class Panel(VBox):
    """Controls above a picture of what they say.

    The last value always wins: every event draws what all controls say at that moment. pyplot is never
    touched, so a panel cannot disturb a figure that a running cell draws.

    Args:
        draw: called as draw(**values) with every control's value. It returns an image (C, H, W),
            float, ink in [0, 1]; a uint8 array (H, W) or (H, W, 3); or a matplotlib Figure. A
            figure that is the same object as before is not drawn anew: only its artists made with
            `animated=True` are, over all the others as they were the first time. That takes
            milliseconds instead of tens of them, so make a figure once, outside of `draw`. Hand
            matplotlib NumPy arrays: it reads a tensor number by number.
        controls: dict of name -> ipywidgets control with a `value` (FloatSlider, IntSlider,
            Dropdown, ToggleButtons, Checkbox, ...).
        alt: what a reader who cannot see the picture needs to know.
        caption: data and settings, shown below the still picture.

    Raises:
        TypeError: a control without a value, or `draw` returns something else.
    """

    def __init__(self, draw, controls, alt, caption=""):
        """Draw once, so that an error shows in the cell that made the panel."""
        for name, control in controls.items():
            if not hasattr(control, "value"):
                raise TypeError(
                    f"controls[{name!r}] is {type(control).__name__}, an ipywidgets control with a "
                    f"value is needed, for example FloatSlider(0.5, min=0, max=1)."
                )
        self._draw, self._controls, self.alt, self.caption = draw, dict(controls), alt, caption
        # Callbacks run on a thread of their own, beside the cell that runs, and beside each other.
        self._lock, self._screen = threading.RLock(), _Screen()
        self._image = LiveImage(format="webp", tooltip=alt, layout=Layout(max_width="100%"))
        self._message = Label(layout=Layout(display="none"))
        self._show()
        for control in self._controls.values():
            control.style.description_width = "initial"
            control.observe(self._redraw, "value")
        super().__init__(
            [*self._controls.values(), self._image, self._message],
            layout=Layout(align_items="flex-start"),
        )
        self.add_class("vae-teach-live")
        self.add_class("vae-teach-panel")

    @property
    def values(self):
        """What the controls say now: dict of name -> value."""
        return {name: control.value for name, control in self._controls.items()}

    def _show(self):
        self._pixels = self._screen.pixels(self._draw(**self.values))
        data = io.BytesIO()
        # Lossless, and encoded in half of PNG's time.
        Image.fromarray(self._pixels).save(data, "webp", lossless=True, method=0, quality=0)
        self._image.value = data.getvalue()

    def _redraw(self, _change=None):
        with self._lock:
            try:
                self._show()
                self._message.layout.display = "none"
            except Exception as problem:
                self._message.value = f"{type(problem).__name__}: {problem}"
                self._message.layout.display = ""

    def still(self):
        """HTML of the picture as it is now, for readers without a kernel."""
        with self._lock:
            caption = f"{self.caption} Run the cell to drag.".strip()
            return pixels.still(pixels.small_png(self._pixels), self.alt, caption)

    def _ipython_display_(self):
        pixels.show(self, self.still())

    def __repr__(self):
        """One line: the controls and their values."""
        values = ", ".join(f"{k} = {v}" for k, v in self.values.items())
        return f"Panel at {values}"


def wide_slider(value, low, high, step, description):
    """A FloatSlider of 460 screen pixels, so that a long description leaves room to drag."""
    layout = Layout(width="460px")
    return FloatSlider(value, min=low, max=high, step=step, description=description, layout=layout)


class _Screen:
    """Turns what `draw` returned into pixels, and remembers what need not be drawn again."""

    def __init__(self):
        self.figure = None

    def pixels(self, drawn):
        """uint8 (H, W) or (H, W, 3)."""
        if isinstance(drawn, Figure):
            return self._figure(drawn)
        if isinstance(drawn, torch.Tensor):
            drawn = pixels.to_array(drawn.detach().cpu())
        if not isinstance(drawn, np.ndarray) or drawn.dtype != np.uint8:
            raise TypeError(
                f"draw returned {type(drawn).__name__}: a matplotlib Figure, an image tensor "
                f"(C, H, W) or a uint8 array is needed."
            )
        repeat = max(1, NARROWEST // drawn.shape[1])
        return drawn.repeat(repeat, 0).repeat(repeat, 1)

    def _figure(self, figure):
        if figure is not self.figure:
            self.canvas = FigureCanvasAgg(figure)
            self.canvas.draw()
            figure.set_layout_engine("none")  # laid out once: nothing jumps under the hand
            self.background = self.canvas.copy_from_bbox(figure.bbox)
            moving = figure.findobj(lambda artist: artist.get_animated())
            self.moving = sorted(moving, key=lambda artist: artist.get_zorder())
            self.figure = figure
        self.canvas.restore_region(self.background)
        for artist in self.moving:
            figure.draw_artist(artist)
        drawn = Image.fromarray(np.asarray(self.canvas.buffer_rgba()))
        return np.asarray(drawn.convert("RGB"))
