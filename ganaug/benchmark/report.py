"""The page of a bench: one HTML file with everything in it, and nothing that a class name could inject."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ganaug.benchmark.figures import arms_plot, difference_plot, losses_plot, shares_plot, strip
from ganaug.benchmark.results import points
from ganaug.benchmark.trial import Parts

SHOWN = 8  # images a class on each side of the grid
CLASSES = 30  # classes in the grid
DROPPED = 200  # dropped images listed by name


def page(data: dict[str, Any], parts: Parts) -> str:
    """The report as text. data: the content of `results.json`; parts: where the sample grid comes from."""
    environment = Environment(
        loader=PackageLoader("ganaug.benchmark", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["points"] = points
    environment.filters["percent"] = lambda share: "-" if share is None else f"{100 * share:.1f}"
    names = data["classes"]
    grid = [
        {
            "name": name,
            "real": strip(parts.train.pixels, parts.train.labels, i, SHOWN),
            "synthetic": strip(parts.synthetic.pixels, parts.synthetic.labels, i, SHOWN),
        }
        for i, name in enumerate(names[:CLASSES])
    ]
    recalls = [
        {"name": name, "without": a, "with": b, "images": n, "change": None if a is None or b is None else b - a}
        for name, a, b, n in zip(
            names,
            data["arms"]["without"]["recall"],
            data["arms"]["with"]["recall"],
            data["data"]["test"]["counts"],
            strict=True,
        )
    ]
    return environment.get_template("report.html.jinja").render(
        r=data,
        grid=grid,
        more=max(0, len(names) - CLASSES),
        recalls=recalls,
        arms=arms_plot(data),
        difference=difference_plot(data),
        shares=shares_plot(data),
        losses=losses_plot(data),
        dropped=data["dropped"][:DROPPED],
    )
