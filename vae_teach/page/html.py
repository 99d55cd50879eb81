"""Web pages around explorers: live in any browser, without a kernel or a network."""

import json

from vae_teach.page.files import PACKAGE
from vae_teach.pictures import pixels


def mount(model_id):
    """HTML of the place where a page draws the explorer of this id."""
    return f'<div data-explorer="{model_id}"></div>'


def live(states):
    """HTML that draws a page's explorers at their places: goes once, at the end of its body.

    Args:
        states: dict of model id -> saved state, as under "state" in a notebook's widget metadata.
    """
    wanted = {
        key: {"state": s["state"], "buffers": s.get("buffers", [])} for key, s in states.items()
    }
    data = json.dumps(wanted).replace("</", "<\\/")  # no tag may end inside a script
    return (
        f'<script type="application/json" id="vae-teach-state">{data}</script>\n'
        f'<script type="module">\n{(PACKAGE / "page" / "page.js").read_text("utf-8")}</script>'
    )


def page(body, states, title):
    """A whole HTML page around explorers."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{pixels.PAGE_STYLE}</style>'
        f"</head>\n<body><main>{body}</main>\n{live(states)}\n</body></html>\n"
    )
