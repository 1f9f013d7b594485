"""Measures of samples: pure functions of scores, features and pixels, accumulators over batches, and extractors.

A measure never sees a network: it takes a matrix of features (N, D) or of logits (N, K). `ganaug.measure` and the
command `ganaug metrics` put an extractor, the images of a run and all measures together.
"""

from ganaug.metrics.accumulators import PRDC as PRDC
from ganaug.metrics.accumulators import AMScore as AMScore
from ganaug.metrics.accumulators import DifferentBins as DifferentBins
from ganaug.metrics.accumulators import FrechetDistance as FrechetDistance
from ganaug.metrics.accumulators import GaussianMMD as GaussianMMD
from ganaug.metrics.accumulators import InceptionScore as InceptionScore
from ganaug.metrics.accumulators import IntraClassFrechet as IntraClassFrechet
from ganaug.metrics.accumulators import KernelDistance as KernelDistance
from ganaug.metrics.accumulators import LabelAgreement as LabelAgreement
from ganaug.metrics.accumulators import WithinClassDiversity as WithinClassDiversity
from ganaug.metrics.bins import different_bins as different_bins
from ganaug.metrics.copies import CopyReport as CopyReport
from ganaug.metrics.copies import Pair as Pair
from ganaug.metrics.copies import copy_report as copy_report
from ganaug.metrics.frechet import class_frechet_distances as class_frechet_distances
from ganaug.metrics.frechet import frechet_distance as frechet_distance
from ganaug.metrics.frechet import intra_class_frechet as intra_class_frechet
from ganaug.metrics.intervals import Interval as Interval
from ganaug.metrics.intervals import bootstrap as bootstrap
from ganaug.metrics.intervals import share_interval as share_interval
from ganaug.metrics.intervals import subsampled as subsampled
from ganaug.metrics.kernels import gaussian_mmd as gaussian_mmd
from ganaug.metrics.kernels import kernel_distance as kernel_distance
from ganaug.metrics.manifold import Manifold as Manifold
from ganaug.metrics.manifold import manifold as manifold
from ganaug.metrics.samples import copy_share as copy_share
from ganaug.metrics.samples import label_agreement as label_agreement
from ganaug.metrics.samples import nearest_distances as nearest_distances
from ganaug.metrics.samples import within_class_diversity as within_class_diversity
from ganaug.metrics.scores import am_score as am_score
from ganaug.metrics.scores import inception_score as inception_score
