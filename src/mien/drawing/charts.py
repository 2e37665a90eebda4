"""Charts as SVG elements: sharp at every size, readable without scripts, and text in them cannot become markup."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

SVG = "http://www.w3.org/2000/svg"

_WIDTH, _HEIGHT = 760, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 28, 40


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart.

    Attributes:
        name: in the legend, which is drawn where there are several.
        values: one a bar, >= 0.
        colour: `#rrggbb`.
    """

    name: str
    values: Sequence[float]
    colour: str = "#0072b2"


def bar_chart(labels: Sequence[str], series: Sequence[Series], *, x_title: str, y_title: str) -> Element:
    """Bars, those of several series stacked.

    Args:
        labels: below the bars; as many are shown as fit.
        series: each with as many values as there are labels; at least one.
        x_title, y_title: what the axes are.

    Returns:
        An `<svg>` element for HTML; each bar has its numbers as a tooltip.
    """
    count = len(labels)
    totals = [sum(one.values[at] for one in series) for at in range(count)]
    step = _nice(max(totals, default=0) / 4 or 0.25)
    if all(total == int(total) for total in totals):
        step = max(step, 1.0)
    top = step * max(1, math.ceil(max(totals, default=0) / step - 1e-9))
    svg = Element(
        "svg",
        {
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "class": "chart",
            "aria-label": f"{y_title} by {x_title}",
        },
    )
    across, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    for tick in range(round(top / step) + 1):
        y = _TOP + high * (1 - tick * step / top)
        line = {"x1": str(_LEFT), "x2": str(_WIDTH - _RIGHT), "y1": f"{y:.1f}", "y2": f"{y:.1f}", "class": "grid"}
        SubElement(svg, "line", line)
        _text(svg, _number(tick * step), _LEFT - 6, y + 4, "end")
    pitch = across / max(count, 1)
    for at in range(count):
        below = 0.0
        for one in series:
            value = one.values[at]
            if value > 0:
                y, tall = _TOP + high * (1 - (below + value) / top), high * value / top
                shape = {"x": f"{_LEFT + pitch * (at + 0.1):.1f}", "y": f"{y:.1f}", "width": f"{pitch * 0.8:.1f}"}
                bar = SubElement(svg, "rect", {**shape, "height": f"{tall:.1f}", "fill": one.colour})
                name = f"{one.name}, " if len(series) > 1 else ""
                SubElement(bar, "title").text = f"{name}{labels[at]}: {_number(value)}"
            below += value
    every = max(1, math.ceil(max((len(label) for label in labels), default=1) * 7.5 / pitch))
    for at in range(0, count, every):
        _text(svg, labels[at], _LEFT + pitch * (at + 0.5), _HEIGHT - _BOTTOM + 16, "middle")
    _text(svg, x_title, _LEFT + across / 2, _HEIGHT - 6, "middle", "axis")
    _text(svg, y_title, 4, 14, "start", "axis")
    if len(series) > 1:
        x = float(_WIDTH - _RIGHT)
        for one in reversed(series):
            x -= 8 + 7.5 * len(one.name)
            _text(svg, one.name, x, 14, "start")
            SubElement(svg, "rect", {"x": f"{x - 14:.1f}", "y": "5", "width": "10", "height": "10", "fill": one.colour})
            x -= 22
    return svg


def _text(svg: Element, text: str, x: float, y: float, anchor: str, kind: str = "tick") -> None:
    SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "class": kind}).text = text


def _nice(step: float) -> float:
    """The next of ..., 0.5, 1, 2, 5, 10, 20, ..."""
    power = 10 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step - 1e-12)


def _number(value: float) -> str:
    return f"{value:.6g}"
