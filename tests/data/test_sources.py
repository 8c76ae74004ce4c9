"""Folders of classes as people unpack them: parts, doubled folders, hidden files and what is not used."""

import pytest

from data.sources import class_folder_parts, data_name, is_part_name, joined_places, load
from data.splits import DataError


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def read(path):
    """Return the `class/file` of each example of each part."""
    parts = class_folder_parts(path, (".txt",), "file")
    assert all(row["file"].is_file() for part in parts for row in part)
    return [[f"{row['label']}/{row['file'].name}" for row in part] for part in parts]


CLASSES = ("neg/1.txt", "neg/2.TXT", "pos/1.txt")
FOUND = ["neg/1.txt", "neg/2.TXT", "pos/1.txt"]


def test_classes_are_folders_and_all_files_are_for_training(tmp_path, caplog):
    assert read(make(tmp_path, *CLASSES)) == [FOUND, [], []]
    assert not caplog.records


@pytest.mark.parametrize(
    "names",
    [
        ("train", "valid", "test"),
        ("Train", "VALIDATION", "Testing"),
        ("training_set", "dev", "test_set"),
        ("train_data", "val-images", "TEST"),
    ],
)
def test_folders_called_as_parts_are_parts(names, tmp_path, caplog):
    make(tmp_path, *(f"{part}/{file}" for part in names for file in CLASSES))
    assert read(tmp_path) == [FOUND, FOUND, FOUND]
    assert not caplog.records


def test_an_unpacked_aclimdb_has_its_parts_and_names_the_other_files(tmp_path, caplog):
    make(
        tmp_path, *(f"{part}/{kind}/{n}_7.txt" for part in ("train", "test") for kind in ("pos", "neg") for n in (0, 1))
    )
    make(tmp_path, "train/unsup/0_0.txt", *(f"train/urls_{kind}.txt" for kind in ("pos", "neg", "unsup")))
    make(tmp_path, "README", "imdb.vocab", "imdbEr.txt", "train/labeledBow.feat")
    train, valid, test = read(tmp_path)
    assert (len(train), len(valid), len(test)) == (5, 0, 4)
    assert caplog.messages == ["train: 3 files outside the folders of the classes are not used."]


def test_a_folder_in_a_folder_stands_for_that_one(tmp_path):
    make(tmp_path, *(f"reviews/reviews/{file}" for file in CLASSES), "__MACOSX/reviews/._x.txt", "reviews/.DS_Store")
    assert read(tmp_path) == [FOUND, [], []]
    make(tmp_path / "one", *(f"train/{file}" for file in CLASSES))
    assert read(tmp_path / "one") == [FOUND, [], []]


def test_hidden_files_and_folders_are_no_examples(tmp_path, caplog):
    make(
        tmp_path, *CLASSES, ".git/a.txt", "pos/._1.txt", "pos/.ipynb_checkpoints/1-checkpoint.txt", "neg/__MACOSX/3.txt"
    )
    assert read(tmp_path) == [FOUND, [], []]
    assert not caplog.records


def test_files_that_are_not_used_are_counted(tmp_path, caplog):
    make(tmp_path, *CLASSES, "loose.txt", "pos/notes.md", "pos/a.html", "README.md")
    assert read(tmp_path) == [FOUND, [], []]
    assert caplog.messages == [
        f"{tmp_path.name}: 1 files outside the folders of the classes are not used.",
        f"{tmp_path.name}: 2 files in the folders of the classes do not end in .txt and are not used.",
    ]


def test_files_in_folders_below_a_class_are_of_that_class(tmp_path):
    assert read(make(tmp_path, "pos/2001/a.txt", "neg/b.txt"))[0] == ["neg/b.txt", "pos/a.txt"]


def test_folders_beside_the_parts_are_named(tmp_path, caplog):
    make(tmp_path, *(f"train/{file}" for file in CLASSES), "extra/pos/9.txt")
    assert read(tmp_path) == [FOUND, [], []]
    assert caplog.messages == [f"{tmp_path.name}: not used beside the parts: extra."]


def test_a_test_part_without_classes_is_named_and_not_used(tmp_path, caplog):
    make(tmp_path, *(f"train/{file}" for file in CLASSES), "test/1.txt", "test/2.txt", "valid/readme.md")
    assert read(tmp_path) == [FOUND, [], []]
    assert caplog.messages == [
        f"{tmp_path.name}: the folder test is not used, since it holds no classes.",
        f"{tmp_path.name}: the folder valid is not used, since it holds no classes.",
    ]


def test_a_test_part_alone_is_a_test_part(tmp_path):
    assert read(make(tmp_path, *(f"test/{file}" for file in CLASSES))) == [[], [], FOUND]


def test_a_class_may_be_called_as_a_part(tmp_path):
    assert read(make(tmp_path, "car/1.txt", "train/1.txt", "plane/1.txt"))[0] == [
        "car/1.txt",
        "plane/1.txt",
        "train/1.txt",
    ]


@pytest.mark.parametrize("names", [[], ["a.txt"], ["a/1.md"], ["train/1.txt", "test/1.txt"]])
def test_a_folder_without_classes_is_refused(names, tmp_path):
    with pytest.raises(DataError, match=rf"{tmp_path}.*' holds no folder with \.txt files in it; give a folder"):
        read(make(tmp_path, *names))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere'"):
        read(tmp_path / "nowhere")


def test_names_of_parts():
    assert all(map(is_part_name, ["train", "Test_Set", "validation-images", "test2017", "DEV"]))
    assert not any(map(is_part_name, ["trains", "my_train", "train_test", "contest", "set", "data"]))


def test_data_is_a_path_a_name_or_embedded(tmp_path):
    def kind(data):
        return load(data, builtin=lambda: "embedded", files=lambda path: "files", named=lambda name: "catalogue")

    assert [kind("builtin"), kind("mnist"), kind(str(tmp_path)), kind("./a")] == [
        "embedded",
        "catalogue",
        "files",
        "files",
    ]
    assert data_name(f"{tmp_path}/a.csv, /b/c") == "a.csv,c"


@pytest.mark.parametrize("folder", ["plain", "with, a comma", "a,b,c", ",first"])
def test_sets_are_joined_with_commas_also_where_their_paths_have_some(folder, tmp_path):
    one, two, three = (tmp_path / folder / name for name in ("one", "two", "thr,ee"))
    for path in (one, two, three):
        path.mkdir(parents=True)
    assert joined_places(f"{one},builtin,{two}") == [str(one), "builtin", str(two)]
    assert joined_places(f"{three}, {one},, {three}") == [str(three), str(one), str(three)]
    assert joined_places(f"{one},{tmp_path / 'none'}") == [str(one), str(tmp_path / "none")]
    assert joined_places(str(three)) == [str(three)]
    assert joined_places("a" * 300 + "," + "b" * 300) == ["a" * 300, "b" * 300]
