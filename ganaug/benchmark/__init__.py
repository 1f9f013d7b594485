"""Does it help? Arms trained alike, one comparison on the test set, a verdict and a report."""

from ganaug.benchmark.results import Results as Results
from ganaug.benchmark.results import table as table
from ganaug.benchmark.run import bench as bench
from ganaug.benchmark.verdict import holm as holm
