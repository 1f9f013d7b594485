"""Does it help? Arms trained alike, one comparison on the test set, a verdict and a report."""

from ganaug.bench.results import Results as Results
from ganaug.bench.results import table as table
from ganaug.bench.run import bench as bench
