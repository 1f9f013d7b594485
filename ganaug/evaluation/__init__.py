"""Measuring, benching and probing what a generator is worth."""
