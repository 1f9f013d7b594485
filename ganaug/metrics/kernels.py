"""Kernel distances between two sets of features: unbiased squared MMD (Gretton et al. 2012), of which KID is a case.

The estimate is the U-statistic over all pairs, added up block by block in float64; it is about 0 for two samples of one
distribution, and then as often below 0 as above. Time O(N^2 D), memory O(block^2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ganaug.errors import OptionError
from ganaug.keys import permutation
from ganaug.metrics.matrices import Matrix, pair

BLOCK = 1024
MEDIAN_OF = 1000  # real images whose distances give the bandwidth

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def kernel_distance(real: Matrix, synthetic: Matrix, *, degree: int = 3, coefficient: float = 1.0) -> float:
    """Kernel distance between two sets of features (KID on features of Inception), with a polynomial kernel.

    It is the squared maximum mean discrepancy.

    The estimate is unbiased and over all pairs, not over drawn subsets: about 0 for two samples of one distribution,
    and then as often below 0 as above.

    Parameters
    ----------
    real, synthetic : array_like, (N, D) and (M, D)
        Features, two rows or more of each.
    degree : int, default 3
        Of the kernel (x.y / D + coefficient) ** degree.
    coefficient : float, default 1.0
        Of the kernel.

    Returns
    -------
    float
        Lower is nearer.

    Raises
    ------
    TooFewImagesError
        A side has fewer than two rows.

    References
    ----------
    Binkowski et al. 2018, "Demystifying MMD GANs", 1801.01401.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import kernel_distance
    >>> a, b = np.random.default_rng(0).normal(size=(2, 200, 4))
    >>> abs(kernel_distance(a, b)) < kernel_distance(a, b + 1)
    True
    """
    first, second = pair(real, synthetic, at_least=2)
    return unbiased_mmd(first, second, _polynomial(degree, coefficient))


def gaussian_mmd(real: Matrix, synthetic: Matrix, *, bandwidth: float | None = None) -> float:
    """Squared maximum mean discrepancy with a Gaussian kernel, between two sets of features.

    Parameters
    ----------
    real, synthetic : array_like, (N, D) and (M, D)
        Features, two rows or more of each.
    bandwidth : float, optional
        Of the kernel ``exp(-|x - y|^2 / (2 bandwidth^2))``, above 0; by default the median distance of (up to 1000)
        real images from one another.

    Returns
    -------
    float
        At most 2; lower is nearer. It is unbiased, so that it may be below 0.

    Raises
    ------
    OptionError
        The bandwidth is not above 0, as where all real images are the same.
    TooFewImagesError
        A side has fewer than two rows.

    References
    ----------
    Gretton et al. 2012, "A kernel two-sample test", JMLR 13.

    Examples
    --------
    >>> import numpy as np
    >>> from ganaug.metrics import gaussian_mmd
    >>> a, b = np.random.default_rng(0).normal(size=(2, 200, 4))
    >>> gaussian_mmd(a, b) < gaussian_mmd(a, b + 1) <= 2
    True
    """
    first, second = pair(real, synthetic, at_least=2)
    width = median_distance(first) if bandwidth is None else bandwidth
    if not width > 0:
        raise OptionError(f"A bandwidth of {width:g} cannot be used.", "Give one above 0; are all images the same?")
    return unbiased_mmd(first, second, _gaussian(width))


def median_distance(features: np.ndarray) -> float:
    """Median Euclidean distance between (up to 1000) different rows."""
    sequence = np.lexsort(features.T)  # so that the order in which the images came does not matter
    some = features[sequence[permutation(len(features), 0, "metrics", "bandwidth")[:MEDIAN_OF]]].astype(np.float64)
    squares = _squared_distances(some, some)
    return float(np.sqrt(np.median(squares[np.triu_indices(len(some), 1)])))


def unbiased_mmd(first: np.ndarray, second: np.ndarray, kernel: Kernel) -> float:
    """E k(x, x') + E k(y, y') - 2 E k(x, y) over different items."""
    n, m = len(first), len(second)
    within = _sum_within(first, kernel) / (n * (n - 1)) + _sum_within(second, kernel) / (m * (m - 1))
    across = sum(kernel(a, b).sum() for a in _blocks(first) for b in _blocks(second))
    return float(within - 2 * across / (n * m))


def _sum_within(rows: np.ndarray, kernel: Kernel) -> float:
    """Sum of the kernel over ordered pairs of different rows."""
    blocks = list(_blocks(rows))
    total = 0.0
    for i, a in enumerate(blocks):
        values = kernel(a, a)
        total += values.sum() - np.trace(values)
        total += 2 * sum(kernel(a, b).sum() for b in blocks[i + 1 :])
    return float(total)


def _blocks(rows: np.ndarray):
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def _polynomial(degree: int, coefficient: float) -> Kernel:
    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        products = a.astype(np.float64) @ b.T.astype(np.float64)
        return (products / a.shape[1] + coefficient) ** degree

    return kernel


def _gaussian(bandwidth: float) -> Kernel:
    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(_squared_distances(a.astype(np.float64), b.astype(np.float64)) / (-2 * bandwidth**2))

    return kernel


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    return squares.clip(min=0)
