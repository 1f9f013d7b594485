import io

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from torch.utils.data import Dataset, TensorDataset
from torchvision.transforms import v2

from ganaug.data.duplicates.fingerprint import fingerprint
from ganaug.data.load import load_images

grey = arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9)))
colour = arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9), st.just(3)))


@settings(max_examples=60, deadline=None)
@given(st.one_of(grey, colour))
def test_one_picture_has_one_fingerprint_whatever_holds_it(pixels):
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, "PNG")
    tensor = v2.functional.pil_to_tensor(image)
    forms = [
        image,
        Image.open(file),
        pixels,
        np.asfortranarray(pixels),
        tensor,
        v2.functional.to_dtype(tensor, torch.float32, scale=True),
        pixels / np.float64(255),
        pixels.astype(np.int64),
    ]
    assert len({fingerprint(form) for form in forms}) == 1


@settings(max_examples=60, deadline=None)
@given(grey)
def test_grey_stored_as_rgb_is_the_same_picture(pixels):
    assert fingerprint(Image.fromarray(pixels).convert("RGB")) == fingerprint(pixels)


@settings(max_examples=60, deadline=None)
@given(colour, st.data())
def test_one_changed_value_or_another_shape_changes_it(pixels, data):
    changed = pixels.copy()
    place = data.draw(st.integers(0, pixels.size - 1))
    changed.flat[place] ^= data.draw(st.integers(1, 255))
    assert fingerprint(changed) != fingerprint(pixels)
    h, w = pixels.shape[:2]
    if h != w:
        assert fingerprint(pixels.reshape(w, h, 3)) != fingerprint(pixels)


class Pictures(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return (self.transform(image) if self.transform else image), self.labels[index]


def test_folder_arrays_pil_and_float_tensors_load_alike(tree):
    folder = load_images(tree)
    files = sorted(tree.rglob("*.png"))
    images = [Image.open(file).convert("RGB") for file in files]
    y = folder.labels.numpy()
    x = np.stack([np.asarray(image) for image in images])
    floats = torch.stack([v2.functional.to_dtype(v2.functional.pil_to_tensor(i), torch.float32, True) for i in images])
    sources = [
        (x, y),
        (x.transpose(0, 3, 1, 2), y),
        (torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(y)),
        (x.astype(np.float32) / 255, y.tolist()),
        (images, y),
        list(zip(images, y.tolist(), strict=True)),
        TensorDataset(floats, torch.from_numpy(y)),
        Pictures(images, y),
        Pictures(images, y, v2.Compose([v2.RandomHorizontalFlip(1.0), v2.ToImage(), v2.Normalize([9.0], [3.0])])),
        Pictures(floats, y),
    ]
    for source in sources:
        loaded = load_images(source)
        assert loaded.fingerprints == folder.fingerprints
        assert torch.equal(loaded.pixels, folder.pixels)
        assert torch.equal(loaded.labels, folder.labels)
        assert loaded.codec == folder.codec
