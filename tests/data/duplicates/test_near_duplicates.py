"""Copies that a hash does not find: planted ones are found, other images are left alone."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.datasets import load_sample_images

from ganaug.data.duplicates.likeness import LENGTH, SIDE, Likenesses, chroma_of, flips, likeness, read_likenesses
from ganaug.data.duplicates.near_duplicates import LIMITS, find_near, find_within, judge_of
from ganaug.data.duplicates.seen import Known, seen_as
from ganaug.data.duplicates.views import reduced
from scripts.studies import duplicates

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    """120 colour crops (48, 48, 3) of two photographs, apart from each other. Not the sky: of what is nearly plain,
    JPEG leaves too little to tell."""
    images = load_sample_images().images
    places = [(image, y, x) for image in images for y in range(0, 372, 52) for x in range(0, 580, 52)]
    crops = [image[y : y + 48, x : x + 48] for image, y, x in places]
    return [crop for crop in crops if crop.mean(2).std() > 12][:120]


def likenesses(images: list[np.ndarray]) -> Likenesses:
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
    from ganaug.data.sources.arrays import digits

    train, test = digits("train").array, digits("test").array
    seen = likenesses(list(train))
    assert len(find_near(list(test), seen)) <= 1
    flipped = [np.ascontiguousarray(image[:, ::-1]) for image in train[:100]]
    assert len(find_near(flipped, seen)) == 100


def test_an_image_seen_twice_is_found_too(photographs):
    seen = likenesses([*photographs, *photographs[:20]])
    assert len(find_near([jpeg(image) for image in photographs[:20]], seen)) == 20


def test_a_flipped_likeness_is_the_likeness_of_the_flipped_image(photographs):
    for image in [*photographs[:5], photographs[0][:, :31], photographs[1][:7, :, 0]]:
        turned = (image[:, ::-1], image[::-1], image[::-1, ::-1])
        assert flips(likeness(image)) == tuple(map(likeness, turned))


def test_exact_flips_are_found_where_everything_is_alike():
    pictures = duplicates.parts(60, np.random.default_rng(0))
    known = Known(frozenset(), frozenset(map(likeness, pictures)))
    turned = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
    assert all(seen_as([""] * 60, list(map(likeness, turned)), turned, known))
    plain = [np.full((9, 9), 30, np.uint8)]
    assert not any(seen_as([""], [likeness(plain[0])], plain, Known(frozenset(), frozenset(map(likeness, plain)))))


def test_a_picture_in_colour_of_which_a_grey_copy_was_seen_is_found(photographs):
    grey = [np.asarray(Image.fromarray(image).convert("L")) for image in photographs]
    assert len(find_near(photographs[:60], likenesses(grey))) >= 58


def test_few_images_seen_accuse_few_others(photographs):
    """Of how alike images are, two say nothing: the limit is the lowest one."""
    for few in (2, 5, 20, 60):
        assert judge_of(likenesses(photographs[:few])).limit <= LIMITS[0]
        assert find_near(photographs[60:], likenesses(photographs[:few])) == []


def test_a_plain_image_is_no_match_at_any_limit(photographs):
    assert find_near([np.zeros((9, 9), np.uint8)], likenesses(photographs), limit=1.0) == []


def test_what_shows_nothing_is_like_nothing(photographs):
    plain = [np.full((30, 30), level, np.uint8) for level in (0, 128, 255)]
    assert find_near(plain, likenesses([*photographs, *plain])) == []
    assert find_near(photographs, likenesses(plain)) == []
    assert find_near(photographs, likenesses([])) == find_near([], likenesses(photographs)) == []
    assert judge_of(likenesses(photographs[:1])).limit == LIMITS[0]


def test_negatives_are_other_pictures(photographs):
    assert find_near([255 - image for image in photographs[:30]], likenesses(photographs)) == []


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(2, 70), st.integers(2, 70))))
def test_a_likeness_is_the_mean_of_each_cell(pixels):
    """Against the definition: every pixel cut into 16 x 16 parts, and the parts averaged."""
    (read,) = read_likenesses([likeness(pixels)]).cells
    parts = np.kron(pixels.astype(float), np.ones((SIDE, SIDE)))
    h, w = pixels.shape
    means = parts.reshape(SIDE, h, SIDE, w).mean((1, 3))
    if np.ptp(means) > 0:
        stretched = (means - means.min()) / np.ptp(means) * 63
        shown = np.array([ALPHABET.index(letter) for letter in likeness(pixels)[: SIDE * SIDE]]).reshape(SIDE, SIDE)
        assert np.abs(shown - stretched).max() <= 0.5 + 1e-6
        assert np.abs(read - means).max() <= 255 / 63 / 2 + max(np.ptp(means), 1) / 63 / 2 + 1e-6
    assert likeness(np.stack([pixels] * 3, -1)) == likeness(pixels)
    assert likeness(np.asfortranarray(pixels)) == likeness(pixels)


def test_large_images_give_the_likeness_of_their_cells():
    pixels = np.random.default_rng(1).integers(0, 256, (640, 320, 3), np.uint8)
    cells = (pixels @ np.array([299, 587, 114])).reshape(16, 40, 16, 20).sum((1, 3))
    (read,) = read_likenesses([likeness(pixels)]).cells
    assert np.abs(read - cells / 800_000).max() <= 255 / 63 / 2 + np.ptp(cells) / 800_000 / 63 / 2 + 1e-6
    assert reduced(pixels).luma.shape == (64, 64)


@pytest.mark.parametrize("shape", [(4, 4), (28, 28), (50, 33)])
def test_a_likeness_holds_the_colours_of_a_sixteenth_of_the_image(shape):
    pixels = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    pixels[: shape[0] // 2] = (200, 30, 90)
    parts = np.kron(pixels.astype(float), np.ones((4, 4, 1)))
    means = parts.reshape(4, shape[0], 4, shape[1], 3).mean((1, 3))
    expected = means[..., [2, 0]] - (means @ np.array([0.299, 0.587, 0.114]))[..., None]
    assert chroma_of(pixels) == pytest.approx(expected, abs=1e-3)
    (read,) = read_likenesses([likeness(pixels)]).chroma
    assert np.abs(read - expected).max() <= 4 + 1e-3
    assert not read_likenesses([likeness(pixels[:, :, 0])]).chroma.any()
    assert chroma_of(pixels[:, :, 0]).shape == (4, 4, 2)


def test_simple_shapes_of_other_colours_are_other_images():
    seen, others = (duplicates.crosses(100, np.random.default_rng(seed)) for seed in (0, 1))
    assert len(find_near(others, likenesses(seen))) <= 2
    flipped = [np.ascontiguousarray(image[::-1]) for image in seen[:40]]
    assert len(find_near(flipped, likenesses(seen))) == 40


def test_parts_before_one_camera_are_no_copies_of_each_other():
    """All images of a factory look alike: that must not refuse its test set."""
    seen, others = (duplicates.parts(200, np.random.default_rng(seed)) for seed in (0, 1))
    assert len(find_near(others, likenesses(seen))) <= 4
    assert len(find_near(seen[:50], likenesses(seen))) == 50


@pytest.mark.parametrize("count", [100, 200, 400])
def test_cells_of_one_module_are_not_taken_for_copies_and_copies_of_them_are_found(count):
    """Families of different parts: what cannot be judged is told as that, at any size of the set."""
    cells = duplicates.cells(count + 90, np.random.default_rng(0))
    seen = likenesses(cells[:count])
    others = find_near(cells[count:], seen)
    assert not [match for match in others if match.sure]
    if count == 100:  # among more of them, recompressed ones are missed
        assert [match.seen for match in find_near([jpeg(cell) for cell in cells[:60]], seen)] == list(range(60))
    bright = find_near([np.minimum(cell.astype(int) + 15, 255).astype(np.uint8) for cell in cells[:60]], seen)
    assert [match.seen for match in bright] == list(range(60))
    assert sum(match.sure for match in bright) >= 55


def test_few_images_that_are_all_alike_are_not_taken_for_copies():
    cells = duplicates.cells(300, np.random.default_rng(1))[::30]  # one module
    for few in (2, 5, 9):
        assert not any(match.sure for match in find_near(cells[few:], likenesses(cells[:few])))


def within(images: list[np.ndarray]) -> dict[tuple[int, int], bool]:
    return {(m.query, m.seen): m.sure for m in find_within([reduced(x) for x in images], likenesses(images))}


def test_a_pair_within_a_small_set_is_one_within_a_larger_set_too(photographs):
    photographs = photographs[2:]  # the first two are of the same cloud
    planted = [*photographs[:4], *(np.ascontiguousarray(jpeg(image)[:, ::-1]) for image in photographs[:4])]
    pairs = {(i, i + 4) for i in range(4)}
    for more in (0, 20, 110):
        found = within([*planted, *photographs[4 : 4 + more]])
        assert set(found) == pairs
        assert all(found.values()) or more < 110  # where copies are no exceptions, not all of them are sure
    cells = duplicates.cells(400, np.random.default_rng(2))
    copies = [jpeg(cell) for cell in cells[:10]]
    for size in (60, 150, 400):
        assert {(i, size + i) for i in range(10)} <= set(within([*cells[:size], *copies]))


def test_pairs_of_a_set_are_sure_where_they_are_exceptions(photographs):
    cells = duplicates.cells(300, np.random.default_rng(3))
    found = within([*cells, np.minimum(cells[7].astype(int) + 9, 255).astype(np.uint8)])
    assert found[7, 300]
    assert sum(found.values()) == 1
    assert len(found) > 20  # the others are told as what could not be judged
    assert within(photographs[2:]) == {}


@pytest.mark.parametrize("shots", [1, 3, 6])
def test_copies_are_found_where_several_shots_of_the_subject_were_seen(photographs, shots):
    rng, shot = np.random.default_rng(shots), duplicates.shot
    seen = [*photographs[:60], *(shot(image, rng) for image in photographs[:60] for _ in range(shots))]
    for change in ("JPEG 50", "2 px right and down", "flip"):
        changed = [np.ascontiguousarray(CHANGES[change](image)) for image in photographs[:60]]
        assert len(find_near(changed, likenesses(seen))) >= 58
    assert len(find_near([shot(image, rng) for image in photographs[:60]], likenesses(seen))) >= 58
    assert find_near(photographs[60:], likenesses(seen)) == []


ODD = ["A" * (LENGTH - 1), "A" * (LENGTH + 1), *("A" * (LENGTH - 1) + end for end in "!é\n"), "A" * 256]


@pytest.mark.parametrize("text", ODD)
def test_damaged_likenesses_are_refused(text):
    with pytest.raises(ValueError, match="not a likeness"):
        read_likenesses([text])


@pytest.mark.long
def test_the_study_in_small_on_real_images(real_data):
    found = duplicates.study(real_data / "pneumonia_mnist.npz", planted=20, others=60, seed=1)
    assert all(hits >= 19 for hits in found.planted.values())
    assert all(hits == 20 for change, hits in found.planted.items() if change == "exact" or "flipped" in change)
    assert found.in_shots >= found.of_shots - 1 == 19
    assert not found.alarms
    shares = [duplicates.copies(real_data / "pneumonia_mnist.npz", 1000, share, seed=0) for share in (0.05, 0.0)]
    assert [duplicates.flagged(share, 1000) for share in shares] == [True, False]
