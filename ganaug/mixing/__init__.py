"""What a training loop meets: synthetic images in data sets, loaders, batches, pipelines and arrays."""
