"""Labels in a CSV file, and every way in which it can be wrong."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from edgefashion.data import load_dataset
from edgefashion.data.picture_sets import layouts
from edgefashion.data.picture_sets.layouts import Layout
from edgefashion.data.picture_sets.trees import Folder
from edgefashion.errors import DataError

Write = Callable[[Mapping[str, bytes]], Path]
PICTURES = {"a/1.png": b"1", "a/2.png": b"2", "3.png": b"3"}


@pytest.fixture
def read(write: Write) -> Callable[..., Layout]:
    def found(text: str | bytes, name: str = "labels.csv") -> Layout:
        content = text.encode() if isinstance(text, str) else text
        return layouts.read(Folder(write({**PICTURES, name: content})))

    return found


Read = Callable[..., Layout]


@pytest.mark.parametrize("name", ["labels.csv", "metadata.csv"])
@pytest.mark.parametrize("column", ["file", "file_name", " File_Name ", "filename", "image", "path"])
@pytest.mark.parametrize("cut", [",", ";", "\t"])
def test_labels_splits_and_groups(name: str, column: str, cut: str, read: Read) -> None:
    rows = [
        [column, "Label", "split", "group"],
        ["a/1.png", "cat", "Train", "x"],
        ["3.png", " dog ", "dev", ""],
    ]
    layout = read("\r\n".join(cut.join(row) for row in rows), name)
    assert [(each.file.name, each.label, each.split, each.group) for each in layout.entries] == [
        ("a/1.png", "cat", "train", "x"),
        ("3.png", "dog", "validation", None),
    ]
    assert layout.notes == [f"labels: {name}", f"left out, not in {name}: a/2.png"]


@pytest.mark.parametrize("column", ["class", "Category"])
def test_a_class_may_be_called_so_too(column: str, read: Read) -> None:
    assert [each.label for each in read(f"image,{column}\n3.png,cat").entries] == ["cat"]


def test_windows_paths_a_byte_order_mark_and_empty_lines(read: Read) -> None:
    layout = read("\ufefffile,label\r\na\\1.png,cat\r\n\r\n./3.png,dog\r\n")
    assert [each.file.name for each in layout.entries] == ["a/1.png", "3.png"]


def test_a_quoted_comma_and_a_number_are_classes(read: Read) -> None:
    assert [each.label for each in read('file,label\na/1.png,"cat, big"\n3.png,7\n').entries] == [
        "cat, big",
        "7",
    ]


def test_the_line_in_which_a_spreadsheet_names_its_separator(read: Read) -> None:
    layout = read("sep=;\r\nfile;label\r\n3.png;a,b,c\r\n")
    assert [(each.file.name, each.label) for each in layout.entries] == [("3.png", "a,b,c")]


def test_only_ends_of_lines_end_a_row(read: Read) -> None:
    assert [each.label for each in read("file,label\r3.png,\x0c cat\u2028\r").entries] == ["cat"]


def test_a_table_that_is_no_file_of_its_own(write: Write, tmp_path: Path) -> None:
    folder = write(PICTURES)
    (tmp_path / "others.csv").write_text("file,label\n3.png,cat")
    (folder / "labels.csv").symlink_to(tmp_path / "others.csv")
    with pytest.raises(DataError, match=r"labels.csv is a link, and links are followed with follow_links"):
        layouts.read(Folder(folder))
    assert len(layouts.read(Folder(folder, follow_links=True)).entries) == 1
    (folder / "labels.csv").unlink()
    os.mkfifo(folder / "labels.csv")
    with pytest.raises(DataError, match=r"labels.csv is not a regular file: it is to be a table"):
        layouts.read(Folder(folder))


def test_a_folder_of_the_table_that_is_a_link_is_named(write: Write) -> None:
    folder = write(PICTURES)
    (folder / "b").symlink_to("a")
    (folder / "labels.csv").write_text("file,label\nb/1.png,cat")
    with pytest.raises(DataError, match=r"photos/b is a link, and links are followed with follow_links"):
        layouts.read(Folder(folder))


REFUSED = {
    "file,kind\na/1.png,cat": "has no column label (file_name, kind): its first line is to",
    "name,cat": "column of pictures may be called file_name, filename, file, image or path, and that of",
    "name,kind\nx,cat": "has no column file_name and no label",
    "": "has no column file_name and no label",
    "file,label\nb.png,cat\nc.png,dog": "names files that are not there, 2 of them: b.png, c.png",
    "file,label\n../x.png,cat": "names files that are not there, 1 of them: ../x.png: a path is from the ",
    "file,label\n3.png,cat\n3.png,dog": "line 3: 3.png is in line 2 too: keep one",
    "file,label\n3.png,cat\n./3.png,cat": "line 3: 3.png is in line 2 too: keep one",
    "file,label\n3.png,\nx.png,cat\na/1.png": "line 2: 3.png has no label; line 4: 1 cells for 2 columns; it",
    "file,label\n3.png\n3.png\n3.png\n3.png\n3.png": "line 4: 1 cells for 2 columns; and 2 more lines",
    "file,label\n3.png": "line 2: 1 cells for 2 columns",
    "file,label\n3.png,": "line 2: 3.png has no label",
    'file,label\n3.png,"cat': "line 2: unexpected end of data: save it as CSV again",
    "file,label,split\n3.png,cat,future": "line 2: the split 'future' is not known: use train, val and test",
    "file,label,split\n3.png,cat,train\na/1.png,dog,": "gives a/1.png no split, and others one: fill",
    "file,file_name,label\n3.png,3.png,cat": "has the column file_name more than once (also called",
    "file,class,label\n3.png,3.png,cat": "has the column label more than once (also called class or cat",
    "file,label,Label\n3.png,cat,dog": "has the column label more than once (also called class or category)",
    "sep=;\nfile;label\n3.png": "line 3: 1 cells for 2 columns",
    "file,label\n3.png,a\u2028b": r"has a class 'a\u2028b': name it",
    "file,label,split\n3.png,cat,test": "has no picture of the split train",
    "file,label,split,group\n3.png,a,train,g\na/1.png,a,test,g": "has the group 'g' in train and test",
    'file,label\n3.png,"a\nb"': r"has a class 'a\nb': name it",
    "file,label\n3.png,Cat\na/1.png,cat": "has the classes Cat and cat, of one name but for its case",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_is_said_with_its_line(text: str, read: Read) -> None:
    with pytest.raises(DataError) as caught:
        read(text)
    assert REFUSED[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings_are_named(encoding: str, read: Read) -> None:
    with pytest.raises(DataError, match=r"labels.csv is not UTF-8 text"):
        read("file,label\n3.png,caf\u00e9".encode(encoding))


def test_two_tables(write: Write) -> None:
    with pytest.raises(DataError, match=r"has labels.csv and metadata.csv: keep the one that is right"):
        layouts.read(Folder(write({**PICTURES, "labels.csv": b"", "metadata.csv": b""})))


def test_a_group_is_never_split(write: Write, picture: Callable[..., bytes]) -> None:
    files = {f"{number}.png": picture(number) for number in range(60)}
    rows = [f"{number}.png,{'cat' if number % 2 else 'dog'},person {number // 6}" for number in range(60)]
    folder = write({**files, "labels.csv": "\n".join(["file,label,group", *rows]).encode()})
    found = load_dataset(folder)
    assert found.validation is not None
    for part in (found.train, found.validation, found.test):
        assert len(part) % 6 == 0
        assert len(part) >= 6
