"""What a person who has fitted many generators would say about a data set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ganaug.data.check_report import Check
from ganaug.data.proportion import cut_in_words
from ganaug.data.sources.arrays import UNREAD_GROUPS
from ganaug.data.sources.folder import NOT_AN_IMAGE, OUTSIDE
from ganaug.data.sources.links import DEAD, FETCH, NOT_FOLLOWED
from ganaug.reporting import listed, printable

FEW = 20  # images a class: below, a generator tends to copy or collapse
UNEQUAL = 5  # largest class over smallest
WHAT_HELPS = "runs/what_helps"  # folder of a bench without a generator
SQUEEZED = 1.2  # longer side over shorter, beyond which it is told


def advice_for(
    found: Check, *, other_sizes: Mapping[str, int], other_modes: Mapping[str, int], other_lost: str
) -> tuple[str, ...]:  # fmt: skip
    """Sentences, the weightiest first; none if there is nothing to say. other_sizes, other_modes: of the other set.
    other_lost: a sentence on its images that were not looked at."""
    unlabelled = "" if found.unlabelled is None else found.unlabelled.passed_over
    notes = [
        *([other_lost] if other_lost else []), *([unlabelled] if unlabelled else []),
        *_other_set(found), *_other_kind(found, other_sizes, other_modes), *_copies(found), *_near(found),
        *_groups(found), *_amounts(found), *([found.nested] if found.nested else []), *_pixels(found), *_names(found),
    ]  # fmt: skip
    if found.unreadable:
        notes.append(f"{len(found.unreadable)} files cannot be read and are skipped: repair or remove them.")
    dead = found.ignored.get(DEAD, ())
    if dead:
        notes.append(f"{len(dead)} links lead nowhere ({listed(dead, 2)}). {FETCH}")
    links = found.ignored.get(NOT_FOLLOWED, ())
    if links:
        notes.append(
            f"{len(links)} links lead out of the folder and are not followed: --follow-links reads what they lead to, "
            "if it is your own."
        )
    arrays = found.ignored.get(UNREAD_GROUPS, ())
    if arrays:
        notes.append(f"{listed(arrays)} may say which images show one subject, and is not read: call it group_train.")
    outside = found.ignored.get(OUTSIDE, ())
    if outside:
        notes.append(f"{len(outside)} images lie outside the class folders and are passed over ({printable(outside[0])}"
                     f"{', ...' * (len(outside) > 1)}).")  # fmt: skip
    others = found.ignored.get(NOT_AN_IMAGE, ())
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
    if found.alike_between:
        n = len(found.alike_between)
        notes.append(f"{n} pictures of the other set are as much like one of this set as others of this set are like "
                     "each other: whether they show the same subjects could not be judged.")  # fmt: skip
    return notes


def _near(found: Check) -> list[str]:
    """What nearly identical pictures within the set mean for a part that is held out."""
    notes = []
    if not found.compared:
        notes.append(
            f"Nearly identical pictures were not looked for among {found.total} images: --limit N reads fewer."
        )
    sure = [pair for pair in found.near_duplicates if pair.sure]
    across = sum(not pair.one_class for pair in sure)
    if across:
        notes.append(f"Pairs of nearly identical pictures in two classes: {across}. Is one of the labels wrong?")
    if sure and found.groups is None:
        notes.append(f"Pairs of nearly identical pictures: {len(sure)}. A part that is held out may hold what was "
                     "learned.")  # fmt: skip
    apart = sum(pair.apart for pair in sure)
    if apart:
        notes.append(f"Pairs of nearly identical pictures in two groups: {apart}. Is that one subject? "
                     "ganaug check DATA --groups FILE.csv --write-groups NEW.csv joins them.")  # fmt: skip
    unsure = sum(not pair.sure for pair in found.near_duplicates)
    if unsure and found.groups is None:
        notes.append(f"Pairs that are as much alike as others of this set: {unsure}, which could not be judged: "
                     f"shots of one subject, or different ones of one make. Look at them.")  # fmt: skip
    if found.near_duplicates and found.groups is None:
        notes.append("ganaug check DATA --write-groups FILE.csv makes groups of what is alike; ganaug fit and bench "
                     "keep groups together with --groups FILE.csv.")  # fmt: skip
    return notes


def _groups(found: Check) -> list[str]:
    if found.groups is None:
        return []
    notes, facts = [], found.groups
    lone = [name for name, n in facts.a_class.items() if n == 1]
    if lone:
        notes.append(f"All images of {listed(lone)} are one group: none of them can be held out or tested on apart.")
    if facts.in_classes:
        n = len(facts.in_classes)
        notes.append(f"Groups with images of several classes: {n} ({listed(facts.in_classes, 3)}). Right where a "
                     "subject can be both, else a wrong label.")  # fmt: skip
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
        which = listed(f"{name} ({n})" for name, n in sorted(few.items(), key=lambda item: item[1]))
        kind = "class" if len(few) == 1 else "classes"
        notes.append(f"Fewer than {FEW} images in {kind} {which}: expect near copies; more would help most.")
    low, high = min(found.counts.values()), max(found.counts.values())
    if low and high >= UNEQUAL * low:
        notes.append(f"Classes are unequal ({high} to {low}, {high / low:.0f} to 1). Ask what helps: ganaug bench DATA "
                     f"--test TEST --out {WHAT_HELPS} (it tries class weights and balanced sampling).")  # fmt: skip
    return notes


def _pixels(found: Check) -> list[str]:
    notes = []
    side = found.shape[-1]
    sizes = [tuple(map(int, size.split(" x "))) for size in found.sizes]
    if len(sizes) > 1:
        notes.append(f"{len(sizes)} different sizes: all are resized to {side} x {side} px; ganaug fit --size N "
                     "chooses another.")  # fmt: skip
    elif sizes and max(sizes[0]) > side:
        notes.append(f"Images are reduced to {side} x {side} px; ganaug fit --size N chooses another (time grows with "
                     "the area).")  # fmt: skip
    if sizes:
        every = np.repeat(sizes, list(found.sizes.values()), axis=0)
        height, width = np.sort(every, 0)[(len(every) - 1) // 2].tolist()
        if max(height, width) > SQUEEZED * min(height, width):
            notes.append(f"Images are usually not square ({height} x {width}). A generator sees them squeezed into a "
                         "square; its samples are served in this proportion again.")  # fmt: skip
        if told := cut_in_words(every, (height, width)):
            notes.append(f"{told}.")
    if any(words.startswith(("transparent", "turned", "of more than 8 bits")) for words in found.read_as):
        notes.append("Other readers do not do what is said above of how files are read: for torchvision's, give "
                     "ImageFolder(root, loader=ganaug.read_image), or fit on the data set itself.")  # fmt: skip
    return [*notes, *_grey(found)]


def _grey(found: Check) -> list[str]:
    stored = found.grey - found.modes.get("L", 0)
    as_rgb = f"{stored} of them stored as RGB" if stored < found.grey else "stored as RGB"
    if found.shape[0] == 1:
        return [f"No image has colour ({stored} are grey stored as RGB without any colour): one channel is modelled, "
                "and served as RGB."] if stored else []  # fmt: skip
    if not found.grey:
        return []
    return [f"{found.grey} of {found.total} images are grey{f' ({as_rgb})' if stored else ''}, the others have colour: "
            "Grey and RGB images are mixed, and synthetic ones will be RGB."]  # fmt: skip


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
    return listed(sorted(names))
