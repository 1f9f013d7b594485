"""The page of a bench: one HTML file with everything in it, and nothing that a class name could inject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ganaug.data.rows.table_codec import TableCodec
from ganaug.evaluation.bench.figures import (
    arms_plot,
    difference_plot,
    ladder_plot,
    losses_plot,
    picture,
    shares_plot,
    strip,
    watched_plot,
)  # fmt: skip
from ganaug.evaluation.bench.galleries import galleries
from ganaug.evaluation.bench.played import Played
from ganaug.evaluation.bench.results import items_of, may_flatter, points, words_of
from ganaug.evaluation.trials.parts import Part
from ganaug.metrics import share_interval

SHOWN = 8  # images a class on each side of the grid
CLASSES = 30  # classes in the grid
ROWS, COLUMNS = 2, 8  # of a table: rows of a class on each side, and columns
DROPPED = 200  # dropped images listed by name
PAIRS = 4  # classes of which a real and a synthetic picture are shown as they are served


def page(data: dict[str, Any], played: Played) -> str:
    """The report as text. data: the content of `results.json`; played: where the pictures come from."""
    environment = Environment(
        loader=PackageLoader("ganaug.evaluation.bench", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["points"] = points
    environment.filters["percent"] = lambda share: "-" if share is None else f"{100 * share:.1f}"
    environment.globals["items"] = items_of(data)
    side = 48 if len(data["classes"]) <= 15 else 32
    ladder = [{**rung, "words": words_of(rung["rung"])} for rung in data["ladder"]]
    return environment.get_template("report.html.jinja").render(
        r=data,
        ladder=ladder,
        remedies=_listed(data["most"]["remedies"], items_of(data)),
        may_flatter=may_flatter(data),
        recalls=_recalls(data, _compared(data["most"])),
        ladder_plot=ladder_plot({**data, "ladder": ladder}),
        sources=[_source(data, played, name, side) for name in data["sources"]],
        more=max(0, len(data["classes"]) - CLASSES),
        validation=told_apart(data["validation"]),
        arms=arms_plot(data),
        dropped=data["dropped"][:DROPPED],
    )


def _listed(remedies: Sequence[str], items: str) -> str:
    """As the beginning of a line."""
    words = ", ".join(f"synthetic {items}" if name == "synthetic" else words_of(name) for name in remedies)
    return words[:1].upper() + words[1:]


def _source(data: dict[str, Any], played: Played, name: str, side: int) -> dict[str, Any]:
    """What the page shows of the synthetic images of one source."""
    answer, made, train = data["sources"][name], played.parts.made[name], played.parts.train
    images = items_of(data) == "images"
    grid = [
        {
            "name": word,
            "real": strip(_of(train, i), side),
            "synthetic": strip(_of(made, i), side),
            "agreement": answer["agreement"]["per class"][i],
        }
        for i, word in enumerate(data["classes"][:CLASSES] if images else ())
    ]
    return {
        "name": name,
        "answer": answer,
        "grid": grid,
        "pairs": _pairs(data, train, made) if images else [],
        "cells": _cells(data, train, made),
        "recalls": _recalls(data, answer),
        "shown": galleries(played.parts, made, played.judged[name], side) if images else None,
        "difference": difference_plot(answer["difference"], data["metric"], items_of(data)),
        "shares": shares_plot(data, answer, name),
        "losses": losses_plot(answer["arms"]),
        "watched": watched_plot(answer["arms"]),
    }


def _cells(data: dict[str, Any], train: Part, made: Part) -> dict[str, Any]:
    """Some rows of a table, real and synthetic, in the first columns; {} for images and series."""
    codec = train.codec
    if not isinstance(codec, TableCodec):
        return {}
    columns = [i for i in range(len(codec.header)) if i != codec.place][:COLUMNS]
    rows = []
    for label, name in enumerate(data["classes"][:CLASSES]):
        for what, part in (("real", train), ("synthetic", made)):
            found = codec.decode(part.items[part.labels == label][:ROWS], name)
            rows += [{"class": name, "what": what, "cells": [row[i] for i in columns]} for row in found]
    hidden = len(codec.header) - 1 - len(columns)
    return {"header": [codec.header[i] for i in columns], "rows": rows, "hidden": hidden}


def _of(part: Part, label: int) -> Any:
    return part.items[part.labels == label][:SHOWN]


def _pairs(data: dict[str, Any], train: Part, made: Part) -> list[dict[str, Any]]:
    """A real and a synthetic picture of some classes, at the size at which they are served, where that is larger than
    what is made: [] where it is not."""
    found = []
    for label, name in enumerate(data["classes"]):
        rows = [(part.labels == label).nonzero()[:1, 0].tolist() for part in (train, made)]
        if not all(rows):
            continue
        real, synthetic = (part.image(row) for part, [row] in zip((train, made), rows, strict=True))
        if max(synthetic.size) >= 2 * max(made.items.shape[2:]):
            sizes = [f"{image.width}x{image.height} px" for image in (real, synthetic)]
            found.append({"name": name, "sizes": sizes, "real": picture(real), "synthetic": picture(synthetic)})
    return found[:PAIRS]


def told_apart(arms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The arms, where several bear one name with what else differs in it."""
    names = Counter(arm["name"] for arm in arms)
    return [
        arm if names[arm["name"]] == 1
        else {**arm, "name": ", ".join([arm["name"], *(f"{name} {value:g}" for name, value in arm["knobs"].items())])}
        for arm in arms
    ]  # fmt: skip


def _compared(most: dict[str, Any]) -> dict[str, Any]:
    """The classifier as it is, and the best one, as an answer on synthetic images names its two arms."""
    arms = most["arms"]
    return {"recall": most["recall"], "arms": {"without": arms["as it is"], "with": arms["best"]}}


def _recalls(data: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a class: recall of both arms, the change with its interval, and where that lies on a common scale."""
    changes = [change for change in answer["recall"] if change]
    reach = max([0.01, *(abs(change[edge]) for change in changes for edge in ("low", "high"))])
    rows = []
    for i, name in enumerate(data["classes"]):
        change = answer["recall"][i]
        row = {"name": name, "images": data["data"]["test"]["counts"][i], "change": change}
        for side in ("without", "with"):
            recall = answer["arms"][side]["recall"][i]
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
