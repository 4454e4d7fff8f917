"""How the plots of this package look: SVG text that is the same for the same figures."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which everybody can tell apart.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLE: Final[Any] = {
    "svg.hashsalt": "oae",  # names inside the file do not change
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=list(COLOURS)),
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
}


class Drawing:
    """A figure with one pair of axes, `axes`; `svg` is its text once the block has ended."""

    def __init__(self) -> None:
        # A Figure without pyplot: nothing global, no window system.
        self.figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        self.axes: Axes = self.figure.subplots()
        self.svg = ""


@contextmanager
def drawing() -> Iterator[Drawing]:
    """Draw in the house style:

    with drawing() as made:
        made.axes.plot(x, y)
    plot = Plot("name", "caption", made.svg)
    """
    with matplotlib.rc_context(STYLE):
        made = Drawing()
        yield made
        text = io.StringIO()
        made.figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    made.svg = svg[svg.index("<svg") :]  # without the XML declaration: it goes into a page
