"""What the samples of a run are like: all of `ganaug.metrics` on a generator and real images."""
