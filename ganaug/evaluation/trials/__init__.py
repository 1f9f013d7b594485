"""Trials of classifiers: what they are given, the kinds of them, one training each, and its outcome on disk."""
