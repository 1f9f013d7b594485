"""The guard: which samples of a generator are served, and which are withheld."""
