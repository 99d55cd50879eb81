"""What a panel's page must know of ipywidgets' controls, and the places where each can stand.

A page's value is what travels between page and kernel: a slider's number, the index of a choice, or
whether a box is checked.
"""

import math

from vae_teach.page.widgets import (
    Checkbox,
    Dropdown,
    FloatLogSlider,
    FloatSlider,
    IntSlider,
    RadioButtons,
    SelectionSlider,
    ToggleButtons,
)

_CHOICES = {SelectionSlider: "slider", Dropdown: "select"} | dict.fromkeys(
    [ToggleButtons, RadioButtons], "radio"
)
_NUMBERS = (FloatSlider, IntSlider, FloatLogSlider)


def described(name, control):
    """What the page needs to build this control's input.

    Returns:
        dict with name, label and kind ("slider", "select", "radio" or "checkbox"); choices have
        their options' labels; sliders of numbers min, max, step, format, and base (0: not logarithmic).

    Raises:
        TypeError: not one of the controls that the page can show.
    """
    about = {"name": name, "label": getattr(control, "description", "") or name}
    if isinstance(control, Checkbox):
        return about | {"kind": "checkbox"}
    if isinstance(control, _NUMBERS):
        numbers = {key: getattr(control, key) for key in ("min", "max", "step")}
        numbers["base"] = getattr(control, "base", 0)
        return about | numbers | {"kind": "slider", "format": control.readout_format}
    for kind, shape in _CHOICES.items():
        if isinstance(control, kind):
            return about | {"kind": shape, "options": list(control._options_labels)}
    known = [kind.__name__ for kind in (*_NUMBERS, *_CHOICES, Checkbox)]
    raise TypeError(
        f"controls[{name!r}] is {type(control).__name__}, an ipywidgets control is needed, one of "
        f"{', '.join(known)}, for example FloatSlider(0.5, min=0, max=1)."
    )


def to_page(control):
    """The page's value of what the control says now."""
    return control.index if _has_options(control) else control.value


def from_page(control, sent):
    """Set the control to a page's value."""
    if _has_options(control):
        control.index = sent
    else:
        control.value = sent


def meaning(control, sent):
    """The control's value that a page's value stands for."""
    return control._options_values[sent] if _has_options(control) else sent


def places(controls, most):
    """A grid over all controls: every choice, and places as many, and as even, as fit for sliders.

    Args:
        controls: list of ipywidgets controls.
        most: how many points the grid may have; all the choices are in it even so.

    Returns:
        list of lists, for each control the page's values in order; what it says now is one of them.
    """
    every = [_every(control) for control in controls]
    counts = [1 if _is_slider(c) else len(all_) for c, all_ in zip(controls, every, strict=True)]
    growing = [i for i, control in enumerate(controls) if _is_slider(control)]
    while growing:
        least = min(growing, key=lambda i: counts[i])
        counts[least] += 1
        if counts[least] > len(every[least]) or math.prod(counts) > most:
            counts[least] -= 1
            growing.remove(least)
    now = [to_page(control) for control in controls]
    return [_picked(*one) for one in zip(every, now, counts, strict=True)]


def _picked(every, now, count):
    """`count` of the values, evenly from first to last, but `now` instead of the inner one closest."""
    if count == 1:
        return [now]
    picked = [every[round(k * (len(every) - 1) / (count - 1))] for k in range(count)]
    if now not in picked:
        inner = range(1, count - 1) or range(count)
        picked[min(inner, key=lambda k: abs(picked[k] - now))] = now
    return picked


def _every(control):
    """All the page's values at which the control can stand, in order."""
    if isinstance(control, Checkbox):
        return [False, True]
    if _has_options(control):
        return list(range(len(control._options_labels)))
    low, high, step = control.min, control.max, control.step
    count = math.ceil((high - low) / step - 1e-9)
    values = [min(high, low + k * step) for k in range(count + 1)]
    return [control.base**v for v in values] if isinstance(control, FloatLogSlider) else values


def _has_options(control):
    return isinstance(control, tuple(_CHOICES))


def _is_slider(control):
    return isinstance(control, (*_NUMBERS, SelectionSlider))
