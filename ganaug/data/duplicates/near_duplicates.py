"""Near-duplicates: is this image one of those, flipped, shifted by up to 2 px, recompressed, brighter or resized?

Of the images that were seen, only likenesses are needed (16 x 16 cells); `compared` says what each image leaves
unexplained of the other. A copy leaves almost nothing; and, what tells copies apart where all images are alike (digits,
cells, X-rays), far less than the next image does.

The decision is one number, the score: the least residual x the widest gap in the row of residuals (one divided by the
next), looked for behind the first eight, since several images seen may be copies or shots of one subject. How small
the scores of unrelated images are depends on the data, so the limit is taken from the images that were seen: what about
one in 3,000 of them would reach among each other, by the tail of their scores, within `LIMITS`, or below where all of
them are alike. What is nearly plain (open sea from a satellite) is often not recognised once it was recompressed.

Where more than a tenth of the images seen have such a neighbour among themselves, they are families: shots of one
subject, or different parts of one make, which no likeness can tell apart. There, and where 16 or fewer were seen, only
the plainest copies are sure, and the others are told as what could not be judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ganaug.data.duplicates.compared import SHOTS, Row, ranked
from ganaug.data.duplicates.likeness import Likenesses
from ganaug.data.duplicates.views import FINE, Reduced
from ganaug.reporting import Report, silent

LIMITS = (0.0025, 0.06)  # of the score; set on planted copies, see scripts/studies/duplicates.py
ALIKE = 0.0075  # score: a pair within one set up to here is told, whatever the size of the set
FAMILIES = 0.1  # share of images seen with a score up to ALIKE, beyond which they are families
PLAINEST = (0.0001, 0.001)  # score and residual up to which a copy is sure even there
_WITHIN = 48  # candidates of each image of a set, so that families are told whole
_SAMPLE = 256  # images seen that are compared with all others to set the limit
_TAIL = 64  # images seen, below which nothing is known of how near two other ones can be
_MARGIN = 0.7  # pictures that nobody rounded are nearer to likenesses than these are to each other
_CROWDED = 0.04  # residual of the candidate behind two such rows: below, the images seen are all alike


@dataclass(frozen=True)
class Match:
    """query: index of the image in question; seen: index of the likeness; residual, score: see above. sure: False where
    different images of this set are as alike as these two."""

    query: int
    seen: int
    residual: float
    score: float
    sure: bool = True


@dataclass(frozen=True)
class Judge:
    """limit: of the score, up to which an image counts as a near-duplicate of one that was seen, by how alike these are
    themselves. families: whether more than a tenth of them have such a neighbour, or too few are there to tell."""

    limit: float
    families: bool = False

    def sure(self, residual: float, score: float) -> bool:
        """Whether it is a copy, or a shot of the same subject, and no other image that looks alike."""
        if self.families:
            return score <= min(PLAINEST[0], self.limit) and residual <= PLAINEST[1]
        return score <= self.limit


def find_near(
    images: Sequence[np.ndarray | Reduced], seen: Likenesses, *, limit: float | None = None, report: Report = silent
) -> list[Match]:
    """Those of `images` that are near-duplicates of something seen, in order; at most one match each.

    images: uint8 (H, W) or (H, W, 3), of any sizes, or what `reduced` made of them. limit: of the score; by default
    that of `judge_of(seen)`.
    """
    if not len(seen) or not len(images):
        return []
    judge = judge_of(seen) if limit is None else Judge(limit)
    found = []
    for query, row in enumerate(ranked(images, seen, report=report)):
        if not len(row.seen):
            continue
        first, score, _ = row.gap()
        if score <= judge.limit:
            residual = float(row.residuals[first])
            found.append(Match(query, int(row.seen[first]), residual, score, judge.sure(residual, score)))
    return found


def find_within(images: Sequence[np.ndarray | Reduced], seen: Likenesses, *, report: Report = silent) -> list[Match]:
    """Pairs of near-duplicates among `images`, whose likenesses are `seen`: each once, query < seen, the most alike
    first.

    Told is every pair up to one fixed score, so that a pair of a small set is told in a larger one too; whether it is
    sure is judged by how alike the others are.
    """
    if len(images) < 2:
        return []
    judge, pairs = judge_of(seen), dict[tuple[int, int], Match]()
    for here, row in enumerate(ranked(images, seen, np.arange(len(images)), _WITHIN, report)):
        for there, residual, score in row.kin(ALIKE):
            match = Match(min(here, there), max(here, there), residual, score, judge.sure(residual, score))
            pair = match.query, match.seen
            if pair not in pairs or score < pairs[pair].score:
                pairs[pair] = match
    return sorted(pairs.values(), key=lambda match: match.score)


def judge_of(seen: Likenesses) -> Judge:
    """How an image is judged that may be one of these: by how alike they are themselves.

    Several shots of one subject are set aside before the limit is taken. Where most images have many that are like them
    (parts before one camera, simple shapes), the limit may be below `LIMITS`: there, only the plainest copies can be
    told.
    """
    if len(seen) < 2:
        return Judge(LIMITS[0], families=True)
    sample = np.unique(np.linspace(0, len(seen) - 1, _SAMPLE).astype(int))
    own = ranked([Reduced(FINE * seen.cells[i], seen.chroma[i]) for i in sample], seen, own=sample)
    rows = [replace(row, other=np.zeros(len(row.seen), bool)) for row in own if len(row.seen)]  # by form alone
    if not rows:
        return Judge(LIMITS[0], families=True)
    gaps = [row.gap() for row in rows]
    kindred = float(np.mean([score <= ALIKE for _, score, _ in gaps]))
    return Judge(_limit(rows, gaps), len(rows) <= 2 * SHOTS or kindred > FAMILIES)


def _limit(rows: Sequence[Row], gaps: Sequence[tuple[int, float, int]]) -> float:
    distant = np.quantile([row.residuals[: 2 * SHOTS][-1] for row in rows], 0.05)
    least = LIMITS[0] * min(1.0, float(distant) / _CROWDED)
    scores = [
        score if score > least else row.without(shots).gap()[1]
        for row, (_, score, shots) in zip(rows, gaps, strict=True)
    ]
    return float(np.clip(_rare(scores), least, LIMITS[1] if len(rows) >= _TAIL else LIMITS[0]))


def _rare(scores: Sequence[float]) -> float:
    """What about one in 3,000 would reach: the tail is a power law, followed 1.5 decades further than it is known."""
    tenth, hundredth = np.quantile(scores, (0.1, 0.01))
    return float(_MARGIN * hundredth * (hundredth / max(tenth, 1e-9)) ** 1.5)
