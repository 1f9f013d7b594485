"""Copies that a hash does not find: planted ones are found, other images are left alone."""

import io
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.datasets import load_sample_images

from ganaug.data.likeness import SIDE, likeness, read_likenesses
from ganaug.data.near_duplicates import LIMITS, find_near, limit_for, reduced


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    """120 colour crops (48, 48, 3) of two photographs, apart from each other. Not the sky: of what is nearly plain,
    JPEG leaves too little to tell."""
    images = load_sample_images().images
    places = [(image, y, x) for image in images for y in range(0, 372, 52) for x in range(0, 580, 52)]
    crops = [image[y : y + 48, x : x + 48] for image, y, x in places]
    return [crop for crop in crops if crop.mean(2).std() > 12][:120]


def likenesses(images: list[np.ndarray]) -> np.ndarray:
    return read_likenesses([likeness(image) for image in images])


def jpeg(image: np.ndarray, quality: int = 50) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


CHANGES = {
    "nothing": lambda x: x,
    "flip": lambda x: x[:, ::-1],
    "upside down": lambda x: x[::-1],
    "turned by 180 degrees": lambda x: x[::-1, ::-1],
    "2 px right and down": lambda x: np.pad(x, [(2, 0), (2, 0), (0, 0)])[:48, :48],
    "1 px left": lambda x: np.pad(x, [(0, 0), (0, 1), (0, 0)], mode="edge")[:, 1:],
    "JPEG 50": jpeg,
    "darker": lambda x: (x * 0.8).astype(np.uint8),
    "brighter, clipped": lambda x: np.minimum(x.astype(int) + 30, 255).astype(np.uint8),
    "smaller": lambda x: resized(x, 32),
    "larger than 64 px": lambda x: resized(x, 90),
    "grey": lambda x: np.asarray(Image.fromarray(x).convert("L")),
    "flipped, darker, JPEG": lambda x: jpeg((x[:, ::-1] * 0.9).astype(np.uint8), 70),
}


@pytest.mark.parametrize("change", CHANGES)
def test_planted_copies_are_found_and_traced_to_their_origin(photographs, change):
    changed = [np.ascontiguousarray(CHANGES[change](image)) for image in photographs[:60]]
    found = {match.query: match.seen for match in find_near(changed, likenesses(photographs))}
    right = sum(found.get(i) == i for i in range(60))
    assert right >= (60 if change in ("nothing", "flip", "upside down", "turned by 180 degrees") else 58)


def test_other_images_are_left_alone(photographs):
    assert find_near(photographs[60:], likenesses(photographs[:60])) == []


def test_look_alikes_are_left_alone_and_copies_among_them_found():
    """Noisy pictures of one thing: what counts is how much nearer one is than all others."""
    rng = np.random.default_rng(0)
    thing = np.asarray(
        Image.fromarray(rng.integers(0, 256, (7, 7), np.uint8)).resize((28, 28), Image.Resampling.BICUBIC)
    )
    photos = [(thing * 0.7 + rng.normal(30, 12, (28, 28))).clip(0, 255).astype(np.uint8) for _ in range(120)]
    seen = likenesses(photos[:60])
    assert find_near(photos[60:], seen) == []
    assert [match.seen for match in find_near([jpeg(photo) for photo in photos[:60]], seen)] == list(range(60))


def test_embedded_digits_are_no_copies_of_each_other():
    from ganaug.data.arrays import digits

    train, test = digits("train").array, digits("test").array
    seen = likenesses(list(train))
    assert len(find_near(list(test), seen)) <= 1
    flipped = [np.ascontiguousarray(image[:, ::-1]) for image in train[:100]]
    assert len(find_near(flipped, seen)) == 100


def test_an_image_seen_twice_is_found_too(photographs):
    seen = likenesses([*photographs, *photographs[:20]])
    assert len(find_near([jpeg(image) for image in photographs[:20]], seen)) == 20


def test_what_shows_nothing_is_like_nothing(photographs):
    plain = [np.full((30, 30), level, np.uint8) for level in (0, 128, 255)]
    assert find_near(plain, likenesses([*photographs, *plain])) == []
    assert find_near(photographs, likenesses(plain)) == []
    assert find_near(photographs, likenesses([])) == find_near([], likenesses(photographs)) == []
    assert limit_for(likenesses(photographs[:1])) == LIMITS[0]


def test_negatives_are_other_pictures(photographs):
    assert find_near([255 - image for image in photographs[:30]], likenesses(photographs)) == []


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(2, 70), st.integers(2, 70))))
def test_a_likeness_is_the_mean_of_each_cell(pixels):
    """Against the definition: every pixel cut into 16 x 16 parts, and the parts averaged."""
    read = read_likenesses([likeness(pixels)])[0]
    parts = np.kron(pixels.astype(float), np.ones((SIDE, SIDE)))
    h, w = pixels.shape
    means = parts.reshape(SIDE, h, SIDE, w).mean((1, 3))
    if np.ptp(means) > 0:
        expected = (means - means.min()) / np.ptp(means) * 63
        assert np.abs(read - expected).max() <= 0.5 + 1e-6
    assert likeness(np.stack([pixels] * 3, -1)) == likeness(pixels)
    assert likeness(np.asfortranarray(pixels)) == likeness(pixels)


def test_large_images_give_the_likeness_of_their_cells():
    pixels = np.random.default_rng(1).integers(0, 256, (640, 320, 3), np.uint8)
    cells = (pixels @ np.array([299, 587, 114])).reshape(16, 40, 16, 20).sum((1, 3))
    read = read_likenesses([likeness(pixels)])[0]
    assert np.abs(read - (cells - cells.min()) / np.ptp(cells) * 63).max() <= 0.5 + 1e-6
    assert reduced(pixels).shape == (64, 64)


@pytest.mark.parametrize("text", ["A" * 255, "A" * 257, "A" * 255 + "!", "A" * 255 + "é", "A" * 128 + "\n" * 128])
def test_damaged_likenesses_are_refused(text):
    with pytest.raises(ValueError, match="not a likeness"):
        read_likenesses([text])


def test_the_study_in_small_on_real_images(real_data):
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "duplicates_study.py"))
    found = script["study"](real_data / "pneumonia_mnist.npz", planted=20, others=60, seed=1)
    assert all(hits >= 19 for hits in found.planted.values())
    assert all(hits == 20 for change, hits in found.planted.items() if change == "exact" or "flipped" in change)
    assert not found.alarms
    shares = [script["copies"](real_data / "pneumonia_mnist.npz", 1000, share, seed=0) for share in (0.05, 0.0)]
    assert [script["flagged"](share, 1000) for share in shares] == [True, False]
