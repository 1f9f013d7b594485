"""The pictures of the report, as data URIs: SVG for plots, PNG for image grids. No network, no text that needs a font
for class names (those stay in the HTML)."""

from __future__ import annotations

import base64
import io
from textwrap import fill
from typing import Any

import numpy as np
import torch
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

REAL, SYNTHETIC, GREY = "#4a6fa5", "#c7682b", "#888888"
WIDE, SMALL = 5.6, (3.7, 2.8)  # inches; a phone shows the wide ones at two thirds of their size, which can be read
STYLE: Any = {"font.size": 10, "svg.hashsalt": "ganaug", "axes.spines.top": False, "axes.spines.right": False}


def strip(pixels: Tensor, side: int = 48) -> str:
    """Images uint8 (N, C, H, W) side by side, as PNG, enlarged or reduced to about `side` px; empty text for none."""
    if not len(pixels):
        return ""
    if max(pixels.shape[2:]) > side:
        scale = side / max(pixels.shape[2:])
        size = [max(1, round(n * scale)) for n in pixels.shape[2:]]
        pixels = interpolate(pixels.float(), size, mode="area").round().to(torch.uint8)
    chosen = pixels.numpy()
    items, channels, height, width = chosen.shape
    canvas = np.full((height, items * (width + 1) - 1, channels), 255, dtype=np.uint8)
    for i, image in enumerate(chosen):
        canvas[:, i * (width + 1) : i * (width + 1) + width] = image.transpose(1, 2, 0)
    buffer = io.BytesIO()
    picture = Image.fromarray(canvas[..., 0] if channels == 1 else canvas)
    times = max(1, round(32 / height))
    picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def picture(image: Image.Image, most: int = 320) -> str:
    """One picture as JPEG, at most so many px wide and high."""
    shown = image.convert("RGB")
    shown.thumbnail((most, most))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


@rc_context(STYLE)
def arms_plot(data: dict[str, Any]) -> str:
    """Every arm on validation: its seeds as dots, their mean as a bar; the selected ones are filled."""
    arms = data["validation"]
    axes = Figure((WIDE, 0.9 + 0.3 * len(arms)), layout="constrained").subplots()
    for row, arm in enumerate(arms):
        colour = SYNTHETIC if arm["ratio"] else REAL
        axes.plot(np.array(arm["values"]) * 100, [row] * len(arm["values"]), "o", ms=4, color=colour, alpha=0.45)
        mark, size = ("D", 7) if arm["selected"] else ("|", 11)
        axes.plot(arm["mean"] * 100, row, mark, ms=size, color=colour, mew=2)
    names = [", ".join([arm["name"], *(f"{name} {value:g}" for name, value in arm["knobs"].items())]) for arm in arms]
    axes.set_yticks(range(len(arms)), [fill(name, 44) for name in names], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(f"{data['metric']} on validation (%)", loc="right")  # wider than the axes
    axes.grid(axis="x", alpha=0.3)
    return _svg(axes.figure)


@rc_context(STYLE)
def ladder_plot(data: dict[str, Any]) -> str:
    """What each remedy changes on the test set, over the classifier as it is: mean and interval; empty text if none was
    tried."""
    rungs = [rung for rung in data["ladder"][1:] if not rung["why not"]]
    if not rungs:
        return ""
    axes = Figure((WIDE, 0.9 + 0.3 * len(rungs)), layout="constrained").subplots()
    axes.axvline(0, color=GREY, lw=1)
    for row, rung in enumerate(rungs):
        change, colour = rung["difference"], REAL if rung["in the best"] else GREY
        axes.plot([change["low"] * 100, change["high"] * 100], [row, row], lw=3, color=colour, solid_capstyle="butt")
        axes.plot(change["mean"] * 100, row, "D", ms=6, color=colour)
    axes.set_yticks(range(len(rungs)), [rung["words"] for rung in rungs], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel(f"change of {data['metric']} on the test set (points)", loc="right")
    axes.grid(axis="x", alpha=0.3)
    return _svg(axes.figure)


@rc_context(STYLE)
def difference_plot(change: dict[str, Any], metric: str, items: str) -> str:
    """The paired difference on the test set: every seed, the mean and its interval, and the line of no change."""
    axes = Figure((WIDE, 1.7), layout="constrained").subplots()
    axes.axvline(0, color="#777777", lw=1)
    axes.plot([change["low"] * 100, change["high"] * 100], [0, 0], lw=4, color=SYNTHETIC, solid_capstyle="butt")
    axes.plot(change["mean"] * 100, 0, "D", ms=9, color=SYNTHETIC)
    axes.plot(np.array(change["per_seed"]) * 100, [1] * len(change["per_seed"]), "o", ms=5, color=REAL, alpha=0.6)
    axes.set_yticks([0, 1], [f"mean, {change['level']:.0%} interval", "each seed"])
    axes.set_ylim(-0.6, 1.6)
    axes.set_xlabel(f"change of {metric} by synthetic {items} (points)")
    axes.grid(axis="x", alpha=0.3)
    return _svg(axes.figure)


@rc_context(STYLE)
def shares_plot(data: dict[str, Any], answer: dict[str, Any], source: str) -> str:
    """Validation score over the synthetic share, a line for each use of synthetic images; at 0 the arm without. Of one
    network of the first kind."""
    axes = Figure(SMALL, layout="constrained").subplots()
    base = answer["arms"]["without"]
    same = ("classifier", "augmentation", "blend", "remedy", "longer", "taught", "knobs")
    alike = [
        arm for arm in data["validation"] if arm["networks"] == 1 and all(arm[name] == base[name] for name in same)
    ]
    at_none = {arm["ratio"]: arm["mean"] for arm in alike if not arm["ratio"]}
    mixed = [arm for arm in alike if arm["ratio"] and arm["made"] == source]
    for use in dict.fromkeys(arm["use"] for arm in mixed):
        points = at_none | {arm["ratio"]: arm["mean"] for arm in mixed if arm["use"] == use}
        ratios = sorted(points)
        axes.plot([100 * ratio for ratio in ratios], [100 * points[r] for r in ratios], "o-", ms=4, label=use)
    axes.set_xlabel("synthetic share (%)")
    axes.set_ylabel(f"validation {data['metric']} (%)")
    axes.legend(frameon=False, title="use of what is synthetic")
    return _svg(axes.figure)


@rc_context(STYLE)
def losses_plot(arms: dict[str, Any]) -> str:
    """Training loss of the two compared arms; empty text where it has no course."""
    return _over_time(arms, "curve", "training loss", 1)


@rc_context(STYLE)
def watched_plot(arms: dict[str, Any]) -> str:
    """Accuracy of the two compared arms on validation images, during their trainings; empty text if nobody looked."""
    return _over_time(arms, "watched", "validation accuracy (%)", 100)


def _over_time(arms: dict[str, Any], name: str, words: str, times: float) -> str:
    if not all(arms[side][name] for side in ("without", "with")):
        return ""
    axes = Figure(SMALL, layout="constrained").subplots()
    for side, colour in (("without", REAL), ("with", SYNTHETIC)):
        curve = arms[side][name]
        axes.plot(
            np.linspace(0, 100, len(curve) + 1)[1:], times * np.array(curve), color=colour, label=f"{side} synthetic"
        )
    axes.set_xlabel("training (%)")
    axes.set_ylabel(words)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _svg(axes.figure)


def _svg(figure: Any) -> str:
    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
