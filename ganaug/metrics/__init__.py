"""Measures of samples: pure functions of scores, features and pixels."""

from ganaug.metrics.samples import copy_share as copy_share
from ganaug.metrics.samples import label_agreement as label_agreement
from ganaug.metrics.samples import nearest_distances as nearest_distances
from ganaug.metrics.samples import within_class_diversity as within_class_diversity
