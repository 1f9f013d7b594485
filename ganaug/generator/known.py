"""What a fit saw, as far as others must know it.

The generator folder, which is shared, holds hashes only: they find exact copies. Likenesses, by which near-duplicates
are found, are small pictures of the user's images; they stay in the run folder, in a file whose hash is on the card.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganaug.data.duplicates.likeness import LENGTH, read_likenesses
from ganaug.data.duplicates.seen import Known
from ganaug.data.texts import Texts, in_letters
from ganaug.errors import ArtefactError
from ganaug.files.integrity import read_whole, sha256, write_atomically
from ganaug.generator.folder import Fitted, run_folder

LIKENESSES = "likenesses.txt"  # a line for each


def keep_likenesses(run: Path, *likenesses: Sequence[str]) -> str:
    """Write them into a run folder, sorted, so that the file says nothing of the order of the images; gives the hash
    that goes onto the card."""
    letters = np.unique(np.concatenate([in_letters(part, LENGTH) for part in likenesses]))
    lines = np.full((len(letters), LENGTH + 1), ord("\n"), np.uint8)
    lines[:, :-1] = letters.view(np.uint8).reshape(-1, LENGTH)
    content = lines.tobytes()
    write_atomically(run / LIKENESSES, content)
    return sha256(content)


def known_to(fitted: Fitted) -> Known:
    """The images that gradients or the validation part of the fit saw, unlabelled ones among them.

    `nearly` is False where the generator folder came without its run folder. Raises ArtefactError for an altered file
    of likenesses.
    """
    card, run = fitted.card, run_folder(fitted)
    prints = frozenset((*card.fingerprints, *card.unlabelled, *card.held_out))
    file = None if run is None else run / LIKENESSES
    if file is None or not card.likenesses or not os.path.lexists(file):
        return Known(prints, nearly=not card.likenesses)
    content = read_whole(file)
    try:
        if sha256(content) != card.likenesses:
            raise ValueError("it was altered")
        texts = _of_lines(content)
        read_likenesses(texts)
    except ValueError as error:
        raise ArtefactError(
            f"{file} cannot be used: {error}.", "Restore it, or delete it to look for exact copies only."
        ) from error
    return Known(prints, frozenset(texts))


def _of_lines(content: bytes) -> Sequence[str]:
    lines = np.frombuffer(content, np.uint8).reshape(-1, LENGTH + 1)
    return Texts(np.ascontiguousarray(lines[:, :-1]).view(f"S{LENGTH}")[:, 0])
