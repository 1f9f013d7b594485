"""What a fit saw, as far as others must know it.

The generator folder, which is shared, holds hashes only: they find exact copies. Likenesses, by which near-duplicates
are found, are small pictures of the user's images; they stay in the run folder, in a file whose hash is on the card.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from ganaug.data.duplicates.likeness import read_likenesses
from ganaug.data.duplicates.seen import Known
from ganaug.errors import ArtefactError
from ganaug.files.integrity import read_whole, sha256, write_atomically
from ganaug.generator.folder import Fitted, run_folder

LIKENESSES = "likenesses.json"
SCHEMA = 2  # 1 had no colours
MOST_BYTES = 1 << 30  # of that file


def keep_likenesses(run: Path, likenesses: Iterable[str]) -> str:
    """Write them into a run folder, sorted, so that the file says nothing of the order of the images; gives the hash
    that goes onto the card."""
    content = json.dumps({"schema": SCHEMA, "likenesses": sorted(set(likenesses))}, indent=1).encode()
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
    if not card.likenesses or file is None or not os.path.lexists(file):
        return Known(prints, nearly=not card.likenesses)
    content = read_whole(file, MOST_BYTES)
    try:
        if sha256(content) != card.likenesses:
            raise ValueError("it was altered")
        found = json.loads(content)
        if found["schema"] != SCHEMA:
            raise ValueError("another version of ganaug wrote it, so fit again to have near-duplicates found")
        texts = found["likenesses"]
        read_likenesses(texts)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtefactError(
            f"{file} cannot be used: {error}.", "Restore it, or delete it to look for exact copies only."
        ) from error
    return Known(prints, frozenset(texts))
