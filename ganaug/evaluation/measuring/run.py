"""All measures of the samples of one generator, or of images that were made elsewhere, in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganaug.classifier.judge import STEPS, judge_of
from ganaug.data.required import require_counts
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import ImageCodec
from ganaug.data.texts import among
from ganaug.defaults import usual_defaults
from ganaug.errors import OptionError, TooFewImagesError
from ganaug.evaluation.measuring.cas import classification_accuracy_scores
from ganaug.evaluation.measuring.compare import NO_CLASSES, Looked
from ganaug.evaluation.measuring.extractors import Extractor, from_timm, inception, own
from ganaug.evaluation.measuring.measurement import Measurement
from ganaug.evaluation.measuring.sides import Sides, sides
from ganaug.evaluation.measuring.vectors import measure_vectors
from ganaug.generator.folder import Fitted
from ganaug.generator.parts import images_like, refuse_known
from ganaug.metrics import Interval
from ganaug.options import Reading, merged
from ganaug.reporting import Report, automatic, printable, shows_progress
from ganaug.samples.blocks import Renderer
from ganaug.samples.run import Samples, as_loaded, made_elsewhere, withheld
from ganaug.samples.variants import Variants

PER_CLASS, ALTOGETHER = 500, 10_000  # samples of each class, and of all, unless a number is given


@shows_progress
@usual_defaults()
def measure(
    run: Samples,
    data: Any,
    reading: Reading | None = None,
    *,
    test: Any = None,
    extractor: str | Extractor = "own",
    per_class: int | None = None,
    steps: int = STEPS,
    pairs: Any = None,
    seed: int = 0,
    device: str = "cpu",
    report: Report = automatic,
    **given: Any,
) -> Measurement:
    """Measure samples of every class against real items that the generator never saw.

    Samples of a generator that translates images are its variants of the images of the fit. A generator that knows no
    classes is measured without labels. Rows of a table and series are compared value by value, with scikit-learn's
    extra-trees as classifier; what is said of images is refused there. Classes that a choice withholds are measured,
    and named. Nothing is written.

    Parameters
    ----------
    run : str, path, Run, Fitted or any source
        A run, or images that were made elsewhere: a folder, or whatever `ganaug.open_source` takes. The latter are
        measured at the size at which `ganaug.load_images` reads the data; classes are matched by name.
    data : any source
        What the run was fitted on, in any form that `ganaug.fit` takes. What samples may be copies of are the data.
    reading : Reading, optional
        How the data are read.
    test : any source, optional
        Further items to compare with, in place of the data's own unseen ones.
    extractor : str or Extractor, default "own"
        What gives the features: "own" (a classifier that is trained here on real images), "timm:NAME",
        "timm:NAME@weights.safetensors", "inception", or an `Extractor`.
    per_class : int, optional
        Samples of each class, 2 or more; by default 500, fewer for more than 20 classes.
    steps : int, default 600
        Of each of the five small classifiers that are trained.
    pairs : path or array, optional
        The paired images of the data, where the run learned from pairs.
    seed : int, default 0
        Of all random numbers.
    device : str, default "cpu"
        Where generator and classifiers run.
    report : callable, optional
        Shows the progress: called as `report(phase, done, total, text)`. By default there is a bar with the time left
        on a terminal and in a notebook, and nothing elsewhere; `ganaug.silent` shows nothing.
    **given
        Fields of `Reading` by name.

    Returns
    -------
    Measurement
        Figures with intervals, for all samples and for each class.

    Raises
    ------
    OptionError
        A setting is out of range, or would change nothing.
    WeightsError
        The weights of an extractor cannot be had.
    TooFewImagesError
        There are no items to compare with.
    LabelMismatchError
        The data have none of the classes.

    Examples
    --------
    >>> import ganaug
    >>> found = ganaug.measure("runs/digits", "digits", per_class=20, steps=5)
    >>> found["FID"].interval.value > 0
    True
    """
    if per_class is not None and per_class < 2:
        raise OptionError(f"{per_class} samples of a class cannot be measured.", "Give --per-class 2 or more.")
    reading = merged(Reading, reading, given)
    made = made_elsewhere(run, report)
    source = as_loaded(run) if made is None else made
    count = per_class or max(2, min(PER_CLASS, ALTOGETHER // len(source.classes)))
    if isinstance(source, Fitted) and not isinstance(source.card.codec, ImageCodec):
        about = {"extractor": extractor != "own", "pairs": pairs is not None, "steps": steps != STEPS}
        for option in (name for name, given in about.items() if given):
            raise OptionError(f"The run makes no images, and --{option} is about images.", "Leave it out.")
        refuse_known(source.card, reading)
        return measure_vectors(source, data, test, count, seed, report)
    if isinstance(source, Fitted):
        source.refuse_idle(pairs=pairs)
    elif pairs is not None:
        raise OptionError(
            "Images that were made elsewhere do not start from other images: paired images would change nothing.",
            "Leave out --pairs (pairs=).",
        )
    chosen_device = torch.device(device)
    chosen = None if extractor == "own" else _extractor(extractor, chosen_device)
    names: tuple[str, ...] = ()
    of = source.card if isinstance(source, Fitted) else source
    parts = sides(of, data, reading, test=test, pairs=pairs, seed=seed, report=report)
    if isinstance(source, Fitted):
        classes = source.classes
        samples, notes = _samples(source, parts, count, seed, chosen_device, report)
    else:
        classes = parts.card.classes
        samples, notes, names = _read(source, parts, count, seed, report)
    judge, augmentation = judge_of(parts.judge, steps=steps, seed=seed, device=chosen_device, report=report)
    other = parts.unseen if len(parts.unseen) else parts.reference
    reference, seen, unseen = ((part.pixels, part.labels) for part in (parts.reference, parts.seen, other))
    looked = Looked(samples, reference, seen, unseen, classes, judge.predict)

    def accuracies() -> tuple[Interval, ...]:
        cas = classification_accuracy_scores(
            samples, parts.seen, parts.reference, steps=steps, seed=seed, device=chosen_device, report=report
        )
        return cas.train, cas.test, cas.ceiling

    if not looked.labelled:
        notes += (NO_CLASSES,)
    found = looked.measurement(
        chosen or own(judge), accuracies, parts.seen,
        {"augmentation": augmentation, "images": len(parts.judge), "steps": steps}, (*notes, *parts.notes),
        copies_of="pixels" if parts.copied else "", seed=seed, report=report,
    )  # fmt: skip
    return replace(found, names=names)


def _read(
    made: ImageSource, parts: Sides, count: int, seed: int, report: Report
) -> tuple[tuple[Tensor, Tensor], tuple[str, ...], tuple[str, ...]]:
    """Samples that were made elsewhere, `count` of each class where there are so many; notes; and their names."""
    images = images_like(parts.card, made, limit=count, seed=seed, report=report)
    images = images.in_order(parts.card.classes, "The samples", "the data")
    require_counts(images.classes, images.counts(), 2, unreadable=images.unreadable)
    notes = []
    if images.unreadable:
        name, why = images.unreadable[0]
        notes.append(f"{len(images.unreadable)} samples cannot be read and are left out, the first is {name}: {why}")
    same = int(among(images.fingerprints, parts.reference.fingerprints).sum())
    if same:
        notes.append(f"{same} samples are images that they are compared with: figures are better than they should be.")
    return (images.pixels, images.labels), tuple(notes), images.names


def _samples(
    fitted: Fitted, parts: Sides, count: int, seed: int, device: torch.device, report: Report
) -> tuple[tuple[Tensor, Tensor], tuple[str, ...]]:
    """uint8 (N, C, H, W), class after class, `count` of each where there are so many; labels int64 (N,); notes."""
    classes = fitted.card.classes
    notes: tuple[str, ...] = ()
    if left_out := withheld(fitted):
        notes = (f"The choice serves no samples of {', '.join(map(printable, left_out))}; figures include them.",)
    if fitted.starts_from is None:
        renderer = Renderer(fitted, seed, device=device)
        streams = (renderer.stream(label, count) for label in range(len(classes)))
    else:
        variants = Variants(fitted, parts.seen, seed, device=device)
        streams = (_of_class(variants, name, label, count) for label, name in enumerate(classes))
        notes += (
            f"Samples are made from the {len(parts.seen)} images of the fit "
            f"({fitted.starts_from.value}), so their number says little of how many different ones there are.",
        )
    images = []
    for done, (name, stream) in enumerate(zip(classes, streams, strict=True), start=1):
        images.append(np.concatenate(list(stream)))
        report("render", done, len(classes), name)
    labels = torch.arange(len(classes)).repeat_interleave(torch.tensor([len(part) for part in images]))
    return (torch.from_numpy(np.concatenate(images)), labels), notes


def _of_class(variants: Variants, name: str, label: int, count: int) -> Iterator[np.ndarray]:
    from_own = sum(variants.label(own) == label for own in variants.images.labels.tolist())
    if not from_own:
        raise TooFewImagesError(f"There is no image to make {name!r} from.", "Give data with every class.")
    return variants.stream(*variants.making(name, count if variants.several else min(count, from_own)))


def _extractor(extractor: str | Extractor, device: torch.device) -> Extractor:
    if isinstance(extractor, Extractor):
        return extractor
    if extractor == "inception":
        return inception(device)
    kind, _, name = extractor.partition(":")
    if kind != "timm" or not name:
        raise OptionError(f"There is no extractor {extractor!r}.", "Choose own, timm:NAME or inception.")
    name, _, weights = name.partition("@")
    if weights and not os.path.isfile(weights):
        raise OptionError(f"{weights} is not a file.", "Give a safetensors file of the model's weights.")
    return from_timm(name, weights or None, device)
