"""A check-up: how a game stands at one moment, in numbers that mean the same for every recipe.

Items are compared by their values: images at 16 x 16 px, rows and series as they are. The real side is a sample of the
training items, and the held-out ones where something unseen is needed. Nothing of the game is changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganaug.fitting.doctor.judge import judge_of, taken_for
from ganaug.game import LatentRound, Networks, Recipe
from ganaug.game.train import Batches
from ganaug.keys import torch_stream

SIDE = 16  # px at which images are compared
COARSE = 4  # px of the mean pictures by which movement is followed
EACH = 32  # samples of each class
MOST = 1024  # samples in all, and real items of each part
PAIR = 0.1  # of the usual distance: nearer real items are two pictures of one thing, and say nothing of the others
FEWEST = 200  # real items without which copies are not looked for: what one in 100 of them reaches is not known
CHUNK = 256  # samples at a time
SCORED = 256  # items whose scores are compared
NEEDED = 100  # training items without which leaking augmentation is not looked for
VISIBLE = 0.75  # chance that what the discriminator is shown is more unusual in some way than a real item, at least


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
    centres: tuple[tuple[float, ...], ...]
    scale: float

    def to_json(self) -> dict[str, Any]:
        """Numbers rounded to four digits; NaN becomes None."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @staticmethod
    def from_json(values: dict[str, Any]) -> Checkup:
        """Raises KeyError, TypeError or ValueError for anything else than what `to_json` gives, now or when it did not
        tell `mistaken` yet."""
        if "mistaken" not in values:
            values = {**values, "mistaken": [None] * len(values["agreement"])}
        if set(values) != {field.name for field in fields(Checkup)}:
            raise ValueError("it is not a check-up")
        return Checkup(**{name: _number(value) for name, value in values.items()})


