"""`augment`: synthetic samples as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganaug.data.outputs import require_outside
from ganaug.data.sources.source import open_source, refuse_idle
from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError
from ganaug.generator.folder import Fitted
from ganaug.options import Reading, merged
from ganaug.reporting import Report, silent
from ganaug.samples.blocks import Renderer
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.exports import format_for
from ganaug.samples.exports.formats import Wanted
from ganaug.samples.plan import Plan
from ganaug.samples.pool import served
from ganaug.samples.run import Loadable, as_loaded
from ganaug.samples.variants import Variants, images_for, translator
from ganaug.samples.verdict import refuse_harmful, warn_of_no_evidence


@usual_defaults()
def augment(
    run: Loadable,
    plan: Plan,
    out: str | Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    truncation: float | None = None,
    data: Any = None,
    pairs: Any = None,
    with_real: Any = None,
    force: bool = False,
    report: Report = silent,
    reading: Reading | None = None,
    **given: Any,
) -> Path:
    """Write `plan[name]` synthetic images of each class as PNG files, in the mode and size of the real ones; rows of a
    table as a CSV file with its columns, order, forms and delimiter, series as an .npz file with x_train, y_train and
    classes; a format of one's own is one function (`ganaug.samples.exports`).

    A class name that is a safe folder name is used as it is (spaces kept), others are escaped. Each line of
    `metadata.jsonl` holds file_name, class, seed, index and the generator's hash: what it takes to make the image
    again. The folder appears at once, when everything is in it; an interruption leaves nothing behind. Gives the
    folder.

    Hugging Face's `load_dataset("imagefolder", data_dir=...)` gives the lines of the metadata as columns;
    `.class_encode_column("class")` turns the names into labels.

    truncation: draws latents within this bound (`Prior.draw`), more typical and less varied images; in the metadata if
    given.

    data: the images to start from, for a generator that translates images (anything that `load_images` takes); source:
    their paired images, where it learned from pairs. The metadata then name the image that each was made from.

    Whoever reads a folder numbers the classes that have images. So that no number differs from that of the real
    images, each class that the plan names gets one image at least, also where it names 0. with_real: the real images,
    in any form that `ganaug.fit` takes, which are written beside the synthetic ones: then the folder is a training set
    by itself. reading, given: how they are read (`Reading`). Where numbers differ all the same, a NumberingWarning says
    how to read the folder.

    force: write images of a run whose verdict is `harms` all the same. Of a class that a choice (`ganaug.choose`)
    withholds, none are written.

    Warns where the real images are far larger than what the generator makes (EnlargedWarning, unless a bench at such a
    size found that its images help), and where a bench found nothing (NoEvidenceWarning).

    Raises OutputInUseError if `out` exists and is not an empty folder, DiskFullError, LabelMismatchError for a class
    that the generator does not know, OptionError for a plan without images and for an `out` in a folder of data (given,
    or with class folders of the generator's names), HarmfulError.
    """
    fitted, out = as_loaded(run), Path(out)
    require_outside(out, data, pairs, with_real, classes=fitted.card.classes)
    fitted.refuse_idle(pairs=pairs, truncation=truncation)
    if with_real is None:
        refuse_idle(merged(Reading, reading, given), (), "samples alone, without real images beside them")
    refuse_harmful(fitted, force)
    fitted.places(plan)
    plan = served(fitted, plan)
    total = sum(plan.values())
    if total < 1 or min(plan.values()) < 0:
        raise OptionError("The plan asks for nothing.", "Every class is full already, or the number is 0.")
    kind = format_for(fitted, out)
    if with_real is not None and not kind.numbered:
        raise OptionError("Real items are written beside synthetic ones into a folder only.", "Leave out --with-real.")
    real = None if with_real is None else open_source(with_real, reading, report=report, **given)
    plan = {name: n for name, n in (plan if real else complete(fitted, plan, out)).items() if n}
    if data is None:
        renderer = Renderer(fitted, seed, device=device, truncation=truncation)
        blocks = {name: renderer.stream(fitted.card.classes.index(name), n) for name, n in plan.items()}
        made_from: dict[str, list[str]] = {}
    else:
        variants = Variants(translator(fitted), images_for(fitted, data, pairs, report), seed, device=device)
        chosen = {name: variants.making(name, n) for name, n in plan.items()}
        blocks = {name: variants.stream(*each) for name, each in chosen.items()}
        made_from = {name: [variants.images.names[row] for row in rows] for name, (rows, _) in chosen.items()}
    warn_of_enlarged(fitted, depth=3)
    warn_of_no_evidence(fitted, depth=3)
    kind.write(Wanted(fitted, plan, blocks, made_from, seed, truncation, real, report), out)
    return out


def complete(fitted: Fitted, plan: Plan, out: str | Path) -> Plan:
    """The plan, in which no class that is served has 0 where that would change the numbers of the others."""
    if not format_for(fitted, Path(out)).numbered:
        return plan
    return {name: n or int(fitted.serves(name)) for name, n in plan.items()}
