"""Does it help? Arms trained alike, one comparison on the test set, a verdict and a report."""
