"""A batch transform in the manner of torchvision's MixUp and CutMix: some images of a batch become synthetic ones."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torchvision.transforms import v2
from torchvision.tv_tensors import TVTensor, wrap

from ganaug.classifier.use import Use, use_named
from ganaug.data.sources.classes import names_by_label
from ganaug.data.spec import ImageCodec
from ganaug.errors import IncompatibleLoaderError, OptionError, UseWarning
from ganaug.generator.folder import Fitted
from ganaug.keys import numpy_stream, torch_stream
from ganaug.mixing.batch import Normalisation, as_batch, call_key, require_batch, require_named
from ganaug.mixing.ratio import Share, resolve, verdict_for
from ganaug.reporting import Report, silent
from ganaug.samples.plan import per_class
from ganaug.samples.pool import Pool
from ganaug.samples.run import Loadable, as_fitted, from_noise
from ganaug.samples.variants import labels_at


class SynthMix(v2.Transform):
    """(images, labels) -> (images, labels): a share of the batch is replaced by synthetic images of the same class.

    images: (B, C, H, W), uint8 or float, on any device; dtype and device are kept. Floats are taken to be in 0..1; if
    yours are normalised, give normalize=(mean, std), so that the synthetic ones are too. labels: (B,) integers. Place
    it after the loader (or in `collate_fn`), before MixUp or CutMix, while labels are still integers.

    run: run folder, generator folder, Run or Fitted. ratio: expected share of the batch (0..1, default 0.25, or
    "auto"); the number in a batch is the share rounded up or down at random, so that it is right on average.
    live: run the generator on the batch's device in place of reading from the pool of `pool_per_class` images a class.
    classes: `classes[i]` names label i; by default the classes of the generator in their order, or, where these are
    called by numbers, the labels of these numbers. force: serve images of a run whose
    verdict is `harms` all the same.

    use: a use of synthetic images with a loss weight or label smoothing for synthetic images, such as "light", or
    "auto": the one that the bench found to help. With it, labels come out as float32 (B, K) for a cross-entropy with
    probabilities as targets and mean reduction, in which each synthetic row sums to its weight, over the mean weight of
    the batch. What is about the whole training cannot be done here: leave synthetic images out of the last epochs
    yourself ("finish" warns), and "rare" and "fixed" are refused.

    Draws depend on (seed, rank, epoch and number of the call); in a worker also on the worker's own seed. `set_epoch`
    makes them repeatable after a resume.

    Raises LabelMismatchError for a label without a name, IncompatibleLoaderError for what is not such a batch,
    HarmfulError.
    """

    def __init__(
        self,
        run: Loadable,
        *,
        ratio: float | str | None = None,
        seed: int = 0,
        live: bool = False,
        pool_per_class: int = 512,
        classes: Sequence[str] | None = None,
        normalize: Normalisation | None = None,
        use: str | None = None,
        force: bool = False,
        report: Report = silent,
    ):
        super().__init__()
        fitted = from_noise(run)
        share = resolve(fitted, "replace", ratio, force)
        self.ratio = share.ratio
        self.seed, self.live, self.normalize = seed, live, normalize
        self.classes = names_by_label(fitted.card.classes, classes)
        self._known = labels_at(fitted, self.classes)  # label -> its label at the generator
        if pool_per_class < 1:
            raise OptionError(f"pool_per_class={pool_per_class} leaves nothing to serve.", "Give at least 1.")
        self.use = _use(fitted, use)
        if use is None:
            share.warn("Labels that are integers", depth=2)
        withheld = () if fitted.choice is None else fitted.choice.withheld
        self._serves = torch.tensor([name not in withheld for name in self.classes])
        if live and fitted.choice is not None:
            raise OptionError("Live samples are served as they come: there is no choice among them.",
                              "Use live=False, or name the run in place of its choice.")  # fmt: skip
        self._per_class = pool_per_class
        # Neither the generator nor a copy of the pool is a part of this module: its parameters and state are not ours.
        self._copies: dict[torch.device, Any] = {}
        self._fitted, self._pool = fitted if live else None, None
        if not live and self.ratio > 0:
            self._pool = Pool.open(run, per_class(fitted.card.classes, pool_per_class), seed=seed, report=report)
        self._path, self._epoch, self._calls = fitted.path, 0, 0

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_copies": {}, "_fitted": None}

    def set_epoch(self, epoch: int) -> None:
        self._epoch, self._calls = epoch, 0

    def forward(self, *inputs: Any) -> Any:
        """Two arguments, or one pair; gives what it was given, a tuple or a list, with the images changed."""
        pair = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], (tuple, list)) else inputs
        if len(pair) != 2:
            raise IncompatibleLoaderError(
                f"SynthMix was given {len(pair)} things, not images and labels.", "Call it with (images, labels)."
            )
        images, labels = pair
        require_batch(images, labels, "SynthMix")
        key = call_key(self.seed, "synthmix", self._epoch, self._calls)
        self._calls += 1
        count = int(self.ratio * len(images) + numpy_stream(*key, "count").random())
        synthetic_places = torch.zeros(len(images), dtype=torch.bool)
        if count:
            chosen = torch.from_numpy(np.sort(numpy_stream(*key, "places").permutation(len(images))[:count]))
            require_named(labels, self.classes)
            chosen = chosen[self._serves[labels.cpu().to(torch.int64)[chosen]]].to(images.device)
            own = self._known.to(images.device)[labels[chosen].to(images.device, torch.int64)]
            synthetic = as_batch(self._draw(own, key), images, self.normalize)
            mixed = images.as_subclass(Tensor).index_copy(0, chosen, synthetic)
            images = wrap(mixed, like=images) if isinstance(images, TVTensor) else mixed
            synthetic_places[chosen.cpu()] = True
        if self.use is not None:
            require_named(labels, self.classes)
            labels = weighted_labels(labels, synthetic_places.to(labels.device), len(self.classes), self.use)
        return type(pair)([images, labels]) if isinstance(pair, list) else (images, labels)

    @torch.no_grad()
    def _draw(self, own: Tensor, key: tuple[int | str, ...]) -> Tensor:
        """Synthetic images of these classes (labels of the generator): uint8 (n, C, h, w) on the same device."""
        rng = torch_stream(*key, "rows")
        if self.live:
            if self._fitted is None:
                self._fitted = as_fitted(self._path)
            return self._live(self._fitted, own, rng)
        assert self._pool is not None
        starts = torch.from_numpy(self._pool.offsets).to(own.device)
        rows = starts[own] + torch.randint(self._per_class, own.shape, generator=rng).to(own.device)
        if own.device.type == "cpu":
            return torch.from_numpy(self._pool.read(rows.numpy()))
        if own.device not in self._copies:
            self._copies[own.device] = torch.from_numpy(np.array(self._pool.images)).to(own.device)
        return self._copies[own.device][rows]

    def _live(self, fitted: Fitted, own: Tensor, rng: torch.Generator) -> Tensor:
        if own.device not in self._copies:
            self._copies[own.device] = _copy_to(fitted.generator, own.device)
        z = fitted.prior.draw(len(own), rng).to(own.device)
        return ImageCodec.decode(self._copies[own.device](z, own))


def weighted_labels(labels: Tensor, synthetic: Tensor, classes: int, use: Use) -> Tensor:
    """Labels (B,) as targets float32 (B, K), smoothed and weighted where bool `synthetic` (B,) says so.

    Their sum is B, so that the mean of a cross-entropy over the batch is the weighted mean of its items.
    """
    smoothing, weights = (
        torch.where(synthetic, value, base)[:, None].to(torch.float32)
        for value, base in ((use.smoothing, 0.0), (use.weight, 1.0))
    )
    targets = one_hot(labels.to(torch.int64), classes) * (1 - smoothing) + smoothing / classes
    return targets * weights * (len(labels) / weights.sum().clamp_min(1e-8))


def _use(fitted: Fitted, name: str | None) -> Use | None:
    if name is None:
        return None
    use = use_named(Share(0.0, verdict_for(fitted, "use")[1]).use if name == "auto" else name)
    if use.rare or use.pool:
        raise OptionError(
            f"The use {name!r} of synthetic images ({use}) is about the whole data set, not about a batch.",
            "Choose one of weak, smooth, light.",
        )
    if use.finish:
        warnings.warn(
            f"SynthMix cannot see the end of a training: leave it out in the last {use.finish:.0%} of the epochs.",
            UseWarning,
            stacklevel=3,
        )
    return use


def _copy_to(generator: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    return copy.deepcopy(generator).to(device).to(memory_format=torch.channels_last).eval()
