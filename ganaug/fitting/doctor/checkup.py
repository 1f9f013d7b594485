"""A check-up: how a game stands at one moment, in numbers that mean the same for every recipe.

Items are compared by their values: images at 16 x 16 px, rows and series as they are. The real side is a sample of the
training items, and the held-out ones where something unseen is needed. Nothing of the game is changed.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganaug.fitting.doctor.linear_judge import linear_judge, taken_for
from ganaug.fitting.doctor.texture import chequered, contrast
from ganaug.game import LatentRound, Networks, Recipe, Round
from ganaug.game.train import Batches
from ganaug.keys import torch_stream

SIDE, COARSE = 16, 4  # px at which images are compared, and those of the mean pictures by which movement is followed
PAIR = 0.1  # of the usual distance: nearer real items are two pictures of one thing, and say nothing of the others
FEWEST = 200  # real items without which copies are not looked for: what one in 100 of them reaches is not known
VISIBLE = 0.75  # chance that what the discriminator is shown is more unusual in some way than a real item, at least
EACH = 32  # samples of each class
MOST = 1024  # samples in all, and real items of each part
CHUNK = SCORED = 256  # samples at a time, and items whose scores are compared
NEEDED = 100  # training items without which leaking augmentation is not looked for


@dataclass(frozen=True)
class Checkup:
    """step: rounds played.

    spread: for each class, the mean distance between two samples over that between two real items.
    agreement, agreement_of_unseen: for each class, the share of samples, and of held-out items, that a judge who knows
    the training items takes for that class (NaN: none held out). mistaken_for: the other class that most samples are
    taken for, or -1. mistaken: the share of samples that are.
    copies: share of samples nearer to a training item of their class than all but 1 % of the other real ones are, both
    over what is usual in the class.
    prefers_seen: chance that the discriminator scores a training item above a held-out one: 0.5 if it has not learned
    the items by heart, 1 if it has. prefers_real: the same of a held-out item and a sample. NaN: no discriminator.
    leaking: how far samples are from real items on the way to what the discriminator is shown, in what its eye moves
    most and they follow least: 0 if none of it leaks into them, 1 if all does; NaN where the eye cannot be seen.
    contrast: for each class, how far values of a sample are from its mean, over the same of real items; NaN for rows.
    chequered: share of samples whose values alternate from pixel to pixel more than those of 99 % of real images do;
    NaN for what is no image.
    centres: for each class the mean sample, coarsely: (K, d). scale: mean distance of real items from their class's.
    """

    step: int
    spread: tuple[float, ...]
    agreement: tuple[float, ...]
    agreement_of_unseen: tuple[float, ...]
    mistaken_for: tuple[int, ...]
    mistaken: tuple[float, ...]
    copies: float
    prefers_seen: float
    prefers_real: float
    leaking: float
    contrast: tuple[float, ...]
    chequered: float
    centres: tuple[tuple[float, ...], ...]
    scale: float

    def to_json(self) -> dict[str, Any]:
        """Numbers rounded to four digits; NaN becomes None."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @staticmethod
    def from_json(values: dict[str, Any]) -> Checkup:
        """Raises KeyError, TypeError or ValueError for anything else than what `to_json` gives."""
        if set(values) != {field.name for field in fields(Checkup)}:
            raise ValueError("it is not a check-up")
        return Checkup(**{name: _number(value) for name, value in values.items()})


class Labelled(NamedTuple):
    """Items and their labels, of the same length."""

    x: Tensor
    y: Tensor

    def of(self, label: int) -> Tensor:
        return self.x[self.y == label]

    def reduced(self) -> Labelled:
        """(N, D): images at SIDE px, others as they are."""
        large = self.x.ndim == 4 and max(self.x.shape[2:]) > SIDE
        return Labelled((F.adaptive_avg_pool2d(self.x, SIDE) if large else self.x).flatten(1), self.y)

    def coarse(self) -> Labelled:
        """(N, d): grey images at COARSE px, series of SIDE steps."""
        x = self.x
        if x.ndim == 4:
            x = F.adaptive_avg_pool2d(x.mean(1, keepdim=True), COARSE)
        elif x.ndim == 3:
            x = F.adaptive_avg_pool1d(x, SIDE)
        return Labelled(x.flatten(1), self.y)


def joined(*parts: Labelled) -> Labelled:
    return Labelled(*(torch.cat(column) for column in zip(*parts, strict=True)))


