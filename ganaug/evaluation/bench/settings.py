"""What a user may ask of a bench, besides the images: one dataclass for Python, command line and file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganaug.classifier.remedies import REMEDIES, remedy_named
from ganaug.classifier.use import DEFAULTS, uses_in_words
from ganaug.errors import OptionError
from ganaug.networks.changes import ALLOW, allowed
from ganaug.options import DATA_KINDS, Reading, option

RATIOS = (0.1, 0.25, 0.5)
TUNES = ("probe", "finetune", "scratch")


def _augmentations() -> str:
    from ganaug.classifier.augmentation import AUGMENTATIONS, BLENDS  # torch and torchvision, for help alone

    return ", ".join(dict.fromkeys((*AUGMENTATIONS, *BLENDS)))


@dataclass(frozen=True)
class BenchSettings(Reading):
    """What a bench is asked for, besides the images.

    Each setting is also an option of `ganaug bench` and an argument of `ganaug.bench`. `Reading` has further ones,
    which say how the data are read.

    Parameters
    ----------
    test : any source, optional
        The test images, which are touched once. By default the data's own test part.
    ratios : tuple of float, default (0.1, 0.25, 0.5)
        Synthetic shares to try, above 0 and below 1.
    uses : tuple of str, default ("plain", "light")
        Ways of using synthetic images to try (docs/reference.md lists them).
    augmentations : tuple of str, optional
        Augmentations to try without synthetic images; by default all that are allowed. ("none",) tries nothing.
    allow : tuple of str, optional
        Changes that keep the label of your images; no others are made. () allows none. By default those that the run
        was told of, or all where nobody was told.
    remedies : tuple of str, optional
        Alternatives to synthetic images to try; by default all that fit. () tries none.
    model : str, optional
        The classifier that is asked about: "small", or a network of timm. By default, for images over 64 px, a network
        whose weights are installed, else "small". Of rows and series "boosting" (the default) or "logistic".
    weights : str, default "pretrained"
        Of that network: "pretrained", "none", or a safetensors file.
    tune : {"probe", "finetune", "scratch"}, optional
        What is trained of it: a linear classifier on its features (the default with weights), all of it from these
        weights, or all of it from the start (the default without).
    train : callable or str, optional
        Your own training in place of a model: a function, or "file.py:function".
    deploy : str, optional
        Like `model`, for a network that will be used by itself: averages of networks and larger networks are then not
        chosen, but they may teach it (distillation).
    unlabelled : any source, optional
        Images without labels to learn from. Those that are in the test set count as a leak.
    seeds : int, optional
        Paired seeds of the comparison: by default 10, or 5 if quick. With one there is no verdict.
    quick : bool, default False
        Try fewer seeds, steps and alternatives.
    search : bool, default True
        Try more than the first learning rate, weight decay and balancing.
    steps : int, optional
        Of each training of the small network; by default by the number of images.
    kind : {"auto", "images", "table", "series"}, default "auto"
        What the data are, where there is no run to say so. Only series (N, C, T) need it.
    drop : tuple of str, default ()
        Columns of a table to leave out, where there is no run that knows its columns.
    limit : int, optional
        At most so many training images of each class.
    seed : int, default 0
        Of all random numbers.
    test_groups : path or sequence, optional
        The subjects of the test images. Where only those of the training images are known, the verdict is withheld.
    pairs : path or array, optional
        The paired images of the data, for a run that learned from pairs.
    cache : path, optional
        Folder for pictures and their features, which several benches of the same images share.
    device : str, default "auto"
        Of the classifiers and of the generator; "auto" is CUDA where there is a GPU.
    exact_only : bool, default False
        Leave only exact copies of seen images out of the test set, and list near-duplicates: for different images that
        all look alike.

    Raises
    ------
    OptionError
        A value is out of range.

    Examples
    --------
    >>> import ganaug
    >>> settings = ganaug.BenchSettings(ratios=(0.25,), remedies="mean,longer", quick=True)
    >>> settings.remedies
    ('mean', 'longer')
    """

    test: Any = option(None, "Test images; for a .npz file its own test part, if not given.", metavar="DATA")
    ratios: tuple[float, ...] = option(
        RATIOS, "A synthetic share to try; repeatable.  [default: 0.1, 0.25, 0.5]", metavar="R", flag="--ratio"
    )
    uses: tuple[str, ...] = option(
        DEFAULTS,
        lambda: (
            f"A use of synthetic images to try: {uses_in_words()}, or several joined by +; repeatable.  "
            "[default: plain, light]"
        ),
        metavar="NAME",
        flag="--use",
    )
    augmentations: tuple[str, ...] | None = option(
        None,
        lambda: (
            f"Augmentation to try without synthetic images: {_augmentations()}; repeatable. See also --allow.  "
            "[default: all; affine and flips with --quick]"
        ),
        metavar="NAME",
        flag="--augmentation",
    )
    allow: tuple[str, ...] | None = option(
        None, f"{ALLOW}All others are left out of the training.  [default: as the run was told]", metavar="NAMES"
    )
    remedies: tuple[str, ...] | None = option(
        None,
        lambda: (
            f"Remedies to try without synthetic images: {', '.join(REMEDIES)}; repeatable, or joined by commas; none "
            "means no remedies.  [default: all that fit]"
        ),
        metavar="NAMES",
    )
    model: str | None = option(
        None,
        "The classifier: small, or a network of timm; of rows boosting or logistic.  [default: an installed network "
        "for images over 64 px, else small; boosting]",
        metavar="NAME",
    )
    weights: str = option(
        "pretrained", "Weights of the network: pretrained, none, or a safetensors file.", metavar="FILE"
    )
    tune: str | None = option(
        None, "What is trained of the network.  [default: probe; scratch without weights]", choices=TUNES
    )
    train: Any = option(None, "Your own training: FILE.py:function.", metavar="FILE:NAME")
    deploy: str | None = option(
        None, "The network that you will deploy, like --model: larger ones may only be its teachers.", metavar="NAME"
    )
    unlabelled: Any = option(None, "Images without labels to learn from.", metavar="DATA")
    kind: str = option(
        "auto", "What DATA holds, without --run; only series (N, C, T) need it.", choices=("auto", *DATA_KINDS)
    )
    drop: tuple[str, ...] = option((), "Column of a table to leave out, without --run; repeatable.", metavar="COL")
    seeds: int | None = option(None, "Paired seeds of the final comparison; no verdict with one.", least=1)
    quick: bool = option(False, "Fewer seeds, steps and alternatives.")
    search: bool = option(True)
    steps: int | None = option(None)
    limit: int | None = option(None, "At most N training images a class.", least=2)
    seed: int = option(0)
    test_groups: Any = option(
        None, "CSV of image and group of the test images; images of one group count as one.", path="file"
    )
    pairs: Any = option(None, "Paired images (masks), of the same names as DATA's.", metavar="FOLDER", path="any")
    cache: Any = option(
        None, "Folder of pictures and features, for several benches.  [default: OUT/seen]", metavar="FOLDER", path="any"
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...", metavar="NAME")
    exact_only: bool = option(
        False,
        "Leave only exact copies of seen images out of the test set, and list the near-duplicates: for different "
        "images that all look alike, such as parts before one camera.",
    )

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "ratios", _shares(self.ratios))
        object.__setattr__(self, "allow", allowed(self.allow))
        if self.kind not in ("auto", *DATA_KINDS):
            raise OptionError(
                f"There is no kind of data {self.kind!r}.", f"Choose one of: auto, {', '.join(DATA_KINDS)}."
            )
        if self.tune not in (None, *TUNES):
            raise OptionError(f"There is no tune {self.tune!r}.", f"Choose one of: {', '.join(TUNES)}.")
        if self.remedies is not None:
            names = tuple(name.strip() for one in self.remedies for name in one.split(","))
            for name in set(names) - {"none"}:
                remedy_named(name or " ")
            if "none" in names and len(set(names)) > 1:
                raise OptionError("No remedy and some remedies are asked for.", "Leave out none, or the others.")
            object.__setattr__(self, "remedies", names)


def _shares(ratios: Any) -> tuple[float, ...]:
    try:
        if not isinstance(ratios, str):
            return tuple(map(float, ratios))
    except (TypeError, ValueError):
        pass
    raise OptionError(f"ratios is {ratios!r}.", "Give numbers above 0 and below 1: ratios=(0.1, 0.25).")
