"""Changes of an image which may keep its label: one vocabulary for what a user allows, what a discriminator sees, and
what a classifier is trained with."""

from __future__ import annotations

from collections.abc import Collection

from ganaug.errors import OptionError

CHANGES = {
    "flip-x": "mirrored left to right",
    "flip-y": "mirrored top to bottom",
    "turn": "turned by up to 10 degrees",
    "scale": "up to 10 % larger or smaller",
    "shift-x": "moved sideways by up to 1/8 of the side",
    "shift-y": "moved up or down by up to 1/8 of the side",
    "brightness": "brighter or darker by up to 20 % of the range",
    "noise": "with noise, of a standard deviation of up to 10 % of the range",
    "mask-x": "with up to 1/4 of its columns, side by side, blanked out",
    "mask-y": "with up to 1/4 of its rows, side by side, blanked out",
}
AFFINE = ("turn", "scale", "shift-x", "shift-y")  # those that keep it in most sets
ALLOW = (
    f"A change that keeps the label of your images: {', '.join(CHANGES)}; repeatable, or joined by commas; none "
    "means no changes. "
)


def changes_named(names: Collection[str]) -> tuple[str, ...]:
    """These changes, each once, in the order of `CHANGES`. Raises OptionError for one that there is not."""
    for name in names:
        if name not in CHANGES:
            raise OptionError(f"There is no change {name!r} of an image.", f"Choose from: {', '.join(CHANGES)}.")
    return tuple(name for name in CHANGES if name in names)


def allowed(given: str | Collection[str] | None) -> tuple[str, ...] | None:
    """Changes that keep the label, as a user writes them: "flip-x,noise", several names, or "none" alone."""
    if given is None:
        return None
    names = [name.strip() for text in ([given] if isinstance(given, str) else given) for name in text.split(",")]
    if "none" in names and len(set(names)) > 1:
        others = ", ".join(name for name in names if name != "none")
        raise OptionError(f"Nothing is allowed (none), and {others}.", "Leave out none, or the others.")
    return changes_named([name for name in names if name != "none"])
