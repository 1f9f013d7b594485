"""What a person who has fitted many generators would say about a data set."""

from __future__ import annotations

from collections.abc import Mapping

from ganaug.data.check_report import Check
from ganaug.reporting import printable

FEW = 20  # images a class: below, a generator tends to copy or collapse
UNEQUAL = 5  # largest class over smallest


def advice_for(
    found: Check, *, grey_as_rgb: bool, other_sizes: Mapping[str, int], other_modes: Mapping[str, int]
) -> tuple[str, ...]:
    """Sentences, the weightiest first; none if there is nothing to say. other_sizes, other_modes: of the other set."""
    notes = [
        *_other_set(found), *_other_kind(found, other_sizes, other_modes), *_copies(found), *_amounts(found),
        *_pixels(found, grey_as_rgb), *_names(found),
    ]  # fmt: skip
    if found.unreadable:
        notes.append(f"{len(found.unreadable)} files cannot be read and are skipped: repair or remove them.")
    links = found.ignored.get("link that is not followed", ())
    if links:
        notes.append(
            f"{len(links)} links lead out of the folder and are not followed: --follow-links reads what they lead to, "
            "if it is your own."
        )
    others = found.ignored.get("not an image", ())
    if others:
        first = f"{printable(others[0])}{', ...' * (len(others) > 1)}"
        notes.append(f"{len(others)} files are passed over ({first}): if they are images, convert them to PNG.")
    return tuple(notes)


def _other_kind(found: Check, sizes: Mapping[str, int], modes: Mapping[str, int]) -> list[str]:
    notes = []
    if len(found.sizes) == len(sizes) == 1 and set(found.sizes) != set(sizes):
        notes.append(f"The other set has another size ({', '.join(sizes)} in place of {', '.join(found.sizes)} px): "
                     "its images are resized, and may look sharper or softer than these.")  # fmt: skip
    if modes and found.modes and set(found.modes) != set(modes):
        notes.append(f"The other set has another kind of images ({_listed(set(modes))} in place of "
                     f"{_listed(set(found.modes))}): were both taken, and saved, in the same way?")  # fmt: skip
    return notes


def _other_set(found: Check) -> list[str]:
    if not found.other_counts:
        return []
    here = {name for name, n in found.counts.items() if n}
    there = {name for name, n in found.other_counts.items() if n}
    notes = []
    if here - there:
        notes.append(f"Missing in the other set: {_listed(here - there)}. Classes are matched by name.")
    if there - here:
        notes.append(f"Only in the other set: {_listed(there - here)}. Classes are matched by name.")
    if found.duplicates_between:
        n = len(found.duplicates_between)
        notes.append(f"{n} pictures are in both sets: a test would partly measure memory. Remove them from one.")
    if found.near_duplicates_between:
        n = len(found.near_duplicates_between)
        notes.append(f"{n} pictures of one set are nearly identical to one of the other: remove the same scenes.")
    return notes


def _copies(found: Check) -> list[str]:
    notes = []
    if found.duplicates_across:
        n = len(found.duplicates_across)
        notes.append(f"{n} pictures are in more than one class: at most one of their labels is right.")
    if found.duplicates_within:
        n = sum(len(names) - 1 for names in found.duplicates_within)
        notes.append(f"{n} images are exact copies within their class; copies stay on one side of a split.")
    return notes


def _amounts(found: Check) -> list[str]:
    notes = []
    few = {name: n for name, n in found.counts.items() if n < FEW}
    if few:
        which = ", ".join(f"{printable(name)} ({n})" for name, n in list(few.items())[:8])
        more = f" and {len(few) - 8} more" if len(few) > 8 else ""
        kind = "class" if len(few) == 1 else "classes"
        notes.append(f"Fewer than {FEW} images in {kind} {which}{more}: expect near copies; more would help most.")
    low, high = min(found.counts.values()), max(found.counts.values())
    if low and high >= UNEQUAL * low:
        notes.append(f"Classes are unequal ({high} to {low}, {high / low:.0f} to 1): --balance fills up the small.")
    return notes


def _pixels(found: Check, grey_as_rgb: bool) -> list[str]:
    notes = []
    side = found.shape[-1]
    sizes = [tuple(map(int, size.split(" x "))) for size in found.sizes]
    if len(sizes) > 1:
        notes.append(f"{len(sizes)} different sizes: all are resized to {side} x {side} px; --size chooses another.")
    elif sizes and max(sizes[0]) > side:
        notes.append(f"Images are reduced to {side} x {side} px; --size chooses another (time grows with the area).")
    stretched = sum(n for n, (h, w) in zip(found.sizes.values(), sizes, strict=True) if max(h, w) > 1.5 * min(h, w))
    if stretched:
        notes.append(f"{stretched} images are far from square and will look squeezed: crop them if that matters.")
    if len(found.modes) > 1:
        notes.append("Grey and RGB images are mixed: synthetic ones will be RGB.")
    if any(words.startswith(("transparent", "turned", "of more than 8 bits")) for words in found.read_as):
        notes.append("Other readers do not do what is said above of how files are read: for torchvision's, give "
                     "ImageFolder(root, loader=ganaug.read_image), or fit on the data set itself.")  # fmt: skip
    if grey_as_rgb:
        notes.append("The images are RGB without any colour: one channel is modelled, and served as RGB.")
    return notes


def _names(found: Check) -> list[str]:
    folded: dict[str, list[str]] = {}
    for name in found.counts:
        folded.setdefault(name.casefold().strip(), []).append(name)
    return [
        f"Classes {_listed(names)} differ only in capitals or spaces: is that one class?"
        for names in folded.values()
        if len(names) > 1
    ]


def _listed(names: set[str] | list[str]) -> str:
    return ", ".join(map(printable, sorted(names)))
