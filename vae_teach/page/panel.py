"""A panel: a few controls and one picture that the kernel draws again whenever one of them moves."""

import base64
import io
import itertools
import threading

import numpy as np
import torch
import traitlets as t
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from vae_teach.page import inputs
from vae_teach.page.html import mount, page
from vae_teach.page.web_explorer import WebExplorer
from vae_teach.page.widgets import FloatSlider, Layout
from vae_teach.pictures import pixels

NARROWEST = 336  # screen pixels; a smaller image is shown with its pixels repeated
HEAVIEST = 6_000_000  # bytes of pictures drawn beforehand


class Panel(WebExplorer):
    """Controls above a picture of what they say.

    The page asks for one picture at a time, always with what the controls say then: the last value
    wins, and nothing plays on after the hand has stopped. pyplot is never touched, so a panel
    cannot disturb a figure that a running cell draws.

    Args:
        draw: called as draw(**values) with every control's value. It returns an image (C, H, W),
            float, ink in [0, 1]; a uint8 array (H, W) or (H, W, 3); or a matplotlib Figure. A
            figure that is the same object as before is not drawn anew: only its artists made with
            `animated=True` are, over all the others as they were the first time. That takes
            milliseconds instead of tens of them, so make a figure once, outside of `draw`. Hand
            matplotlib NumPy arrays: it reads a tensor number by number.
        controls: dict of name -> ipywidgets control (FloatSlider, IntSlider, FloatLogSlider,
            SelectionSlider, Dropdown, ToggleButtons, RadioButtons or Checkbox). The page shows
            inputs of its own; to set a control's `value` draws at once and moves them.
        alt: what a reader who cannot see the picture needs to know.
        caption: data and settings, shown below the still picture.

    Attributes:
        values: dict of name -> value, what the controls say now.
        error: what went wrong in the last drawing, or "".

    Raises:
        TypeError: another kind of control, or `draw` returns something else.
    """

    alt = t.Unicode().tag(sync=True)
    specs = t.List().tag(sync=True)  # for each control what its input needs
    width = t.Unicode("460px").tag(sync=True)  # of the inputs
    shown = t.Dict().tag(sync=True)  # the page's values of which `image` is a picture
    image = t.Bytes().tag(sync=True)
    answered = t.Float(0).tag(sync=True)  # the number of the page's last request
    error = t.Unicode().tag(sync=True)
    _draw = None  # before it is made, and after it is closed

    def __init__(self, draw, controls, alt, caption=""):
        """Draw once, so that an error shows in the cell that made the panel."""
        specs = [inputs.described(name, control) for name, control in controls.items()]
        self._controls, self.caption = dict(controls), caption
        # Requests are answered on a thread of their own, beside the cell that runs.
        self._lock, self._screen, self._taking = threading.RLock(), _Screen(), False
        self._pixels = self._screen.pixels(draw(**self.values))
        self._draw = draw
        widths = [control.layout.width for control in controls.values()]
        widest = max((w for w in widths if w and w.endswith("px")), default="460px", key=_number)
        super().__init__(
            alt=alt, specs=specs, width=widest, shown=self._said(), image=_webp(self._pixels)
        )
        for control in self._controls.values():
            control.observe(self._moved, "value")
        self.on_msg(self._asked)

    @property
    def values(self):
        """What the controls say now: dict of name -> value."""
        return {name: control.value for name, control in self._controls.items()}

    def _said(self):
        return {name: inputs.to_page(control) for name, control in self._controls.items()}

    def _moved(self, _change):
        with self._lock:
            if not self._taking:  # else the request draws, once for all its values
                self._show()

    def _asked(self, _widget, request, _buffers):
        with self._lock:
            self._show(request["values"], answered=request["number"])

    def _show(self, sent=(), **reply):
        """Draw what the controls say, and send picture, values and reply to the page as one update."""
        if self._draw is None:
            return
        try:
            self._take(dict(sent))
            reply["shown"] = self._said()
            self._pixels = self._screen.pixels(self._draw(**self.values))
            reply |= {"image": _webp(self._pixels), "error": ""}
        except Exception as problem:
            reply["error"] = f"{type(problem).__name__}: {problem}"
        with self.hold_sync():
            for name, value in reply.items():
                setattr(self, name, value)

    def _take(self, sent):
        self._taking = True
        try:
            for name, value in sent.items():
                inputs.from_page(self._controls[name], value)
        finally:
            self._taking = False

    def to_html(self, title="vae_teach", most=240):
        """One self-contained page, live without a kernel: it shows pictures drawn beforehand.

        Args:
            title: of the page.
            most: how many pictures to draw, over a grid of the controls' values; fewer, if they
                weigh more than 6 MB.

        Returns:
            str; write it to a file with `pathlib.Path("page.html").write_text(..., "utf-8")`.
        """
        saved = self._saved()
        grid, which, frames = self._beforehand(most)
        mine = saved[self.model_id]
        ends = list(itertools.accumulate(map(len, frames)))
        mine["state"] |= {"grid": grid, "which": which, "ends": ends}
        data = base64.b64encode(b"".join(frames)).decode()
        mine.setdefault("buffers", []).append(
            {"path": ["frames"], "encoding": "base64", "data": data}
        )
        return page(f"{mount(self.model_id)}{self.still()}", saved, title)

    def _beforehand(self, most):
        """Pictures over a grid: its values, for each point the picture's number, the pictures."""
        controls = list(self._controls.values())
        with self._lock:
            try:
                while True:
                    grid, which, frames = inputs.places(controls, most), [], {}
                    for point in itertools.product(*grid):
                        values = map(inputs.meaning, controls, point)
                        drawn = self._draw(**dict(zip(self._controls, values, strict=True)))
                        frame = _webp(self._screen.pixels(drawn), method=1)
                        which.append(frames.setdefault(frame, len(frames)))
                        if sum(map(len, frames)) > HEAVIEST and most > 1:
                            break
                    else:
                        return grid, which, list(frames)
                    most = min(most, len(which)) - 1  # as many as were light enough
            finally:
                self._draw(**self.values)  # the figure's artists are back where they were

    def still(self):
        """HTML of the picture as it is now, for readers without a kernel."""
        with self._lock:
            caption = f"{self.caption} Run the cell to drag.".strip()
            return pixels.still(pixels.small_png(self._pixels), self.alt, caption)

    def close(self):
        """Remove the panel from every page, with its controls, its figure and `draw`."""
        if self._draw is None:
            return
        with self._lock:
            self._draw = self._screen = None
            self.on_msg(self._asked, remove=True)
            for control in self._controls.values():
                control.unobserve(self._moved, "value")
                control.style.close()
                control.layout.close()
                control.close()
            super().close()

    def __repr__(self):
        """One line: the controls and their values."""
        values = ", ".join(f"{k} = {v}" for k, v in self.values.items())
        return f"Panel at {values}"


def wide_slider(value, low, high, step, description):
    """A FloatSlider of 460 screen pixels, so that a long description leaves room to drag."""
    layout = Layout(width="460px")
    return FloatSlider(value, min=low, max=high, step=step, description=description, layout=layout)


def _number(width):
    return float(width.removesuffix("px"))


def _webp(picture, method=0):
    """Lossless, and with method 0 encoded in half of PNG's time; 1 takes twice that for half the size."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "webp", lossless=True, method=method, quality=0)
    return data.getvalue()


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
