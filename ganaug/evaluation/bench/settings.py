"""What a user may ask of a bench, besides the images: one dataclass for Python, command line and file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganaug.classifier.remedies import REMEDIES
from ganaug.classifier.use import DEFAULTS, uses_in_words
from ganaug.networks.changes import ALLOW, allowed
from ganaug.options import Reading, option

RATIOS = (0.1, 0.25, 0.5)
TUNES = ("probe", "finetune", "scratch")


def _augmentations() -> str:
    from ganaug.classifier.augmentation import AUGMENTATIONS, BLENDS  # torch and torchvision, for help alone

    return ", ".join(dict.fromkeys((*AUGMENTATIONS, *BLENDS)))


@dataclass(frozen=True)
class BenchSettings(Reading):
    """test: images that are touched once; without them, the data's own test part. ratios: synthetic shares to try.
    uses: of synthetic images, to try (`ganaug.classifier.use`). augmentations: to try without synthetic images, for
    those to narrow who know which pay; nothing for ("none",), None for all that are allowed. allow: changes that keep
    the label of your images (`ganaug.networks.changes.CHANGES`), () for none; None for those that the run was told of,
    or, where nobody was told, for all. remedies: rivals of synthetic images to try (`ganaug.classifier.remedies`);
    nothing for (), None for all that fit. model: the classifier that is asked about: "small", or a network of timm; by
    default, for images over 64 px, one whose weights are installed. weights: of that network, "pretrained", "none", or
    a safetensors file. tune: what is trained of it: "probe" (a linear classifier on its features, the default with
    weights), "finetune", or "scratch". train: a training of the user's own in place of a model, a function or
    "FILE.py:function", see `ganaug.classifier.own`. deploy: like model, for a network that will be used by itself:
    means and larger networks are then not chosen, and teach it (distillation). unlabelled: images without labels to
    learn from, read by `ganaug.data.unlabelled`; those that are in the test set are a leak. seeds: paired seeds of the
    comparison (default 10, quick 5). quick: fewer seeds, steps and arms. search: try more than the first learning rate,
    weight decay and balancing. steps: of each training of the small network, by default by the number of images. limit:
    at most so many training images a class. seed: of every draw. root, groups and others: see `Reading`. test_groups:
    groups of the test images; where only those of the training images are known, the verdict is withheld. pairs: the
    paired images of the data, for a run that learned from pairs. cache: folder in which pictures and their features are
    kept, which benches of the same images share. device: of the classifiers and of the generator; "auto" is CUDA where
    there is a GPU. exact_only: near-duplicates of seen images stay in the test set and are told of, for images that are
    different and all look alike."""

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
            "for none.  [default: all that fit]"
        ),
        metavar="NAMES",
    )
    model: str | None = option(
        None,
        "The classifier: small, or a network of timm.  [default: an installed one for images over 64 px, else small]",
        metavar="NAME",
    )
    weights: str = option("pretrained", "Of the network: pretrained, none, or a safetensors file.", metavar="FILE")
    tune: str | None = option(
        None, "What is trained of the network.  [default: probe; scratch without weights]", choices=TUNES
    )
    train: Any = option(None, "Your own training: FILE.py:function.", metavar="FILE:NAME")
    deploy: str | None = option(
        None, "The network that will be used, like --model: better ones may only teach it.", metavar="NAME"
    )
    unlabelled: Any = option(None, "Images without labels to learn from.", metavar="DATA")
    seeds: int | None = option(None, "Paired seeds of the final comparison; no verdict with one.", least=1)
    quick: bool = option(False, "Fewer seeds, steps and arms.")
    search: bool = option(True)
    steps: int | None = option(None)
    limit: int | None = option(None, "At most N training images a class.", least=2)
    seed: int = option(0)
    test_groups: Any = option(None, "CSV: item, group, of the test images.", path="file")
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
        for name in ("ratios", "uses"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "allow", allowed(self.allow))
        if self.remedies is not None:
            names = [self.remedies] if isinstance(self.remedies, str) else self.remedies
            object.__setattr__(self, "remedies", tuple(name for one in names for name in one.split(",")))
