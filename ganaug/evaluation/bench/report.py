"""The page of a bench: one HTML file with everything in it, and nothing that a class name could inject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ganaug.evaluation.bench.figures import arms_plot, difference_plot, losses_plot, shares_plot, strip, watched_plot
from ganaug.evaluation.bench.galleries import galleries
from ganaug.evaluation.bench.results import points
from ganaug.evaluation.bench.trial import Outcome, Part, Parts
from ganaug.metrics import share_interval

SHOWN = 8  # images a class on each side of the grid
CLASSES = 30  # classes in the grid
DROPPED = 200  # dropped images listed by name


def page(data: dict[str, Any], parts: Parts, judged: Outcome) -> str:
    """The report as text. data: the content of `results.json`; parts: where the pictures come from; judged: what a
    classifier of real images says of the synthetic ones."""
    environment = Environment(
        loader=PackageLoader("ganaug.evaluation.bench", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["points"] = points
    environment.filters["percent"] = lambda share: "-" if share is None else f"{100 * share:.1f}"
    names = data["classes"]
    side = 48 if len(names) <= 15 else 32
    grid = [
        {
            "name": name,
            "real": strip(_of(parts.train, i), side),
            "synthetic": strip(_of(parts.synthetic, i), side),
            "agreement": data["agreement"]["per class"][i],
        }
        for i, name in enumerate(names[:CLASSES])
    ]
    return environment.get_template("report.html.jinja").render(
        r=data,
        grid=grid,
        more=max(0, len(names) - CLASSES),
        recalls=_recalls(data),
        validation=told_apart(data["validation"]),
        shown=galleries(parts, judged, side),
        arms=arms_plot(data),
        difference=difference_plot(data),
        shares=shares_plot(data),
        losses=losses_plot(data),
        watched=watched_plot(data),
        dropped=data["dropped"][:DROPPED],
    )


def _of(part: Part, label: int) -> Any:
    return part.pixels[part.labels == label][:SHOWN]


def told_apart(arms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The arms, where several bear one name with what else differs in it."""
    names = Counter(arm["name"] for arm in arms)
    return [
        arm if names[arm["name"]] == 1
        else {**arm, "name": f"{arm['name']}, learning rate {arm['lr']}, weight decay {arm['weight decay']}"}
        for arm in arms
    ]  # fmt: skip


def _recalls(data: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a class: recall of both arms, the change with its interval, and where that lies on a common scale."""
    changes = [change for change in data["recall"] if change]
    reach = max([0.01, *(abs(change[edge]) for change in changes for edge in ("low", "high"))])
    rows = []
    for i, name in enumerate(data["classes"]):
        change = data["recall"][i]
        row = {"name": name, "images": data["data"]["test"]["counts"][i], "change": change}
        for side in ("without", "with"):
            recall = data["arms"][side]["recall"][i]
            row[side] = recall
            if recall is not None:
                interval = share_interval(recall * row["images"], row["images"])
                row |= {f"{side} low": interval.low, f"{side} high": interval.high}
        if change:
            left, right = (50 + 50 * change[edge] / reach for edge in ("low", "high"))
            row |= {"left": round(left, 2), "width": round(max(0.5, right - left), 2),
                    "middle": round(50 + 50 * change["mean"] / reach, 2)}  # fmt: skip
        rows.append(row)
    return rows
