"""Labelled images, rows and series in: read, checked, divided, and handed on as tensors."""