class Examiner:
    """Makes check-ups of one game. training, validation: batches of the two parts, drawn anew from the same keys."""

    def __init__(self, recipe: Recipe, training: Batches, validation: Batches, seed: int, device: torch.device):
        self.recipe, self.seed, self.device = recipe, seed, device
        self.classes = len(training.spec.classes)
        self.training, self.validation = training, validation
        self.seen, self.seen_y = _items(training, seed, "seen")
        self.unseen, self.unseen_y = _items(validation, seed, "unseen")
        self.judge = judge_of(_reduced(self.seen), self.seen_y, _reduced(self.unseen), self.unseen_y)

    @torch.no_grad()
    def examine(self, nets: Networks, step: int) -> Checkup:
        """nets: copies of all networks, those that the recipe keeps averaged, in eval mode."""
        x, y = self._samples(nets)
        made, seen, unseen = (_reduced(part) for part in (x, self.seen, self.unseen))
        agreement, mistaken_for, mistaken = taken_for(self.judge(made), y, self.classes)
        expected, _, _ = taken_for(self.judge(unseen), self.unseen_y, self.classes)
        prefers_seen, prefers_real = self._preferences(nets)
        coarse, real = _coarse(x), _coarse(self.seen)
        centres = torch.stack([_mean_of(coarse, y == c) for c in range(self.classes)])
        middles = torch.stack([_mean_of(real, self.seen_y == c) for c in range(self.classes)])
        return Checkup(
            step,
            spread=tuple(_spread(made[y == c]) / _spread(seen[self.seen_y == c]) for c in range(self.classes)),
            agreement=agreement,
            agreement_of_unseen=expected,
            mistaken_for=mistaken_for,
            mistaken=mistaken,
            copies=_copies(made, y, seen, self.seen_y, unseen, self.unseen_y),
            prefers_seen=prefers_seen,
            prefers_real=prefers_real,
            leaking=self._leaking(nets, x, y),
            centres=tuple(tuple(row) for row in centres.tolist()),
            scale=(real - middles[self.seen_y]).norm(dim=1).mean().item(),
        )

    def _samples(self, nets: Networks) -> tuple[Tensor, Tensor]:
        """(N, ...), (N,): of every class the same number, of fixed latents, so that movement can be followed."""
        n = min(EACH, max(4, MOST // self.classes))
        rng = torch_stream(self.seed, "check-up", "samples")
        if not self.recipe.wiring.from_source:
            y = torch.arange(self.classes).repeat_interleave(n)
            z = self.recipe.prior.draw(len(y), rng)
            rows = range(0, len(y), CHUNK)
            parts = [nets["generator"](*(part[i : i + CHUNK].to(self.device) for part in (z, y))) for i in rows]
            return torch.cat(parts).float().cpu(), y
        fakes, labels = [], []
        for _ in range(0, min(MOST, n * self.classes), self.recipe.batch):
            batch = self.validation.draw(self.recipe.batch, rng)
            z = self.recipe.prior.draw(self.recipe.batch, rng).to(self.device)
            fakes.append(self.recipe.wiring(nets, batch, z, rng).fake.float().cpu())
            labels.append(batch.y.cpu())
        return torch.cat(fakes), torch.cat(labels)

    def _preferences(self, nets: Networks) -> tuple[float, float]:
        if "discriminator" not in nets or self.recipe.wiring is LatentRound:  # which looks at latents, not at items
            return float("nan"), float("nan")
        seen, _ = self._scores(nets, self.training, "training")
        unseen, fakes = self._scores(nets, self.validation, "validation")
        if seen is None or unseen is None or fakes is None:
            return float("nan"), float("nan")
        return _chance_above(seen, unseen), _chance_above(unseen, fakes)

    def _scores(self, nets: Networks, batches: Batches, purpose: str) -> tuple[Tensor | None, Tensor | None]:
        """Scores of real items and of samples in their place, one number each; None where it answers by embeddings."""
        real, fake = [], []
        for number in range(-(-SCORED // self.recipe.batch)):
            rng = torch_stream(self.seed, "check-up", purpose, number)
            batch = batches.draw(self.recipe.batch, rng)
            z = self.recipe.prior.draw(self.recipe.batch, rng).to(self.device)
            r = self.recipe.wiring(nets, batch, z, rng)
            if r.real_scores.ndim == 2 and r.real_scores.shape[1] > 1:
                return None, None
            real.append(r.real_scores.float().flatten(1).mean(1) if r.real_scores.ndim > 1 else r.real_scores)
            fake.append(r.fake_scores.float().flatten(1).mean(1) if r.fake_scores.ndim > 1 else r.fake_scores)
        return torch.cat(real).float().cpu(), torch.cat(fake).float().cpu()

    def _leaking(self, nets: Networks, x: Tensor, y: Tensor) -> float:
        enough = len(self.seen) >= NEEDED and len(self.unseen) >= NEEDED // 4
        if self.seen.ndim != 4 or not enough or "eye" not in nets:
            return float("nan")
        rng = torch_stream(self.seed, "check-up", "eye")
        shown, control = (nets["eye"](part.to(self.device), rng).cpu() for part in (self.seen, self.unseen))
        if shown.shape != self.seen.shape:  # it sees features
            return float("nan")
        moved, also = ((a != b).flatten(1).any(1) for a, b in ((shown, self.seen), (control, self.unseen)))
        if moved.sum() < NEEDED // 4 or also.sum() < NEEDED // 16:  # it sees things as they are, or most of them
            return float("nan")
        poses = _pose(self.seen)
        usual = torch.stack([_mean_of(poses, self.seen_y == c) for c in range(self.classes)])

        def unusual(items: Tensor, labels: Tensor) -> Tensor:
            """How far each item's pose is from that of its class, (N, 5): what shifts, turns and zooms widen."""
            return (_pose(items) - usual[labels]).abs()

        plain = unusual(torch.cat([self.seen, self.unseen]), torch.cat([self.seen_y, self.unseen_y]))
        augmented = unusual(
            torch.cat([shown[moved], control[also]]), torch.cat([self.seen_y[moved], self.unseen_y[also]])
        )
        made = unusual(x, y)
        ways = [
            float((made[:, i].median() - plain[:, i].median()) / (augmented[:, i].median() - plain[:, i].median()))
            for i in range(made.shape[1])
            if _chance_above(augmented[:, i], plain[:, i]) >= VISIBLE
        ]
        return min(ways, default=float("nan"))  # a poor sample is odd in some way, an augmented one in all of them


def _items(batches: Batches, seed: int, purpose: str) -> tuple[Tensor, Tensor]:
    """Up to MOST items of every class alike, in model space, on the CPU; repetitions are dropped."""
    batch = batches.draw(MOST, torch_stream(seed, "check-up", purpose))
    items, labels = batch.real.float().cpu(), batch.y.cpu()
    keys = torch.cat([items.flatten(1), labels[:, None].float()], 1).numpy()
    rows = torch.from_numpy(np.sort(np.unique(keys, axis=0, return_index=True)[1]))
    return items[rows], labels[rows]


def _reduced(items: Tensor) -> Tensor:
    """(N, D): images at SIDE px, others as they are."""
    if items.ndim == 4 and max(items.shape[2:]) > SIDE:
        items = F.adaptive_avg_pool2d(items, SIDE)
    return items.flatten(1)


def _pose(images: Tensor) -> Tensor:
    """Where the picture stands, (N, 5): first and second moments of what differs from its border."""
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


def _coarse(items: Tensor) -> Tensor:
    if items.ndim == 4:
        items = F.adaptive_avg_pool2d(items.mean(1, keepdim=True), COARSE)
    elif items.ndim == 3:
        items = F.adaptive_avg_pool1d(items, SIDE)
    return items.flatten(1)


def _mean_of(rows: Tensor, chosen: Tensor) -> Tensor:
    return rows[chosen].mean(0) if chosen.any() else torch.full(rows.shape[1:], float("nan"))


def _spread(rows: Tensor) -> float:
    """Mean distance between two of the rows."""
    return torch.pdist(rows[:256]).mean().item() if len(rows) > 1 else float("nan")


def _copies(made: Tensor, y: Tensor, seen: Tensor, seen_y: Tensor, unseen: Tensor, unseen_y: Tensor) -> float:
    real, ours = [], []  # distances to the nearest training item, over what is usual in the class: classes are pooled
    for c in range(int(seen_y.max()) + 1):
        known, fresh, mine = seen[seen_y == c], unseen[unseen_y == c], made[y == c]
        if len(known) > 1 and len(fresh) and len(mine):
            among = torch.cdist(known, known).fill_diagonal_(float("inf")).amin(1)
            reference = torch.cat([torch.cdist(fresh, known).amin(1), among])
            usual = reference.median()
            if usual > 1e-6:  # else its items are one
                reference = reference / usual
                real.append(reference[reference > PAIR])
                ours.append(torch.cdist(mine, known).amin(1) / usual)
    if sum(map(len, real)) < FEWEST:
        return float("nan")
    limit = torch.cat(real).quantile(0.01)
    return (torch.cat(ours) < limit).float().mean().item()


def _chance_above(a: Tensor, b: Tensor) -> float:
    """Chance that a draw from `a` is above one from `b`, ties half (Mann and Whitney 1947)."""
    if not len(a) or not len(b):
        return float("nan")
    return ((a[:, None] > b).float() + 0.5 * (a[:, None] == b).float()).mean().item()


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if abs(value) < float("inf") else None
    return value


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_number(part) for part in value)
    if value is None:
        return float("nan")
    if type(value) not in (int, float):
        raise TypeError("it holds something else than numbers")
    return value
