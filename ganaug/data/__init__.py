"""Labelled images in: sources, labels, one tensor, splits, fingerprints, checks."""

from ganaug.data.check import Check, check
from ganaug.data.fingerprint import fingerprint
from ganaug.data.groups import read_groups_csv
from ganaug.data.images import decode_image
from ganaug.data.labels import Labels, labels_of
from ganaug.data.load import LabelledImages, load_images
from ganaug.data.source import ImageSource, open_source
from ganaug.data.spec import DataSpec, ImageCodec
from ganaug.data.split import hold_out
from ganaug.data.unwrap import innermost, without_transforms

__all__ = [
    "Check",
    "DataSpec",
    "ImageCodec",
    "ImageSource",
    "LabelledImages",
    "Labels",
    "check",
    "decode_image",
    "fingerprint",
    "hold_out",
    "innermost",
    "labels_of",
    "load_images",
    "open_source",
    "read_groups_csv",
    "without_transforms",
]
