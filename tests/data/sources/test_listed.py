"""Folders without class folders, with a CSV file that lists images and classes."""

from pathlib import Path

import pytest

from ganaug.data.check import check
from ganaug.data.load import load_images
from ganaug.data.rows.cells import holds_rows
from ganaug.data.sources.listed import is_image_list
from ganaug.data.sources.source import brings_test_part, open_source
from ganaug.errors import DataError, LabelMismatchError, OptionError
from tests.toys.images import picture

NAMES = [f"{kind}{i}" for kind in "ab" for i in range(6)]


@pytest.fixture
def flat(tmp_path) -> Path:
    """photos/a0.png ... b5.png"""
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(NAMES):
        picture(i).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def by_first_letter(source) -> bool:
    return all(source.classes[label] == name[0] for name, label in zip(source.names, source.labels, strict=True))


@pytest.mark.parametrize(
    "row", ["{0}", "{0}.png", "./{0}.png", "photos/{0}.png", "photos\\{0}.png", "all/photos/{0}.png", "{root}/{0}.png"]
)
def test_a_list_names_files_with_or_without_suffix_and_folders(flat, row):
    rows = [f"{row.format(name, root=flat)},{name[0]}" for name in NAMES]
    source = open_source(flat, labels=write(flat.parent / "any.csv", "file,kind", rows))
    assert source.classes == ("a", "b")
    assert len(source) == 12
    assert by_first_letter(source)
    assert source.read(3).tobytes() == picture(3).tobytes()
    assert not source.ignored


def test_a_list_is_a_source_by_itself(flat):
    file = write(flat.parent / "train.tsv", "id\tdiagnosis", [f"{name}\t{int(name[0] == 'b')}" for name in NAMES])
    assert is_image_list(file)
    source = open_source(file)
    assert source.classes == ("0", "1")
    assert source.names == [f"{name}.png" for name in NAMES]
    assert open_source(file, classes=["good", "bad"]).classes == ("good", "bad")
    assert load_images(file).counts() == {"0": 6, "1": 6}


def test_numbers_are_classes_in_their_order_and_fractions_are_none(flat):
    rows = [f"{name},{i % 2 * 9 + 1}.0" for i, name in enumerate(NAMES)]
    assert open_source(flat, labels=write(flat.parent / "n.csv", "id,grade", rows)).classes == ("1", "10")
    rows = [f"{name},{i / 7:.3f}" for i, name in enumerate(NAMES)]
    with pytest.raises(DataError, match="numbers such as 0.143"):
        open_source(flat, labels=write(flat.parent / "n.csv", "id,grade", rows))
    rows = [f"{name},00{i % 2}" for i, name in enumerate(NAMES)]
    assert open_source(flat, labels=write(flat.parent / "n.csv", "id,grade", rows)).classes == ("000", "001")


def test_of_several_columns_one_is_called_like_a_label_or_is_named(flat):
    file = write(flat.parent / "l.csv", "image,age,dx,sex", [f"{n},{i},{n[0]},f" for i, n in enumerate(NAMES)])
    with pytest.raises(DataError, match=r"which of its columns holds the class: 'age', 'dx', 'sex'.*--target"):
        open_source(flat, labels=file)
    assert by_first_letter(open_source(flat, labels=file, target="dx"))
    with pytest.raises(OptionError, match="no column 'kind'"):
        open_source(flat, labels=file, target="kind")
    file = write(flat.parent / "l.csv", "image,age,label", [f"{n},{i},{n[0]}" for i, n in enumerate(NAMES)])
    assert by_first_letter(open_source(flat, labels=file))


