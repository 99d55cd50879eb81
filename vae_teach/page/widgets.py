"""What the package takes from ipywidgets and anywidget; where they are missing, stand-ins that hold values.

With stand-ins an explorer or a panel is made and shows its still picture, but nothing can be dragged.
"""

import contextlib
from types import SimpleNamespace

import traitlets as t

MISSING = (
    "Nothing can be dragged here, as ipywidgets or anywidget is missing: run "
    "%pip install ipywidgets anywidget in a cell, restart the kernel, and run the cells again."
)


class _Widget(t.HasTraits):
    """The values of a widget that no page shows."""

    comm, model_id = None, ""

    def __init__(self, layout=None, **traits):
        nothing = {"width": None, "close": lambda: None}
        self.layout = SimpleNamespace(**nothing | (layout or {}))
        self.style = SimpleNamespace(**nothing)
        super().__init__(**traits)

    def close(self):
        """There is no page to take it from."""

    def on_msg(self, _callback, remove=False):
        """No page sends anything."""

    def hold_sync(self):
        """No page waits for changes."""
        return contextlib.nullcontext()

    @staticmethod
    def get_manager_state(**_settings):
        """What a page of its own would hold."""
        raise ImportError(MISSING)


class _Control(_Widget):
    """What the picture of a panel needs of a control: its value, which code may set."""

    value = t.Any()
    description, readout_format, base = "", "", 10.0

    def __init__(self, value=None, min=0, max=1, step=0.1, *, options=(), layout=None, **settings):
        vars(self).update(settings, min=min, max=max, step=step)
        pairs = options.items() if isinstance(options, dict) else options
        pairs = [pair if isinstance(pair, tuple) else (str(pair), pair) for pair in pairs]
        self._options_labels = tuple(label for label, _ in pairs)
        self._options_values = tuple(meant for _, meant in pairs)
        if value is None:
            value = self._options_values[0] if pairs else 0
        super().__init__(layout, value=value)

    @property
    def index(self):
        """Which of the options the value is."""
        return self._options_values.index(self.value)


try:
    from anywidget import AnyWidget
    from ipywidgets import Widget, widget_serialization
except ImportError:
    AnyWidget = Widget = _Widget
    widget_serialization = {}
LIVE = AnyWidget is not _Widget

try:
    from ipywidgets import (
        Checkbox,
        Dropdown,
        FloatLogSlider,
        FloatSlider,
        IntSlider,
        Layout,
        RadioButtons,
        SelectionSlider,
        ToggleButtons,
    )
except ImportError:
    Layout = dict
    Checkbox, Dropdown, FloatLogSlider, FloatSlider, IntSlider = (
        type(name, (_Control,), {})
        for name in ("Checkbox", "Dropdown", "FloatLogSlider", "FloatSlider", "IntSlider")
    )
    RadioButtons, SelectionSlider, ToggleButtons = (
        type(name, (_Control,), {}) for name in ("RadioButtons", "SelectionSlider", "ToggleButtons")
    )

__all__ = [
    "LIVE",
    "MISSING",
    "AnyWidget",
    "Checkbox",
    "Dropdown",
    "FloatLogSlider",
    "FloatSlider",
    "IntSlider",
    "Layout",
    "RadioButtons",
    "SelectionSlider",
    "ToggleButtons",
    "Widget",
    "widget_serialization",
]
