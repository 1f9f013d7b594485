"""Metrics of samples: pure functions of features (N, D), of logits (N, K), of pixels and of predictions.

A metric never sees a network. `METRICS` lists those of features, each one record; `ganaug.measure` and the command
`ganaug measure` put an extractor, the images of a run and all metrics together. Over batches that do not fit into
memory, torchmetrics has accumulators of most of them.
"""

from ganaug.metrics.bins import different_bins as different_bins
from ganaug.metrics.copies import CopyReport as CopyReport
from ganaug.metrics.copies import Pair as Pair
from ganaug.metrics.copies import copy_report as copy_report
from ganaug.metrics.diversity import within_class_diversity as within_class_diversity
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
from ganaug.metrics.scores import am_score as am_score
from ganaug.metrics.scores import inception_score as inception_score
from ganaug.metrics.scores import label_agreement as label_agreement
from ganaug.metrics.suite import METRICS as METRICS
from ganaug.metrics.suite import Metric as Metric
from ganaug.metrics.suite import metric as metric