class Examiner:
    """Makes check-ups of one game. training, validation: batches of the two parts, drawn anew from the same keys."""

    def __init__(self, recipe: Recipe, training: Batches, validation: Batches, seed: int, device: torch.device):
        self.recipe, self.seed, self.device = recipe, seed, device
        self.classes = len(training.spec.classes)
        self.training, self.validation = training, validation
        self.seen, self.unseen = (_items(*part, seed) for part in ((training, "seen"), (validation, "unseen")))
        self.judge = linear_judge(*self.seen.reduced(), *self.unseen.reduced())

    @torch.no_grad()
    def examine(self, nets: Networks, step: int) -> Checkup:
        """nets: copies of all networks, those that the recipe keeps averaged, in eval mode."""
        samples, coarse = self._samples(nets), self.seen.coarse()
        made, seen, unseen = (part.reduced() for part in (samples, self.seen, self.unseen))
        agreement, mistaken_for, mistaken = taken_for(self.judge(made.x), made.y, self.classes)
        expected, _, _ = taken_for(self.judge(unseen.x), unseen.y, self.classes)
        return Checkup(
            step, tuple(spread(made.of(c)) / spread(seen.of(c)) for c in range(self.classes)),
            agreement, expected, mistaken_for, mistaken, copies(made, seen, unseen), *self._preferences(nets),
            leaking=self._leaking(nets, samples),
            contrast=contrast(*samples, *self.seen, self.classes), chequered=chequered(samples.x, self.seen.x),
            centres=tuple(map(tuple, middles(samples.coarse(), self.classes).tolist())),
            scale=(coarse.x - middles(coarse, self.classes)[coarse.y]).norm(dim=1).mean().item(),
        )  # fmt: skip

    def _samples(self, nets: Networks) -> Labelled:
        """Of every class the same number, of fixed latents, so that movement can be followed."""
        n = min(EACH, max(4, MOST // self.classes))
        rng = torch_stream(self.seed, "check-up", "samples")
        if self.recipe.wiring.from_source:
            starts = range(0, min(MOST, n * self.classes), self.recipe.batch)
            rounds = (self._round(nets, self.validation, rng) for _ in starts)
            return joined(*(Labelled(r.fake.float().cpu(), r.y.cpu()) for r in rounds))
        y = torch.arange(self.classes).repeat_interleave(n)
        z = self.recipe.prior.draw(len(y), rng)
        pieces = zip(*(torch.split(part.to(self.device), CHUNK) for part in (z, y)), strict=True)
        return Labelled(torch.cat([nets["generator"](*piece) for piece in pieces]).float().cpu(), y)

    def _preferences(self, nets: Networks) -> tuple[float, float]:
        """Of the discriminator; NaN where there is none, or it answers by embeddings."""
        if "discriminator" not in nets or self.recipe.wiring is LatentRound:  # which looks at latents, not at items
            return math.nan, math.nan
        seen, _ = self._scores(nets, self.training, "training")
        unseen, fakes = self._scores(nets, self.validation, "validation")
        return chance_above(seen, unseen), chance_above(unseen, fakes)

    def _scores(self, nets: Networks, batches: Batches, purpose: str) -> tuple[Tensor, Tensor]:
        """Scores of real items and of samples in their place, one number each; none where they are embeddings."""
        scores: tuple[list[Tensor], list[Tensor]] = [], []
        for number in range(-(-SCORED // self.recipe.batch)):
            r = self._round(nets, batches, torch_stream(self.seed, "check-up", purpose, number))
            if r.real_scores.ndim == 2 and r.real_scores.shape[1] > 1:
                return torch.empty(0), torch.empty(0)
            for rows, some in zip(scores, (r.real_scores, r.fake_scores), strict=True):
                rows.append(some.float().flatten(1).mean(1) if some.ndim > 1 else some)
        real, fake = (torch.cat(rows).float().cpu() for rows in scores)
        return real, fake

    def _round(self, nets: Networks, batches: Batches, rng: torch.Generator) -> Round:
        batch = batches.draw(self.recipe.batch, rng)
        return self.recipe.wiring(nets, batch, self.recipe.prior.draw(self.recipe.batch, rng).to(self.device), rng)

    def _leaking(self, nets: Networks, made: Labelled) -> float:
        seen, unseen = self.seen, self.unseen
        if seen.x.ndim != 4 or len(seen.y) < NEEDED or len(unseen.y) < NEEDED // 4 or "eye" not in nets:
            return math.nan
        rng = torch_stream(self.seed, "check-up", "eye")
        shown, control = (nets["eye"](part.x.to(self.device), rng).cpu() for part in (seen, unseen))
        if shown.shape != seen.x.shape:  # it sees features
            return math.nan
        moved, also = ((a != b.x).flatten(1).any(1) for a, b in ((shown, seen), (control, unseen)))
        if moved.sum() < NEEDED // 4 or also.sum() < NEEDED // 16:  # it sees things as they are, or most of them
            return math.nan
        augmented = joined(Labelled(shown[moved], seen.y[moved]), Labelled(control[also], unseen.y[also]))
        return leaking(made, seen, unseen, augmented, self.classes)


def _items(batches: Batches, purpose: str, seed: int) -> Labelled:
    """Up to MOST items of every class alike, in model space, on the CPU; repetitions are dropped."""
    batch = batches.draw(MOST, torch_stream(seed, "check-up", purpose))
    items, labels = batch.real.float().cpu(), batch.y.cpu()
    keys = torch.cat([items.flatten(1), labels[:, None].float()], 1).numpy()
    rows = torch.from_numpy(np.sort(np.unique(keys, axis=0, return_index=True)[1]))
    return Labelled(items[rows], labels[rows])


def spread(rows: Tensor) -> float:
    """Mean distance between two of the rows."""
    return torch.pdist(rows[:256]).mean().item() if len(rows) > 1 else math.nan


def middles(items: Labelled, classes: int) -> Tensor:
    """The mean of each class, (K, ...); NaN where there is none of it."""
    return torch.stack([items.of(c).mean(0) for c in range(classes)])


def chance_above(a: Tensor, b: Tensor) -> float:
    """Chance that a draw from `a` is above one from `b`, ties half (Mann and Whitney 1947)."""
    return ((a[:, None] > b).float() + 0.5 * (a[:, None] == b).float()).mean().item()  # NaN if one is empty


def copies(made: Labelled, seen: Labelled, unseen: Labelled) -> float:
    """Share of `made` nearer to `seen` than nearly all other real items are, over what is usual in the class."""
    real, ours = [], []  # distances to the nearest training item: classes are pooled
    for c in range(int(seen.y.max()) + 1):
        known, fresh, mine = (part.of(c) for part in (seen, unseen, made))
        if len(known) > 1 and len(fresh) and len(mine):
            among = torch.cdist(known, known).fill_diagonal_(math.inf).amin(1)
            reference = torch.cat([torch.cdist(fresh, known).amin(1), among])
            usual = reference.median()
            if usual > 1e-6:  # else its items are one
                reference = reference / usual
                real.append(reference[reference > PAIR])
                ours.append(torch.cdist(mine, known).amin(1) / usual)
    if sum(map(len, real)) < FEWEST:
        return math.nan
    return (torch.cat(ours) < torch.cat(real).quantile(0.01)).float().mean().item()


def leaking(made: Labelled, seen: Labelled, unseen: Labelled, shown: Labelled, classes: int) -> float:
    """How far poses of `made` are on the way from real ones to those `shown`, where these are unusual and it least."""
    usual = middles(Labelled(_poses(seen.x), seen.y), classes)
    ours, plain, augmented = (
        (_poses(items.x) - usual[items.y]).abs().unbind(1) for items in (made, joined(seen, unseen), shown)
    )
    ways = [
        float((a.median() - b.median()) / (c.median() - b.median()))
        for a, b, c in zip(ours, plain, augmented, strict=True)
        if chance_above(c, b) >= VISIBLE
    ]
    return min(ways, default=math.nan)  # a poor sample is odd in some way, an augmented one in all of them


def _poses(images: Tensor) -> Tensor:
    """Where each picture stands, (N, 5): first and second moments of what differs from its border, which shifts, turns
    and zooms alter."""
    grey = images.mean(1)
    border = torch.cat([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], 1).median(1).values
    ink = (grey - border[:, None, None]).abs() + 1e-4
    ink = ink / ink.sum((1, 2), keepdim=True)
    rows, columns = (torch.linspace(-1, 1, n) for n in grey.shape[1:])
    y, x = ink.sum(2) @ rows, ink.sum(1) @ columns
    dy, dx = rows[None] - y[:, None], columns[None] - x[:, None]
    yy, xx = (ink.sum(2) * dy.square()).sum(1), (ink.sum(1) * dx.square()).sum(1)
    xy = torch.einsum("nhw,nh,nw->n", ink, dy, dx)
    return torch.stack([y, x, yy.sqrt(), xx.sqrt(), xy / (yy * xx).sqrt().clamp(min=1e-6)], 1)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [*map(_plain, value)]
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_number, value))
    if value is not None and type(value) not in (int, float):
        raise TypeError("it holds something else than numbers")
    return math.nan if value is None else value
