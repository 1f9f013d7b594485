"""A batch transform in the manner of torchvision's MixUp and CutMix: some images of a batch become synthetic ones."""

from __future__ import annotations

import warnings
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganaug.classifier.use import Use, use_named
from ganaug.data.labels.classes import Classes
from ganaug.data.spec import MODES, ImageCodec
from ganaug.errors import OptionError, UseWarning
from ganaug.generator.folder import Fitted
from ganaug.keys import numpy_stream, torch_stream
from ganaug.mixing.batch import BatchTransform, Normalisation, as_batch, with_rows
from ganaug.mixing.labels import absent_of, require_named
from ganaug.mixing.ratio import Share, resolve, verdict_for
from ganaug.options import at_least
from ganaug.reporting import Report, silent
from ganaug.samples.elsewhere import Elsewhere, Pictures, pool_of, samples_of
from ganaug.samples.enlarged import warn_of_enlarged
from ganaug.samples.plan import per_class
from ganaug.samples.run import Samples

PER_CLASS = 512  # images of a pool


@final
class SynthMix(BatchTransform):
    """Replace a share of a batch by synthetic images of the same classes.

    Place it after the loader (or in `collate_fn`), before MixUp, CutMix or label smoothing. Batches are (images,
    labels): images (B, C, H, W), uint8 or float, on any device; labels (B,) integers, or one-hot (B, K) of any dtype.
    Both come out as they were given.

    Parameters
    ----------
    run : str, path, Run, Fitted or any source
        A run, or images that were made elsewhere, as in `ganaug.mix`.
    ratio : float or "auto", optional
        Expected share of the batch, 0 to 1; by default 0.25. The number in a batch is the share rounded up or down at
        random, so that it is right on average. "auto" is what `ganaug.bench` found.
    seed : int, default 0
        Random numbers depend on (seed, rank, epoch, number of the call), in a worker also on the worker's own seed;
        `set_epoch(n)` makes them repeatable after a resume.
    live : bool, default False
        Run the generator on the batch's device, instead of reading from a pool.
    pool_per_class : int, default 512
        Images of each class in the pool.
    classes : sequence of str or mapping, optional
        `classes[i]` names label i (`classes=dataset.classes`), or name -> label (`.class_to_idx`). It may be left out
        where the classes of the generator are called by numbers.
    normalize : (mean, std), optional
        Floats are taken to be in 0..1. If yours are normalised, give mean and standard deviation of each channel.
    use : str, optional
        A use of synthetic images with a loss weight or label smoothing, such as "light", or "auto": the one that the
        bench found to help. Labels then come out as floats (B, K), for a cross-entropy with probabilities as targets
        and mean reduction, in which each synthetic row sums to its weight, over the mean weight of the batch. "rare"
        and "fixed" are about the whole training, and refused; "finish" warns that the last epochs are yours to leave
        out.
    force : bool, default False
        Serve images of a run whose verdict is "harms".
    report : callable, optional
        Called as `report(phase, done, total, text)` while images are rendered.

    Raises
    ------
    LabelMismatchError
        A label has no name.
    IncompatibleLoaderError
        It was given something other than such a batch.
    HarmfulError
        The verdict is "harms", without `force`.

    Examples
    --------
    >>> import ganaug, torch
    >>> mix = ganaug.SynthMix("runs/digits", ratio=0.5, pool_per_class=16)
    >>> images, labels = mix(torch.rand(8, 1, 8, 8), torch.arange(8))
    >>> images.shape, labels
    (torch.Size([8, 1, 8, 8]), tensor([0, 1, 2, 3, 4, 5, 6, 7]))
    """

    def __init__(
        self,
        run: Samples,
        *,
        ratio: float | str | None = None,
        seed: int = 0,
        live: bool = False,
        pool_per_class: int = PER_CLASS,
        classes: Classes | None = None,
        normalize: Normalisation | None = None,
        use: str | None = None,
        force: bool = False,
        report: Report = silent,
    ):
        samples = samples_of(run, report)
        share = resolve(samples, "replace", ratio, force)
        if isinstance(samples, Fitted):
            share = share.at_size(samples, depth=2)
            if share.ratio:
                warn_of_enlarged(samples, depth=2)
        super().__init__(samples, seed, classes, normalize)
        self.ratio, self.live = share.ratio, live
        pool_per_class = at_least("pool_per_class", pool_per_class, 1)
        self.use = _use(samples, use)
        if use is None:
            share.warn("Labels that are integers", depth=2)
        self._serves = torch.tensor([name is not None and samples.serves(name) for name in self.classes], device="cpu")
        names = [name for name in self.classes if name is not None]
        if isinstance(samples, Elsewhere):
            names = [samples.spelled(name) for name in names]
        absent_of(names, names, samples, named=True)
        if isinstance(samples, Elsewhere):
            if live or pool_per_class != PER_CLASS:
                raise OptionError("Images that were made elsewhere are a fixed number: no others can be rendered.",
                                  "Leave out live= and pool_per_class=.")  # fmt: skip
        elif live and samples.choice is not None:
            raise OptionError("Live samples are served as they come: there is no choice among them.",
                              "Use live=False, or name the run in place of its choice.")  # fmt: skip
        self._per_class, self._pool = pool_per_class, None
        if not live:
            self._fitted = None
            if self.ratio > 0:
                self._pool = pool_of(samples, per_class(samples.classes, pool_per_class), seed=seed, report=report)

    def _changed(self, images: Tensor, labels: Tensor, width: int) -> tuple[Tensor, Tensor]:
        key = self._next_key()
        count = int(self.ratio * len(images) + numpy_stream(*key, "count").random())
        synthetic_places = torch.zeros(len(images), dtype=torch.bool)
        if count:
            chosen = torch.from_numpy(np.sort(numpy_stream(*key, "places").permutation(len(images))[:count]))
            require_named(labels, self.classes)
            chosen = chosen[self._serves[labels.cpu().to(torch.int64)[chosen]]].to(images.device)
            own = self._known.to(images.device)[labels[chosen].to(images.device, torch.int64)]
            images = with_rows(images, chosen, as_batch(self._draw(own, key, images), images, self.normalize))
            synthetic_places[chosen.cpu()] = True
        if self.use is not None:
            require_named(labels, self.classes)
            labels = weighted_labels(labels, synthetic_places.to(labels.device), width, self.use)
        return images, labels

    @torch.no_grad()
    def _draw(self, own: Tensor, key: tuple[int | str, ...], images: Tensor) -> Tensor:
        """Synthetic images of these classes (labels of the generator): uint8 (n, C, h, w) on the same device. Pictures
        that were made elsewhere are cut to the size of the batch."""
        rng = torch_stream(*key, "rows")
        if self.live:
            z = self._loaded().prior.draw(len(own), rng).to(own.device)
            return ImageCodec.decode(self._networks(own.device)["generator"](z, own))
        assert self._pool is not None
        if isinstance(self._pool, Pictures):
            return _pictures(self._pool, own.cpu(), rng, images.shape).to(own.device)
        starts = torch.from_numpy(self._pool.offsets).to(own.device)
        rows = starts[own] + torch.randint(self._per_class, own.shape, generator=rng).to(own.device)
        if own.device.type == "cpu":
            return torch.from_numpy(self._pool.read(rows.numpy()))
        if own.device not in self._copies:
            self._copies[own.device] = torch.from_numpy(np.array(self._pool.images)).to(own.device)
        return self._copies[own.device][rows]


def _pictures(pool: Pictures, own: Tensor, rng: torch.Generator, shape: torch.Size) -> Tensor:
    """Pictures of these classes, cut to the size of a batch of this shape: uint8 (n, C, H, W)."""
    starts, ends = (torch.from_numpy(edges)[own] for edges in (pool.offsets[:-1], pool.offsets[1:]))
    rows = starts + (torch.rand(own.shape, generator=rng, dtype=torch.float64) * (ends - starts)).long()
    _, channels, height, width = shape
    codec, pixels = (
        ImageCodec(MODES[channels], (height, width)),
        np.empty((len(own), height, width, channels), np.uint8),
    )
    for place, one in enumerate(pool.read(rows.numpy())):
        pixels[place] = np.asarray(codec.to_image(one)).reshape(height, width, channels)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


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


def _use(samples: Fitted | Elsewhere, name: str | None) -> Use | None:
    if name is None:
        return None
    use = use_named(Share(0.0, *verdict_for(samples, "use")).use if name == "auto" else name)
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
