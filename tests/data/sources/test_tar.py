"""Tar files in the convention of WebDataset."""

import io
import json
import tarfile
import tracemalloc

import numpy as np
import pytest

from ganaug.data.load import load_images
from ganaug.data.sources.source import open_source
from ganaug.errors import DataError, LabelMismatchError, OptionError
from tests.toys.images import picture

LABELS = [1, 0, 1, 0, 1, 0, 0, 1]


def encoded(index, form="PNG"):
    file = io.BytesIO()
    picture(index).save(file, form)
    return file.getvalue()


def write(path, members):
    """members: (name, bytes), or a TarInfo."""
    with tarfile.open(path, "w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return path


def items(labels=LABELS, cell=lambda i, label: ("cls", str(label).encode()), ending="png"):
    for i, label in enumerate(labels):
        name, data = cell(i, label)
        yield from ((f"{i:04}.{name}", data), (f"{i:04}.{ending}", encoded(i)))


def test_images_and_classes_are_those_of_the_items(tmp_path):
    source = open_source(write(tmp_path / "a.tar", items()))
    assert source.classes == ("0", "1")
    assert source.labels.tolist() == LABELS
    assert source.names[3] == "0003"
    for i in (7, 0, 3):
        assert source.read(i).tobytes() == picture(i).tobytes()
    assert load_images(tmp_path / "a.tar", classes=("ant", "bee")).counts() == {"ant": 4, "bee": 4}


@pytest.mark.parametrize(
    "cell",
    [
        lambda i, label: ("txt", b" bee\n" if label else b"ant"),
        lambda i, label: ("json", b'"bee"' if label else b'"ant"'),
        lambda i, label: ("json", json.dumps({"label": "bee" if label else "ant", "size": i}).encode()),
    ],
)
def test_classes_may_be_texts_or_json(tmp_path, cell):
    source = open_source(write(tmp_path / "a.tar", items(cell=cell)))
    assert source.classes == ("ant", "bee")
    assert source.labels.tolist() == LABELS


def test_names_that_read_like_numbers_stay_names(tmp_path):
    cells = ["1_1", "11", "2_0", "02"]
    named = items([0, 1, 2, 3] * 2, lambda i, label: ("cls", cells[label].encode()))
    assert load_images(write(tmp_path / "a.tar", named)).counts() == dict.fromkeys(sorted(cells), 2)


def test_it_reads_what_webdataset_writes(tmp_path):
    wds = pytest.importorskip("webdataset")
    with wds.ShardWriter(str(tmp_path / "s-%03d.tar"), maxcount=3, verbose=0) as sink:
        for i, label in enumerate(LABELS):
            sink.write({"__key__": f"dir/{i:04}.v1", "jpg": encoded(i, "JPEG"), "cls": label})
    source = open_source(tmp_path / "s-{000..002}.tar")
    assert source.labels.tolist() == LABELS
    assert source.names[0] == "s-000/dir/0000"


def test_shards_of_one_name_are_one_set(tmp_path):
    for number in range(2):
        write(tmp_path / f"x-{number:05}-of-00002.tar", items(LABELS[4 * number : 4 * number + 4]))
    source = open_source(tmp_path / "x-00001-of-00002.tar")
    assert source.labels.tolist() == LABELS
    assert len(set(source.names)) == 8
    (tmp_path / "x-00000-of-00002.tar").unlink()
    with pytest.raises(DataError, match="x-00000-of-00002.tar is missing"):
        open_source(tmp_path / "x-00001-of-00002.tar")
    write(tmp_path / "y-3.tar", items())
    with pytest.raises(DataError, match="y-4.tar is missing"):
        open_source(tmp_path / "y-{3..4}.tar")
    with pytest.raises(DataError, match="from 4 to 3"):
        open_source(tmp_path / "y-{4..3}.tar")


def test_pictures_of_several_formats_and_several_pictures(tmp_path):
    mixed = [*items(LABELS[:4]), *((f"b{name}", data) for name, data in items(LABELS[:4], ending="webp"))]
    assert len(open_source(write(tmp_path / "a.tar", mixed))) == 8
    masks = [(f"{i:04}.mask.png", encoded(i + 20)) for i in range(8)]
    both = sorted([*items(), *masks])
    with pytest.raises(DataError, match="may all be the image"):
        open_source(write(tmp_path / "b.tar", both))
    source = open_source(tmp_path / "b.tar", image="mask.png")
    assert source.read(2).tobytes() == picture(22).tobytes()
    with pytest.raises(OptionError, match="There is no 'gif'"):
        open_source(tmp_path / "b.tar", image="gif")


def test_what_is_no_item_is_passed_over_by_name(tmp_path):
    link = tarfile.TarInfo("0009.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    more = [("README", b"text"), (".hidden.png", b"x"), link, ("0010.cls", b"0")]
    source = open_source(write(tmp_path / "a.tar", [*items(), *more]))
    assert len(source) == 8
    assert source.ignored == {"item without an image": ("0010",)}


@pytest.mark.parametrize(
    ("cells", "cause"),
    [
        ([b"", b"0"], "0000.cls holds no class"),
        ([b"\xff\xfe", b"0"], "0000.cls holds no class"),
        ([b"1" * 70_000, b"0"], "0000.cls holds no class"),
        ([b"-1", b"0"], "negative"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path, cells, cause):
    labels = [0, 1] * 4
    path = write(tmp_path / "a.tar", items(labels, cell=lambda i, label: ("cls", cells[label] if i else cells[0])))
    with pytest.raises(DataError, match=cause):
        open_source(path)


@pytest.mark.parametrize("value", [b"[1]", b'{"label": 1, "class": 2}', b"{", b"[" * 100_000, b"true", b"null"])
def test_json_that_names_no_class_is_refused(tmp_path, value):
    with pytest.raises(DataError, match="0000.json holds no class"):
        open_source(write(tmp_path / "a.tar", items(cell=lambda i, label: ("json", value))))


def test_items_without_a_class_and_classes_without_a_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="1 of 8 items of .* have no .cls, the first is 0003"):
        open_source(write(tmp_path / "a.tar", [one for one in items() if one[0] != "0003.cls"]))
    with pytest.raises(DataError, match="nothing that names their classes"):
        open_source(write(tmp_path / "b.tar", [one for one in items() if not one[0].endswith("cls")]))
    with pytest.raises(LabelMismatchError):
        open_source(write(tmp_path / "c.tar", items()), classes=("only",))
    with pytest.raises(DataError, match="twice"):
        open_source(write(tmp_path / "d.tar", [*items(), ("0003.cls", b"1")]))
    with pytest.raises(DataError, match="holds no items"):
        open_source(write(tmp_path / "e.tar", []))


def test_archives_that_are_not_whole_are_refused(tmp_path):
    whole = write(tmp_path / "a.tar", items()).read_bytes()
    rng = np.random.default_rng(0)
    end = len(whole.rstrip(b"\0"))
    for cut in (*rng.integers(1, end, 12).tolist(), *range(512, end, 1024)):
        (tmp_path / "cut.tar").write_bytes(whole[:cut])
        with pytest.raises(DataError):
            open_source(tmp_path / "cut.tar")
    (tmp_path / "two.tar").write_bytes(whole + whole)
    with pytest.raises(DataError, match="several archives"):
        open_source(tmp_path / "two.tar")
    with tarfile.open(tmp_path / "packed.tar", "w:gz") as archive:
        archive.add(tmp_path / "a.tar", "x.png")
    with pytest.raises(DataError, match="must not be compressed"):
        open_source(tmp_path / "packed.tar")


def test_damaged_images_are_named_and_a_shard_that_goes_is_told(tmp_path):
    broken = [(name, data[:60] if name == "0002.png" else data) for name, data in items()]
    path = write(tmp_path / "a.tar", broken)
    images = load_images(path)
    assert [name for name, _ in images.unreadable] == ["0002"]
    source = open_source(path)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        source.read(0)


def test_images_beyond_memory_are_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write(tmp_path / "a.tar", items())
    plain = load_images(path)
    monkeypatch.setattr("ganaug.data.store.memory_for_pixels", lambda: 0)
    for _ in range(2):
        assert (load_images(path).pixels == plain.pixels).all()
    assert len(list((tmp_path / "cache" / "ganaug" / "pixels").iterdir())) == 1


def test_of_a_label_that_is_a_large_file_no_more_is_read_than_a_label_may_have(tmp_path):
    large = b"7" * (1 << 25)
    write(tmp_path / "train.tar", items(cell=lambda i, label: ("cls", large if i == 0 else b"1")))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="holds no class"):
            open_source(tmp_path / "train.tar")
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
