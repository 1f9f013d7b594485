"""Number of statistically different bins (Richardson and Weiss 2018, 1805.12462)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ganaug.errors import OptionError
from ganaug.keys import key
from ganaug.metrics.matrices import Matrix, matrix, pair
from ganaug.metrics.neighbours import nearest


@dataclass(frozen=True)
class Bins:
    """Cells of feature space: centres (B, D), found by k-means among real images."""

    centres: np.ndarray

    @staticmethod
    def of(real: Matrix, count: int | None = None, seed: int = 0) -> Bins:
        """count: 2 or more; by default a bin for every 20 real images, 2 to 100."""
        rows = matrix(real, "real features")
        count = int(np.clip(len(rows) // 20, 2, 100)) if count is None else count
        if not 2 <= count <= len(rows):
            raise OptionError(f"{len(rows)} images cannot be put into {count} bins.", "Give 2 or more.")
        from sklearn.cluster import KMeans  # takes a second to import

        means = KMeans(count, n_init=1, random_state=key(seed, "metrics", "bins") % 2**32)
        return Bins(means.fit(rows).cluster_centers_.astype(rows.dtype))

    def counts(self, features: Matrix) -> np.ndarray:
        """Images in each bin, int64 (B,)."""
        _, place = nearest(matrix(features), self.centres)
        return np.bincount(place, minlength=len(self.centres))


def different_bins(real: Matrix, synthetic: Matrix, *, bins: int | None = None, level: float = 0.05, seed: int = 0):
    """Share of bins of feature space whose shares of real and of synthetic images differ (NDB / K).

    Bins are found by k-means among real images, and tested one by one (pooled two-proportion z-test). Samples of the
    real distribution score about `level`, not 0. A bin that synthetic images miss is a lost mode.

    Parameters
    ----------
    real, synthetic : array_like, (N, D) and (M, D)
        Features.
    bins : int, optional
        Number of bins, 2 or more; by default one for every 20 real images, 2 to 100.
    level : float, default 0.05
        Of each test.
    seed : int, default 0
        Of the bins.

    Returns
    -------
    float
        0 to 1; lower is better.

    Raises
    ------
    OptionError
        There are fewer real images than bins.

    References
    ----------
    Richardson and Weiss 2018, "On GANs and GMMs", 1805.12462.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import different_bins
    >>> real = np.random.default_rng(0).normal(size=(200, 4))
    >>> different_bins(real, real)
    0.0
    """
    first, second = pair(real, synthetic)
    cells = Bins.of(first, bins, seed)
    return share_of_different(cells.counts(first), cells.counts(second), level)


def share_of_different(real: np.ndarray, synthetic: np.ndarray, level: float = 0.05) -> float:
    """The same from the counts of every bin, (B,) each."""
    n, m = real.sum(), synthetic.sum()
    pooled = (real + synthetic) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    gap = np.abs(real / n - synthetic / m)
    return float((gap > ndtri(1 - level / 2) * error).mean())
