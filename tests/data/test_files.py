"""A folder with a folder for each class."""

import pytest

from data.files import folder_of_classes
from data.splits import DataError


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def read(path, valid=0.25, seed=0):
    return folder_of_classes(path, (".txt",), "file", valid, seed)


def test_classes_are_folders_and_the_parts_never_overlap(tmp_path):
    make(
        tmp_path, *(f"{kind}/{number}.txt" for kind in ("cat", "dog") for number in range(10)), "cat/notes.md", "a.txt"
    )
    make(tmp_path, ".hidden/x.txt", "dog/.x.txt")
    splits = read(tmp_path)
    assert [len(split) for split in splits] == [12, 4, 4]
    files = [example["file"] for split in splits for example in split]
    assert len(set(files)) == 20
    assert all(example["label"] == example["file"].parent.name for split in splits for example in split)


def test_the_test_part_does_not_depend_on_the_seed(tmp_path):
    make(tmp_path, *(f"{kind}/{number}.TXT" for kind in "ab" for number in range(20)))
    assert read(tmp_path, seed=1).test == read(tmp_path, seed=2).test
    assert read(tmp_path, seed=1).valid != read(tmp_path, seed=2).valid


def test_given_parts_are_kept(tmp_path):
    make(
        tmp_path,
        *(f"train/{kind}/{number}.txt" for kind in "ab" for number in range(4)),
        "test/a/x.txt",
        "test/b/y.txt",
    )
    splits = read(tmp_path)
    assert [example["file"].name for example in splits.test] == ["x.txt", "y.txt"]
    assert [len(split) for split in splits] == [6, 2, 2]


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "no folder with .txt files"), (["a.txt"], "no folder"), (["a/1.txt", "b/1.md"], "one class only, 'a'")],
)
def test_a_folder_that_cannot_be_learnt_from_is_refused(tmp_path, names, said):
    with pytest.raises(DataError, match=said):
        read(make(tmp_path, *names))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere")