def test_one_hot_columns_are_classes_if_exactly_one_is_1(flat):
    rows = [f"{name},{float(name[0] == 'a')},{float(name[0] == 'b')}" for name in NAMES]
    source = open_source(flat, labels=write(flat.parent / "l.csv", "image,a,b", rows))
    assert source.classes == ("a", "b")
    assert by_first_letter(source)
    rows = [f"{name},{name[0] == 'a'},{name[0] == 'b'}" for name in NAMES]  # as pandas writes get_dummies
    assert by_first_letter(open_source(flat, labels=write(flat.parent / "l.csv", "image,a,b", rows)))
    rows = [f"{row},{row[0] == 'b'}" for row in rows]
    checked = open_source(flat, labels=write(flat.parent / "l.csv", "image,label,b,seen", rows))
    assert checked.classes == ("False", "True")  # of the column that is called like a label
    rows = [f"{name},{float(name[0] == 'a')},{float(name[0] == 'b')}" for name in NAMES]
    rows[2] = "a2,1.0,1.0"
    with pytest.raises(DataError, match=r"in 1 of 12 rows not just one is 1 \(first: row 3\)"):
        open_source(flat, labels=write(flat.parent / "l.csv", "image,a,b", rows))


@pytest.mark.parametrize("several", ["a|b", "a;b", "a b", "['a', 'b']", "a/b"])
def test_several_labels_in_a_cell_are_refused(flat, several):
    rows = [f"{name},{name[0]}" for name in NAMES]
    rows[0] = f'a0,"{several}"'
    with pytest.raises(DataError, match="several labels"):
        open_source(flat, labels=write(flat.parent / "l.csv", "image,label", rows))


def test_names_of_two_words_are_one_label(flat):
    rows = [f"{name},{'golden retriever' if name[0] == 'a' else 'willow, salix'!r}" for name in NAMES]
    rows = [row.replace("'", '"') for row in rows]
    source = open_source(flat, labels=write(flat.parent / "l.csv", "image,label", rows))
    assert source.classes == ("golden retriever", "willow, salix")


def test_what_is_missing_is_named_and_much_of_it_is_an_error(flat):
    many = [f"x{i}" for i in range(30)]
    for i, name in enumerate(many):
        picture(100 + i).save(flat / f"{name}.png")
    rows = [f"{name},{i % 2}" for i, name in enumerate([*NAMES[:-1], *many, "gone"])]
    rows[0] = f"{NAMES[0]},"
    source = open_source(flat, labels=write(flat.parent / "l.csv", "image,label", rows))
    assert source.ignored == {
        "row without an image": ["gone"],
        "row without a label": ["a0"],
        "image without a row": ["b5.png"],
    }
    rows += [f"lost{i},0" for i in range(5)]
    with pytest.raises(DataError, match=r"47 images, of which 6 are not in .*'gone', 'lost0'"):
        open_source(flat, labels=write(flat.parent / "l.csv", "image,label", rows))


def test_a_file_listed_twice_has_one_label_or_is_refused(flat):
    rows = [f"{name},{name[0]}" for name in (*NAMES, "a1")]
    source = open_source(flat, labels=write(flat.parent / "l.csv", "image,label", rows))
    assert len(source) == 12
    assert source.ignored == {"row that repeats another": ["a1.png"]}
    with pytest.raises(LabelMismatchError, match=r"1 images more than one label: 'a1.png'"):
        open_source(flat, labels=write(flat.parent / "l.csv", "image,label", [*rows, "a1,b"]))
    with pytest.raises(DataError, match=r"'a1.png' and 'a1' in .* are both 'a1.png'"):
        open_source(flat, labels=write(flat.parent / "l.csv", "image,label", [*rows, "a1.png,a"]))


def test_a_name_that_may_be_two_files_is_refused(flat):
    picture(50).save(flat / "a1.jpg")
    with pytest.raises(DataError, match=r"'a1' in .* may be 'a1.jpg', 'a1.png'"):
        open_source(flat, labels=write(flat.parent / "l.csv", "image,label", [f"{n},{n[0]}" for n in NAMES]))


def test_the_same_name_in_two_folders_is_told_apart_by_its_folder(tmp_path):
    for part in ("x", "y"):
        (tmp_path / "d" / part).mkdir(parents=True)
        for i in range(4):
            picture(i + 10 * ord(part)).save(tmp_path / "d" / part / f"{i}.png")
    whole = write(tmp_path / "l.csv", "path,label", [f"{p}/{i}.png,{p}" for p in "xy" for i in range(4)])
    source = open_source(tmp_path / "d", labels=whole)
    assert by_first_letter(source)
    wrong = write(tmp_path / "w.csv", "path,label", [f"{p}/{i}.png,{p}" for p in "xz" for i in range(4)])
    with pytest.raises(DataError, match="4 are not in"):
        open_source(tmp_path / "d", labels=wrong)


