"""Classifiers of real images and how they are trained: the network, augmentation, the use of synthetic images."""
