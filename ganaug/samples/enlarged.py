"""What is lost where images are larger than what the generator makes, told to whoever is about to serve them.

Measured on trashnet with an EfficientNet-lite0, fine-tuned at 160 px, two seeds: where a quarter of the real training
photographs was replaced by the same photographs reduced to 32 px, balanced accuracy fell from .770 and .758 to .736 and
.733. A generator of 32 px makes nothing finer than such photographs.
"""

from __future__ import annotations

import warnings

import numpy as np

from ganaug.data.spec import ImageCodec, Size, usual_size
from ganaug.errors import EnlargedWarning
from ganaug.generator.card import Card
from ganaug.generator.folder import Fitted
from ganaug.samples.elsewhere import Pictures
from ganaug.samples.verdict import Measured, measured_with, own_verdict

_SOME = 8  # pictures whose sizes are looked at
MOST = 2.0  # times the side that the generator makes: up to there nothing is said
LOSS = (
    "A quarter of the training photographs reduced to 32 px cost a pretrained network 3 points of balanced accuracy "
    "(trashnet)."
)
BENCH = "`ganaug bench DATA --test TEST --run RUN --model NAME --out BENCH`"


def served_size(card: Card) -> tuple[Size, Size]:
    """(made, served) of images, both (height, width) in px: what the generator makes, and the usual size of the user's
    own, at which they are served."""
    _, height, width = card.shape
    return (height, width), card.codec.size or (height, width)


def is_enlarged(made: Size, served: Size) -> bool:
    """Whether a side is more than `MOST` times what is made."""
    return any(large > MOST * small for small, large in zip(made, served, strict=True))


def enlargement(card: Card, size: Size | None = None) -> str:
    """What is lost, as a sentence; "" where little is. size: of the real images, by default the usual one of those of
    the fit."""
    if not isinstance(card.codec, ImageCodec):
        return ""
    made, usual = served_size(card)
    if size is None and card.codec.size is None:
        return (
            f"Images are made at {_px(made)} and served so: the real ones have several sizes, which this run of an "
            "earlier version does not tell (fit again to have it)."
        )
    if not is_enlarged(made, size or usual):
        return ""
    return (
        f"Images are made at {_px(made)} and served enlarged, where the real ones have {_px(size or usual)}: what is "
        f"finer than 1/{min(made)} of the side is not in them."
    )


def warn_of_enlarged(fitted: Fitted, size: Size | None = None, *, at: Size | None = None, depth: int) -> None:
    """Say what is lost, unless a bench at the size of the real images found that synthetic ones help.

    size: of the real images, see `enlargement`. at: size at which a classifier is given them, where that is known.
    depth: of the user's call.
    """
    said = enlargement(fitted.card, size)
    if not said:
        return
    verdict = own_verdict(fitted)
    word, by = ("", Measured()) if verdict is None else (verdict["verdict"], measured_with(verdict))
    enough = at is None or (by.size is not None and all(a >= b for a, b in zip(by.size, at, strict=True)))
    advice = f"{LOSS} Measure yours first, {BENCH}, or use ratio='auto' (--ratio auto)."
    if by.native and enough and word != "withheld":
        if word == "helps":
            return
        advice = f"The verdict at such a size is `{word}`: leave them out, as ratio='auto' (--ratio auto) does."
    warnings.warn(f"{said} {advice}", EnlargedWarning, stacklevel=depth + 1)


def warn_of_small(pictures: Pictures, size: Size | None, *, depth: int) -> None:
    """The same of images that were made elsewhere, by some of them. Of these no verdict is known here.

    size: of the real images. depth: of the user's call.
    """
    if size is None or not len(pictures):
        return
    some = pictures.read(np.linspace(0, len(pictures) - 1, min(_SOME, len(pictures))).astype(int))
    made = usual_size([(picture.height, picture.width) for picture in some])
    if is_enlarged(made, size):
        warnings.warn(
            f"Synthetic images have {_px(made)} and are served enlarged, where the real ones have {_px(size)}. {LOSS} "
            "Measure yours: `ganaug bench DATA --test TEST --synthetic FOLDER --model NAME --out BENCH`.",
            EnlargedWarning,
            stacklevel=depth + 1,
        )


def _px(size: Size) -> str:
    height, width = size
    return f"{height} px" if height == width else f"{height} x {width} px"