def test_parts_of_a_list(flat):
    rows = [f"{n},{n[0]},{'test' if n[1] == '5' else 'train'}" for n in NAMES]
    file = write(flat.parent / "l.csv", "image,label,split", rows)
    train, test = open_source(flat, labels=file), open_source(file, split="test")
    assert len(train) == 10
    assert train.ignored == {"image of another part": ["a5.png", "b5.png"]}
    assert list(test.names) == ["a5.png", "b5.png"]
    with pytest.raises(DataError, match=r"no part 'val'.*test, train"):
        open_source(file, split="val")


def test_rows_of_another_folder_are_not_missing(flat):
    (flat.parent / "test").mkdir()
    picture(70).save(flat.parent / "test" / "t0.png")
    rows = [f"{name},{name[0]}" for name in NAMES] + ["t0,a"]
    source = open_source(flat, labels=write(flat.parent / "l.csv", "id,label", rows))
    assert source.ignored == {"row of an image in another folder": ["t0"]}


def test_images_in_two_folders_beside_a_list_are_not_guessed(flat):
    (flat.parent / "small").mkdir()
    for i, name in enumerate(NAMES):
        picture(i).save(flat.parent / "small" / f"{name}.png")
    file = write(flat.parent / "l.csv", "id,label", [f"{n},{n[0]}" for n in NAMES])
    with pytest.raises(DataError, match=r"in 2 folders beside it: .*--labels"):
        open_source(file)
    rows = [f"small/{n}.png,{n[0]}" for n in NAMES]
    assert len(open_source(write(flat.parent / "l.csv", "id,label", rows))) == 12


def test_the_column_of_images_is_named_where_two_fit(flat):
    rows = [f"{name},{NAMES[i - 1]}.png,{name[0]}" for i, name in enumerate(NAMES)]
    file = write(flat.parent / "l.csv", "id,mask,label", rows)
    with pytest.raises(DataError, match=r"'id' and 'mask' .* name other images.*--image id"):
        open_source(flat, labels=file)
    assert by_first_letter(open_source(flat, labels=file, image="id"))


def test_a_flat_folder_says_which_list_reads_it(flat):
    with pytest.raises(DataError, match="no class folders"):
        open_source(flat)
    inside = write(flat / "labels.csv", "name,label,age", [f"{n},{n[0]},3" for n in NAMES])
    command = f"ganaug check {flat} --labels {inside} --target label"
    with pytest.raises(DataError, match="lists its images") as refused:
        check(flat)
    assert command in refused.value.fix
    assert len(open_source(flat, labels=inside)) == 12


def test_a_folder_of_parts_and_a_list(flat):
    write(flat.parent / "train.csv", "name,dx,age", [f"{n},{n[0]},{i}" for i, n in enumerate(NAMES)])
    with pytest.raises(DataError, match="--target COLUMN") as refused:
        open_source(flat.parent)
    assert f"ganaug check {flat} --labels {flat.parent / 'train.csv'}" in refused.value.fix
    flat.rename(flat.parent / "train")
    (flat.parent / "test").mkdir()
    picture(3).save(flat.parent / "test" / "x.png")
    with pytest.raises(DataError, match=r"parts test, train.*train.csv lists its images"):
        open_source(flat.parent)


def test_a_table_is_no_list_of_images(tmp_path):
    table = write(tmp_path / "t.csv", "width,height,kind", ["1,2,a", "3,4,b"])
    (tmp_path / "plots").mkdir()
    picture(1).save(tmp_path / "plots" / "1.png")
    assert not is_image_list(table)
    with pytest.raises(DataError, match="names images that are in its folder or beside it"):
        open_source(table)
    gone = write(tmp_path / "g.csv", "file,kind", ["x.png,a", "y.png,b"])
    with pytest.raises(DataError, match=r"names images \('x.png', 'y.png'\), but they are not beside it.*--drop file"):
        is_image_list(gone)


