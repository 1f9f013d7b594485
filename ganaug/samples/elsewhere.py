"""Images that were made elsewhere, by a diffusion model or a renderer: looked at once, to be served as samples are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ganaug.data.duplicates.seen import Known
from ganaug.data.labelled import label_counts
from ganaug.data.labels.classes import spelled
from ganaug.data.passed_over import none_of, warn_of_passed_over
from ganaug.data.required import refuse_depth, refuse_unsteady
from ganaug.data.sources.source import ImageSource
from ganaug.data.spec import ImageCodec
from ganaug.data.survey import survey
from ganaug.defaults import usual_defaults
from ganaug.errors import UnreadableImageError
from ganaug.generator.folder import Fitted
from ganaug.reporting import Report, silent
from ganaug.samples.plan import Plan
from ganaug.samples.pool import Pool
from ganaug.samples.run import Samples, from_noise, made_elsewhere


class Pictures:
    """A pool whose rows are read where they lie, by whatever process asks for them, each at its own size.

    classes, offsets: as of `Pool`. rows: int64, of the source, those that can be read.
    """

    epoch = None  # they serve every epoch

    def __init__(self, source: ImageSource, rows: np.ndarray):
        labels = source.labels[rows]
        self.source, self.rows = source, rows[np.argsort(labels, kind="stable")]
        self.classes = source.classes
        self.counts: Plan = label_counts(labels, source.classes)
        self.offsets = np.concatenate([[0], np.cumsum(list(self.counts.values()), dtype=np.int64)])

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: np.ndarray) -> list[Image.Image]:
        """Chosen rows, each "L" or "RGB". Raises UnreadableImageError for one that can no longer be read."""
        return [self._picture(int(self.rows[row])) for row in rows]

    def _picture(self, index: int) -> Image.Image:
        try:
            return self.source.read(index)
        except UnreadableImageError as error:
            name = self.source.names[index]
            raise UnreadableImageError(f"{name} can no longer be read: {error.cause}", "Restore it.") from error


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """What is known of images that were made elsewhere. codec: the mode that holds them all; they have no common size.
    known: themselves, so that they are found among others."""

    pictures: Pictures
    codec: ImageCodec
    known: Known

    @property
    def classes(self) -> tuple[str, ...]:
        return self.pictures.classes

    def spelled(self, name: str) -> str:
        """The class as the images name it; a name that they do not have stays as it is."""
        return spelled(name, self.classes)

    def places(self, names: Iterable[str]) -> list[int]:
        """The labels of these classes, of which there are images."""
        return [self.classes.index(self.spelled(name)) for name in names]

    def serves(self, name: str) -> bool:
        """Whether there is an image of this class."""
        return self.pictures.counts.get(self.spelled(name), 0) > 0

    @staticmethod
    @usual_defaults()
    def look(source: ImageSource, report: Report = silent) -> Elsewhere:
        """Read every image once. What cannot be read, or is passed over, is left out, with an UnreadableWarning. Raises
        DataError for values of more than 8 bits on an unknown scale, for a data set that changes its items at random,
        and where there is no image."""
        refuse_unsteady(source, as_served=False, needed=False)
        found = survey(source, report=report)
        refuse_depth(source, found, getattr(source, "span", None), needed=False)
        if not len(found.images):
            raise none_of(source, "the synthetic ones", found.unreadable)
        warn_of_passed_over(source, "the synthetic ones", "served", 4, found.unreadable)
        return Elsewhere(Pictures(source, found.rows), ImageCodec(found.mode(), None), Known.of(found.images))


def samples_of(
    samples: Samples, report: Report = silent, load: Callable[[Any], Fitted] = from_noise
) -> Fitted | Elsewhere:
    """Of a run its generator, else images that were made elsewhere. load: what loads the run."""
    made = made_elsewhere(samples, report)
    return load(samples) if made is None else Elsewhere.look(made, report)


def pool_of(samples: Fitted | Elsewhere, plan: Plan, **how: Any) -> Pool | Pictures:
    """Where rows are read from: rendered now, as many as the plan says; or else all that were made. how: of
    `Pool.open`."""
    return samples.pictures if isinstance(samples, Elsewhere) else Pool.open(samples, plan, **how)
