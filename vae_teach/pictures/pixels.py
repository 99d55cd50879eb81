"""Pixels for the explorers: decoded images, PNGs drawn without pyplot, and still pictures."""

import base64
import html
import io

import numpy as np
import torch
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from vae_teach.models.interface import decoded, device_of, has_prior, likelihood_of, looking

# In trusted notebooks a live widget hides its still picture, one output below. Sanitizers drop the
# rule together with the widget, so the picture stays where nothing is live. ipywidgets' mark of a lost
# kernel goes: an explorer works without one, or says itself that it needs one.
_LIVE = ":has(.vae-teach-live)"
_STYLE = f"""<style>
.jp-OutputArea-child{_LIVE} + .jp-OutputArea-child:has(.vae-teach-still),
.output_area{_LIVE} + .output_area:has(.vae-teach-still) {{ display: none; }}
.jupyter-widgets-disconnected:has(> .vae-teach-live)::before {{ display: none; }}
</style>"""
PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 1em; background: Canvas; font: 16px/1.5 system-ui, sans-serif; }
[data-explorer]:has(> .vae-teach-live) ~ .vae-teach-still { display: none; }
.vae-teach-still { margin: 0; max-width: 60em; }
.vae-teach-still img { max-width: 100%; background: white; }
"""


def mean_images(model, z):
    """Decode codes into the mean of p(x|z), or into an autoencoder's images.

    Args:
        model: a VAE, a learner's own module with `decode` and `prior`, or an Autoencoder.
        z: float32 codes (B, d).

    Returns:
        float32 (B, C, H, W) on the CPU, ink in [0, 1]; a Gaussian's means are cut to that range.
    """
    z = z.to(device_of(model))
    with looking(model):
        if has_prior(model):
            return likelihood_of(model).mean_image(decoded(model, z)).float().cpu()
        return model.decode(z).clamp(0, 1).float().cpu()


def tile(images, columns):
    """Lay images (B, C, H, W) out row by row as one image (C, rows * H, columns * W)."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    blank = torch.zeros(rows * columns - count, channels, height, width)
    grid = torch.cat([images, blank]).reshape(rows, columns, channels, height, width)
    return grid.permute(2, 0, 3, 1, 4).reshape(channels, rows * height, columns * width)


def to_array(image):
    """Image (C, H, W) as shown: uint8 (H, W), or (H, W, 3) for three channels.

    One channel is ink on white paper, always from 0 to 1: nothing is rescaled to the image's range.
    """
    image = image.detach().cpu().float()
    values = (1 - image[0] if len(image) == 1 else image.permute(1, 2, 0)).clamp(0, 1)
    return np.round(values.numpy() * 255).astype(np.uint8)


def to_bytes(images):
    """Ink in [0, 1] as a byte a pixel, image by image: what the pages' function `stored` reads."""
    return (images.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy().tobytes()


def small_png(picture, most=60_000):
    """Encode uint8 (H, W) or (H, W, 3) as a PNG of as many colours as fit into `most` bytes."""
    for colours in (64, 32, 16, 8):
        data = io.BytesIO()
        Image.fromarray(picture).quantize(colours).save(data, "png", optimize=True)
        if data.tell() <= most:
            break
    return data.getvalue()


def figure_png(figure):
    """A matplotlib figure as such a PNG, drawn without pyplot."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return small_png(np.asarray(canvas.buffer_rgba())[..., :3])


def still(png, alt, caption):
    """HTML of a picture for readers without a kernel, a script or trust.

    Args:
        png: bytes of the picture.
        alt: what a blind reader needs instead of it.
        caption: one line below it.
    """
    data = base64.b64encode(png).decode()
    return (
        f'{_STYLE}<figure class="vae-teach-still"><img alt="{html.escape(alt)}" '
        f'src="data:image/png;base64,{data}"><figcaption>{html.escape(caption)}</figcaption></figure>'
    )


def show(widget, picture):
    """Display a widget and, as a second output, its still picture (HTML).

    Two outputs, because a notebook shows only the richest form of one.
    """
    view = {
        "text/plain": repr(widget),
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 0,
            "model_id": widget.model_id,
        },
    }
    display(view, raw=True)
    display({"text/html": picture, "text/plain": repr(widget)}, raw=True)
