"""Names of labels, from up to three places that may contradict each other."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision.datasets as tv
from torch.utils.data import ConcatDataset, Dataset, Subset

from ganaug.data.labels.finding import labels_of
from ganaug.data.labels.naming import names_of
from ganaug.data.sources.source import open_source
from ganaug.errors import LabelMismatchError
from tests.toys.images import picture

ANT, BEE, CAT = NAMES = ["ant", "bee", "cat"]
PLAIN = {0: ANT, 1: BEE, 2: CAT}
INDEX = {ANT: 0, BEE: 1, CAT: 2}


def said(classes=None, class_to_idx=None, folders=(), root="/d", **more):
    """A data set with these attributes; folders: of one item for each label 0, 1, ..."""
    samples = [(f"{root}/{folder}/{label}.png", label) for label, folder in enumerate(folders)]
    told = {"classes": classes, "class_to_idx": class_to_idx, "samples": samples or None, "root": root, **more}
    return SimpleNamespace(**{name: value for name, value in told.items() if value is not None})


AGREED = {
    "a list": (said(NAMES), PLAIN),
    "a tuple": (said(tuple(NAMES)), PLAIN),
    "an array": (said(np.array(NAMES)), PLAIN),
    "bytes": (said([name.encode() for name in NAMES]), PLAIN),
    "by number": (said({0: ANT, 1: BEE, 2: CAT}), PLAIN),
    "a table": (said(None, INDEX), PLAIN),
    "a table as classes": (said(INDEX), PLAIN),
    "a table in another order": (said(None, {CAT: 2, ANT: 0, BEE: 1}), PLAIN),
    "numbers of numpy": (said(NAMES, {name: np.int64(label) for name, label in INDEX.items()}), PLAIN),
    "numbers of torch": (said(None, {name: torch.tensor(label) for name, label in INDEX.items()}), PLAIN),
    "gaps": (said(None, {ANT: 3, BEE: 7, CAT: 5}), {3: ANT, 7: BEE, 5: CAT}),
    "a longer list": (said([*NAMES, "dog"], INDEX), {**PLAIN, 3: "dog"}),
    "a longer table": (said(NAMES, {**INDEX, "dog": 5}), {**PLAIN, 5: "dog"}),
    "the table against a sorted list": (said(["0", "1", "10", "2"], {"0": 0, "1": 1, "10": 10, "2": 2}),
                                        {0: "0", 1: "1", 2: "2", 10: "10"}),
    "the table against the list": (said([CAT, BEE, ANT], INDEX), PLAIN),
    "the table, by its folders": (said([CAT, BEE, ANT], INDEX, NAMES), PLAIN),
    "the list, by its folders": (said([CAT, BEE, ANT], INDEX, [CAT, BEE, ANT]), {0: CAT, 1: BEE, 2: ANT}),
    "the list, by its folders, where the table repeats": (said(NAMES, {ANT: 0, BEE: 0, CAT: 1}, NAMES), PLAIN),
    "folders of other names": (said(NAMES, INDEX, ["n01", "n02", "n03"]), PLAIN),
    "codes and words": (said(NAMES, {"n01": 0, "n02": 1, "n03": 2}), PLAIN),
    "codes and words, in folders of codes": (said(NAMES, {"n1": 0, "n2": 1}, ["n1", "n2"]), {0: "n1", 1: "n2"}),
    "deeper folders": (said(NAMES, INDEX, ["ant/2019", "bee/2019", "cat/2020"]), PLAIN),
    "a root that is called like a class": (said(NAMES, INDEX, NAMES, root="/bee"), PLAIN),
    "accents": (said(["cafe\u0301"], {"caf\u00e9": 0}), {0: "cafe\u0301"}),
    "synonyms": (said([("ant", "emmet"), "bee"], {"ant": 0, "emmet": 0, "bee": 1}), {0: "ant, emmet", 1: "bee"}),
    "none": (said(), None),
    "a table of texts": (said(None, {ANT: "a"}), None),
    "folders alone": (said(None, None, NAMES), None),
}  # fmt: skip


@pytest.mark.parametrize("case", AGREED)
def test_what_counts(case):
    dataset, names = AGREED[case]
    samples = getattr(dataset, "samples", [])
    assert names_of(dataset, np.arange(len(samples)) if samples else None) == names


REFUSED = {
    "the table repeats, and the list has other numbers": said([CAT, BEE, ANT], {ANT: 0, BEE: 0, CAT: 1}),
    "folders against both": said(NAMES, INDEX, [BEE, ANT, CAT]),
    "folders against a list": said(NAMES, None, [BEE, ANT, CAT]),
    "folders against a table": said(None, INDEX, [BEE, ANT, CAT]),
    "all three differ": said([BEE, CAT, ANT], INDEX, [CAT, ANT, BEE]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    dataset = REFUSED[case]
    with pytest.raises(LabelMismatchError, match=r"contradicts itself.*classes=\["):
        names_of(dataset, np.arange(3))


def test_a_table_that_lacks_a_label_does_not_count_against_the_list():
    with pytest.raises(LabelMismatchError, match="contradicts"):
        names_of(said([CAT, BEE, ANT], INDEX), np.array([0, 1, 7]))


class Items(Dataset):
    """Items that carry `y`, and whatever attributes are given."""

    def __init__(self, y, **attributes):
        self.y = list(y)
        vars(self).update(attributes)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        change = getattr(self, "target_transform", None)
        return picture(index), self.y[index] if change is None else change(self.y[index])


Y = [2, 0, 1, 1, 2, 0]


def test_whoever_gives_names_is_asked_nothing():
    torn = Items(Y, targets=Y, classes=[CAT, BEE, ANT], class_to_idx={ANT: 0, BEE: 0, CAT: 1})
    with pytest.raises(LabelMismatchError):
        labels_of(torn)
    assert labels_of(torn, classes=NAMES).names == PLAIN
    assert open_source(torn, classes=NAMES).classes == tuple(NAMES)


def test_labels_without_a_name_are_refused_not_renamed():
    with pytest.raises(LabelMismatchError, match="out of range"):
        open_source(Items(Y, targets=Y, classes=NAMES[:2]))


def test_classes_of_gaps_are_in_the_order_of_their_numbers():
    source = open_source(Items([7, 3, 5, 3, 7, 5], class_to_idx={ANT: 3, BEE: 7, CAT: 5}))
    assert source.classes == (ANT, CAT, BEE)
    assert [source.classes[label] for label in source.labels] == [BEE, ANT, CAT, ANT, BEE, CAT]


CHANGES = {
    "reversed": (lambda y: 2 - y, {2: ANT, 1: BEE, 0: CAT}),
    "global": ({0: 30, 1: 7, 2: 5}.__getitem__, {30: ANT, 7: BEE, 5: CAT}),
    "floats": (lambda y: float(y + 1), {1: ANT, 2: BEE, 3: CAT}),
    "tensors": (lambda y: torch.tensor([y + 1]), {1: ANT, 2: BEE, 3: CAT}),
    "one-hot": (lambda y: torch.eye(3)[y], PLAIN),
    "texts": (NAMES.__getitem__, PLAIN),
    "signs": (lambda y: y - 1, PLAIN),
    "merged": (lambda y: y % 2, None),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("known", [True, False])
def test_names_go_with_the_pictures_through_a_target_transform(change, known):
    function, names = CHANGES[change]
    attributes = {"targets": Y} if known else {}
    dataset = Items(Y, classes=NAMES, target_transform=function, **attributes)
    if not known and change in ("floats", "one-hot", "texts", "signs"):
        with pytest.raises(ValueError, match=r"integers|negative"):
            labels_of(dataset)
        return
    found = labels_of(dataset)
    assert found.names == names
    if change not in ("one-hot", "texts", "signs"):
        assert found.targets.tolist() == [int(dataset[i][1]) for i in range(6)]
    part = Subset(dataset, [4, 3, 1])
    if names is not None:
        assert [names[label] for label in labels_of(part).targets.tolist()] == [CAT, BEE, ANT]


class Around(Dataset):
    """A data set around another one, which changes labels."""

    def __init__(self, inner, change):
        self.inner, self.change = inner, change

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        image, label = self.inner[index]
        return image, self.change(label)


class Part(Subset):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image, label + 10

    def __getitems__(self, indices):
        return [self[index] for index in indices]


def test_names_go_with_the_pictures_through_wrappers():
    inner = Items(Y, targets=Y, classes=NAMES)
    assert labels_of(Around(inner, lambda y: y + 4)).names == {4: ANT, 5: BEE, 6: CAT}
    assert labels_of(Around(inner, lambda y: y // 2)).names is None
    assert labels_of(Around(inner, lambda y: y)).names == PLAIN
    assert labels_of(Part(inner, [5, 4, 3])).names == {10: ANT, 11: BEE, 12: CAT}
    assert labels_of(Part(inner, [5, 4, 3])).targets.tolist() == [10, 12, 11]


def test_names_go_with_the_pictures_through_a_subclass_of_torchvision(tmp_path):
    for name in NAMES:
        for i in range(2):
            (tmp_path / name).mkdir(exist_ok=True)
            picture(i).save(tmp_path / name / f"{i}.png")

    class Renumbered(tv.ImageFolder):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image, 5 - label

    assert open_source(Renumbered(tmp_path)).classes == (CAT, BEE, ANT)

    class Swapped(tv.ImageFolder):
        def __init__(self, root):
            super().__init__(root)
            self.samples = self.imgs = [(path, (label + 1) % 3) for path, label in self.samples]

    with pytest.raises(LabelMismatchError, match="folder"):
        open_source(Swapped(tmp_path))


def test_names_of_given_targets():
    dataset = Items(Y, targets=Y, classes=NAMES)
    assert labels_of(dataset, [y + 1 for y in Y]).names == {1: ANT, 2: BEE, 3: CAT}
    assert labels_of(dataset, [int(y > 0) for y in Y]).names is None  # merged
    assert labels_of(dataset, [0, 0, 1, 2, 2, 1]).names == PLAIN  # corrected


def test_concatenated_sets():
    one, more = Items([0, 1], targets=[0, 1], classes=NAMES[:2]), Items([2, 0], targets=[2, 0], classes=NAMES)
    assert labels_of(ConcatDataset([one, more])).names == PLAIN
    for other in (Items([0, 1], targets=[0, 1], classes=[BEE, ANT]), Items([0, 1], targets=[0, 1]),
                  Items([3], class_to_idx={ANT: 3})):  # fmt: skip
        with pytest.raises(LabelMismatchError, match="different classes"):
            labels_of(ConcatDataset([one, other]))
        assert labels_of(ConcatDataset([one, other]), classes=[*NAMES, "dog"]).classes == (*NAMES, "dog")


def test_a_subset_may_not_contradict_what_it_is_a_part_of():
    part = Subset(Items(Y, targets=Y, classes=NAMES), [0, 4])
    part.classes = [CAT]  # the label is 2
    with pytest.raises(LabelMismatchError, match="subset"):
        labels_of(part)
    part.classes = NAMES
    assert labels_of(part).names == PLAIN


def test_given_names_may_be_other_words_but_not_the_same_ones_turned_round():
    own = Items(Y, targets=Y, classes=NAMES)
    assert labels_of(own, classes=["x", "y", "z"]).names == {0: "x", 1: "y", 2: "z"}
    assert labels_of(own, classes=NAMES).names == PLAIN
    turned = NAMES[::-1]
    for dataset in (own, Subset(own, [5, 0, 2])):
        with pytest.raises(LabelMismatchError, match="the data set calls 2 so, and 0 ") as refused:
            labels_of(dataset, classes=turned)
        assert "targets=" in refused.value.fix
    assert labels_of(own, Y, classes=turned).names == dict(enumerate(turned))


def test_folders_that_a_data_set_merges_are_named_by_its_table(tmp_path):
    for i, name in enumerate((ANT, BEE, "fly")):
        (tmp_path / name).mkdir()
        for k in range(2):
            picture(2 * i + k).save(tmp_path / name / f"{k}.png")

    class Merged(tv.ImageFolder):
        def find_classes(self, directory):
            return [ANT, BEE, "fly"], {ANT: 0, BEE: 1, "fly": 1}

    source = open_source(Merged(tmp_path))
    assert source.classes == (ANT, f"{BEE}, fly")
    assert source.labels.tolist() == [0, 0, 1, 1, 1, 1]

    class Swapped(tv.ImageFolder):
        def find_classes(self, directory):
            return [ANT, BEE, "fly"], {ANT: 1, BEE: 0, "fly": 0}

    assert open_source(Swapped(tmp_path)).classes == (f"{BEE}, fly", ANT)