def test_columns_of_what_has_none_are_refused(flat, tree):
    with pytest.raises(OptionError, match="names a column"):
        open_source(tree, target="kind")
    with pytest.raises(OptionError, match="would change nothing"):
        open_source("digits", labels="l.csv")


def test_a_list_with_test_rows_brings_its_own_test_part(flat):
    rows = [f"{n},{n[0]},{'test' if n[1] == '5' else 'train'}" for n in NAMES]
    assert brings_test_part(write(flat.parent / "l.csv", "image,label,part", rows))
    assert not brings_test_part(write(flat.parent / "l.csv", "image,label", [f"{n},{n[0]}" for n in NAMES]))
    assert not brings_test_part(flat)


def test_a_column_called_group_holds_the_subjects(flat):
    rows = [f"{name},{name[0]},{i // 2}" for i, name in enumerate(NAMES)]  # groups may be called like files
    (flat / "1.png").write_bytes((flat / "a0.png").read_bytes())
    source = open_source(write(flat.parent / "l.csv", "image,label,Group", rows))
    assert source.groups == tuple(str(i // 2) for i in range(12))
    assert by_first_letter(source)
    (flat.parent / "own.csv").write_text("".join(f"{name}.png,{name}\n" for name in NAMES))
    assert open_source(flat.parent / "l.csv", groups=flat.parent / "own.csv").groups == tuple(NAMES)
    assert open_source(flat.parent / "l.csv", target="Group").groups is None
    with pytest.raises(DataError, match="'Group' of .* has no subject for 1 of 12 images"):
        open_source(write(flat.parent / "l.csv", "image,label,Group", [*rows[:-1], "b5,b,"]))
    with pytest.raises(LabelMismatchError, match="1 images more than one group"):
        open_source(write(flat.parent / "l.csv", "image,label,group", [*rows, "a0,a,other"]))


def test_a_column_called_group_that_can_only_be_the_classes_is_no_subjects(flat):
    alone = open_source(write(flat.parent / "l.csv", "image,group", [f"{name},{name[0]}" for name in NAMES]))
    assert alone.groups is None
    assert by_first_letter(alone)
    rows = [f"{name},{int(name[0] == 'a')},{int(name[0] == 'b')}" for name in NAMES]
    one_hot = open_source(write(flat.parent / "l.csv", "image,single,group", rows))
    assert one_hot.groups is None
    assert one_hot.classes == ("group", "single")


@pytest.mark.parametrize("lines", [[f"{n}.png,{n[0]}" for n in NAMES], [f"{n},{n[0]}" for n in NAMES]])
def test_a_list_without_names_of_columns_is_refused(flat, lines):
    for data, given in ((flat, {"labels": flat.parent / "l.csv"}), (flat.parent / "l.csv", {})):
        write(flat.parent / "l.csv", lines[0], lines[1:])
        with pytest.raises(DataError, match=r"The first line of .* names an image.*Put a line of names above"):
            open_source(data, **given)


@pytest.mark.parametrize("suffix", [".gif", ".jp2", ".avif", ""])
def test_files_of_a_format_that_is_not_read_are_called_so(tmp_path, suffix):
    for name in NAMES:
        (tmp_path / f"{name}{suffix}").write_bytes(b"not read")
    file = write(tmp_path / "l.csv", "image,label", [f"{name}{suffix},{name[0]}" for name in NAMES])
    for data, given in ((file, {}), (tmp_path, {"labels": file})):
        with pytest.raises(DataError, match=f"names files of a format that is not read, like 'a0{suffix}'.*PNG"):
            open_source(data, **given)
    with pytest.raises(DataError, match="--drop image"):
        holds_rows(file)
    assert holds_rows(file, ["image"])


def test_a_table_of_images_that_are_not_there_says_who_reads_tables(tmp_path):
    file = write(tmp_path / "t.csv", "width,height,kind", ["1,2,a", "3,4,b"])
    for read in (check, load_images):
        with pytest.raises(DataError, match=f"ganaug.fit and ganaug.bench .*: ganaug check {file} --target COLUMN"):
            read(file, target="kind")
