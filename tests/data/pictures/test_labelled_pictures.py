"""Layouts of labelled pictures: IDX, arrays, tables, folders, zips, names."""

import gzip
import logging
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from data.pictures.labelled_pictures import labelled_pictures
from data.pictures.photo import read_photo
from data.splits import DataError

RANDOM = np.random.default_rng(0)
IMAGES = np.zeros((6, 28, 28), "uint8")
IMAGES[:, 4:24, 10] = RANDOM.integers(100, 256, (6, 20))
LABELS = np.array([7, 1, 7, 1, 7, 1], "uint8")


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx_set(folder, names="{part}-{kind}-idx{axes}-ubyte", parts=("train", "t10k"), images=IMAGES, pack=bytes):
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for kind, array, axes in (("images", images, 3), ("labels", LABELS, 1)):
            (folder / names.format(part=part, kind=kind, axes=axes)).write_bytes(pack(idx(array)))
    return folder


def picture(path, level=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((9, 7), level, "uint8")).save(path)
    return path


def labels(examples):
    return [example["label"] for example in examples]


def names(examples):
    return [f"{example['label']}:{example['image'].name}" for example in examples]


def sizes(splits):
    return [len(split) for split in splits]


@pytest.mark.parametrize(
    ("form", "pack"),
    [
        ("{part}-{kind}-idx{axes}-ubyte", bytes),
        ("{part}-{kind}.idx{axes}-ubyte", bytes),
        ("{part}-{kind}-idx{axes}-ubyte.gz", gzip.compress),
        ("fashion-{part}-{kind}.idx{axes}-ubyte.gz", gzip.compress),
    ],
)
def test_idx_files_are_read(tmp_path, form, pack):
    found = labelled_pictures(idx_set(tmp_path / "MNIST" / "raw", form, pack=pack).parent)
    assert sizes(found) == [6, 0, 6]
    assert labels(found.train) == list("717171")
    np.testing.assert_array_equal(found.test[3]["image"], IMAGES[3])


def test_one_idx_file_stands_for_its_set_and_copies_count_once(tmp_path):
    idx_set(tmp_path)
    idx_set(tmp_path, "{part}-{kind}-idx{axes}-ubyte.gz", pack=gzip.compress)
    (tmp_path / "train-images-idx3-ubyte.d").mkdir()
    for place in (tmp_path, tmp_path / "train-images-idx3-ubyte", tmp_path / "train-images-idx3-ubyte.gz"):
        assert sizes(labelled_pictures(place)) == [6, 0, 6]


def test_idx_files_in_folders_of_their_names_and_in_a_zip(tmp_path):
    idx_set(tmp_path / "flat")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for file in (tmp_path / "flat").iterdir():
            archive.write(file, f"{file.name}/{file.name}")
            archive.writestr(f"__MACOSX/._{file.name}", b"junk")
    assert sizes(labelled_pictures(tmp_path / "archive.zip")) == [6, 0, 6]


def test_a_test_set_of_idx_files_is_one(tmp_path):
    assert sizes(labelled_pictures(idx_set(tmp_path, parts=["t10k"]))) == [0, 0, 6]


def test_emnist_is_read_upright_with_its_characters(tmp_path):
    idx_set(tmp_path, "emnist-letters-{part}-{kind}-idx{axes}-ubyte", ["train", "test"])
    assert labels(labelled_pictures(tmp_path).train)[:2] == ["7", "1"]
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n7 71 103\n")
    found = labelled_pictures(tmp_path)
    assert labels(found.train) == list("GAGAGA")
    np.testing.assert_array_equal(found.train[0]["image"], IMAGES[0].T)


def test_several_sets_of_idx_files_are_told_apart(tmp_path):
    for name in ("balanced", "letters"):
        idx_set(tmp_path, f"emnist-{name}-{{part}}-{{kind}}-idx{{axes}}-ubyte", ["train", "test"])
    with pytest.raises(DataError, match="several data sets: emnist-balanced, emnist-letters; name one file"):
        labelled_pictures(tmp_path)
    assert sizes(labelled_pictures(tmp_path / "emnist-letters-train-images-idx3-ubyte")) == [6, 0, 6]
    idx_set(tmp_path / "both/MNIST")
    idx_set(tmp_path / "both/FashionMNIST", images=IMAGES[::-1])
    with pytest.raises(DataError, match="Two files of one name differ"):
        labelled_pictures(tmp_path / "both")


def test_idx_files_that_do_not_fit_are_refused(tmp_path, caplog):
    idx_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    assert sizes(labelled_pictures(tmp_path)) == [6, 0, 0]
    assert "t10k-images-idx3-ubyte: not used, since the file of its labels is missing" in caplog.text
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:5]))
    with pytest.raises(DataError, match="there are 6 pictures and 5 labels"):
        labelled_pictures(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES)[:-9])
    with pytest.raises(DataError, match=r"train-images.*is damaged: 4,695 of 4,704 bytes"):
        labelled_pictures(tmp_path)


@pytest.mark.parametrize("images", [IMAGES, IMAGES[..., None], IMAGES.reshape(6, 784), IMAGES / 255])
def test_arrays_of_mnist_are_read(tmp_path, images):
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=LABELS, x_test=images[:2], y_test=LABELS[:2])
    for place in (tmp_path, tmp_path / "mnist.npz"):
        found = labelled_pictures(place)
        assert sizes(found) == [6, 0, 2]
        assert labels(found.train) == list("717171")
        np.testing.assert_array_equal(found.train[0]["image"], IMAGES[0])


def test_arrays_by_other_names_and_dark_on_light(tmp_path, caplog):
    parts = {f"{part}_images": 255 - IMAGES for part in ("train", "val", "test")}
    np.savez(tmp_path / "x.npz", **parts, **{f"{part}_labels": LABELS[:, None] for part in ("train", "val", "test")})
    found = labelled_pictures(tmp_path)
    assert sizes(found) == [6, 6, 6]
    np.testing.assert_array_equal(found.valid[0]["image"], IMAGES[0])
    assert "are dark on light" in caplog.text
    for name, array in (("imgs", IMAGES), ("labels", LABELS)):
        (tmp_path / "k").mkdir(exist_ok=True)
        np.savez(tmp_path / f"k/kmnist-train-{name}.npz", array)
    assert sizes(labelled_pictures(tmp_path / "k")) == [6, 0, 0]


def test_arrays_that_cannot_be_told_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", left=IMAGES, right=LABELS)
    with pytest.raises(DataError, match="holds the arrays left, right; call them x_train"):
        labelled_pictures(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x_train=IMAGES.reshape(6, 784)[:, :700], y_train=LABELS)
    with pytest.raises(DataError, match="each picture has the size 700"):
        labelled_pictures(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", x_train=IMAGES / 127.5 - 1, y_train=LABELS)
    with pytest.raises(DataError, match="span -1 to 1"):
        labelled_pictures(tmp_path / "c.npz")
    (tmp_path / "d.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(DataError, match="cannot be read as arrays"):
        labelled_pictures(tmp_path / "d.npz")


def pixel_table(path, header=True, label=True, images=IMAGES, last=False):
    rows = [",".join(map(str, image.ravel())) for image in images]
    head = ",".join(f"pixel{number}" for number in range(images[0].size))
    if label:
        cells = [("label", head), *zip(LABELS, rows, strict=True)]
        head, *rows = [f"{row},{name}" if last else f"{name},{row}" for name, row in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head] * header + rows) + "\n")
    return path


@pytest.mark.parametrize("how", [{}, {"header": False}, {"last": True}, {"header": False, "last": True}])
def test_tables_of_pixels_are_read(tmp_path, how):
    found = labelled_pictures(pixel_table(tmp_path / "digits.csv", **how))
    assert sizes(found) == [6, 0, 0]
    assert labels(found.train) == list("717171")
    np.testing.assert_array_equal(found.train[4]["image"], IMAGES[4])


def test_the_files_of_kaggle_are_read(tmp_path, caplog):
    pixel_table(tmp_path / "train.csv")
    pixel_table(tmp_path / "test.csv", label=False)
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    assert sizes(labelled_pictures(tmp_path)) == [6, 0, 0]
    assert "test.csv is not used: test.csv has 784 columns of pixels, and none with labels" in caplog.text
    with zipfile.ZipFile(tmp_path / "digit-recognizer.zip", "w") as archive:
        for name in ("train.csv", "test.csv"):
            archive.write(tmp_path / name, name)
    assert sizes(labelled_pictures(tmp_path / "digit-recognizer.zip")) == [6, 0, 0]
    with pytest.raises(DataError, match="none with labels"):
        labelled_pictures(tmp_path / "test.csv")


def test_a_table_of_emnist_is_turned_and_other_sizes_are_squares_or_refused(tmp_path):
    found = labelled_pictures(pixel_table(tmp_path / "emnist-letters-train.csv", header=False))
    np.testing.assert_array_equal(found.train[0]["image"], IMAGES[0].T)
    small = labelled_pictures(pixel_table(tmp_path / "small.csv", images=IMAGES[:, 4:20, 4:20]))
    assert small.train[0]["image"].shape == (16, 16)
    with pytest.raises(DataError, match="448 columns beside the label, which is not a square"):
        labelled_pictures(pixel_table(tmp_path / "odd.csv", images=IMAGES[:, :16]))


def test_a_row_of_pixels_that_cannot_be_read_is_counted(tmp_path):
    path = pixel_table(tmp_path / "a.csv")
    path.write_text(path.read_text().replace("\n1,0,", "\n1,?,", 1))
    with pytest.raises(DataError, match=r"1 of 6 rows cannot be read; the first is row 2: a pixel is not a number"):
        labelled_pictures(path)


def test_a_table_names_pictures_relative_to_itself(tmp_path):
    for name in ("a/1.png", "b/1.png", "b/2.JPG", "b/3.png", "b/4.png"):
        picture(tmp_path / "set/pictures" / name)
    rows = "image,label\npictures/a/1.png,x\npictures\\b\\1.png,y\n./pictures/b/2.jpg,x\n3,y\n/home/me/b/4.png,y\n"
    (tmp_path / "set/labels.csv").write_text(rows)
    for place in (tmp_path / "set", tmp_path / "set/labels.csv"):
        found = labelled_pictures(place)
        assert names(found.train) == ["x:1.png", "y:1.png", "x:2.JPG", "y:3.png", "y:4.png"]
        assert [row["image"].parent.name for row in found.train] == list("abbbb")
    (tmp_path / "set/labels.csv").write_text("image,label\n1.png,x\n")
    with pytest.raises(DataError, match=r"'1.png' may be .*a/1.png' or .*b/1.png'; give paths relative to the table"):
        labelled_pictures(tmp_path / "set")
    (tmp_path / "set/labels.csv").write_text("image,label\n9.png,x\n")
    with pytest.raises(DataError, match=r"1 of 1 pictures are missing, the first is '9.png'"):
        labelled_pictures(tmp_path / "set")


def test_tables_may_name_parts(tmp_path, caplog):
    for name in "abc":
        picture(tmp_path / f"pictures/{name}.png")
    (tmp_path / "labels.csv").write_text("filename,class,split\na.png,x,train\nb.png,y,val\nc.png,x,test\n")
    assert sizes(labelled_pictures(tmp_path)) == [1, 1, 1]
    (tmp_path / "labels.csv").unlink()
    (tmp_path / "train.csv").write_text("filename,class\na.png,x\nb.png,y\n")
    (tmp_path / "test.csv").write_text("filename\nc.png\n")
    assert sizes(labelled_pictures(tmp_path)) == [2, 0, 0]
    assert "test.csv is not used" in caplog.text


@pytest.mark.parametrize("form", ["{part}/labels.csv {part}/images/1.png", "{part}.csv {part}/1.png"])
def test_pictures_of_one_name_in_two_parts_are_told_apart(tmp_path, form, caplog):
    for part in ("train", "test"):
        table, place = form.format(part=part).split()
        picture(tmp_path / place)
        (tmp_path / table).write_text(f"image,label\n1.png,{part[:2]}\n1,{part[:2]}\n")
    found = labelled_pictures(tmp_path)
    assert "1 rows name a picture again and are left out, 0 of them with another label" in caplog.text
    for part, split in (("train", found.train), ("test", found.test)):
        assert labels(split) == [part[:2]]
        assert all(part in str(row["image"].relative_to(tmp_path)) for row in split)


def test_a_table_may_label_the_test_part_beside_folders_of_classes(tmp_path):
    for name in ("train/1/a.png", "train/7/b.png", "test/a.png", "test/b.png"):
        picture(tmp_path / name)
    (tmp_path / "test.csv").write_text("image,label\na.png,1\nb.png,7\n")
    found = labelled_pictures(tmp_path)
    assert [labels(split) for split in found] == [["1", "7"], [], ["1", "7"]]
    assert all(row["image"].parent.name == "test" for row in found.test)


def test_parquet_files_may_hold_the_pictures(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    contents = []
    for number, name in enumerate(("a.png", "b.jpg")):
        contents.append({"bytes": picture(tmp_path / name, 80 * number).read_bytes(), "path": None})
        (tmp_path / name).unlink()
    for part in ("train", "test"):
        table = pyarrow.table({"image": contents, "label": [7, 1]})
        parquet.write_table(table, tmp_path / f"{part}-00000-of-00001.parquet")
    found = labelled_pictures(tmp_path)
    assert [labels(split) for split in found] == [["7", "1"], [], ["7", "1"]]
    assert [row["image"].content for row in found.train] == [content["bytes"] for content in contents]
    assert read_photo(found.test[1]["image"]).pixels.shape == (9, 7, 1)


def test_a_table_without_pictures_does_not_hide_folders_of_classes(tmp_path, caplog):
    picture(tmp_path / "x/1.png")
    picture(tmp_path / "y/2.png")
    (tmp_path / "notes.csv").write_text("who,when\nme,now\nyou,then\n")
    assert names(labelled_pictures(tmp_path).train) == ["x:1.png", "y:2.png"]
    assert "tables beside the pictures are not used" in caplog.text


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("around", ["", "archive/archive/", "data/"])
@pytest.mark.parametrize("parts", [("",), ("Train/", "test/"), ("training/", "Validation/", "testing/")])
def test_folders_of_classes_are_read_through_what_zips_leave(tmp_path, around, parts, zipped):
    files = [f"{around}{part}{label}/{number}.png" for part in parts for label in "17" for number in range(2)]
    for name in (*files, f"__MACOSX/{files[0]}", f"{around}{parts[0]}1/.thumbnails/1.png"):
        picture(tmp_path / "set" / name)
    (tmp_path / f"set/{around}{parts[0]}1/Thumbs.db").write_bytes(b"junk")
    (tmp_path / f"set/{around}.DS_Store").write_bytes(b"junk")
    if zipped:
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            for file in (tmp_path / "set").rglob("*.*"):
                if file.is_file():
                    archive.write(file, file.relative_to(tmp_path / "set"))
    found = labelled_pictures(tmp_path / ("set.zip" if zipped else "set"))
    assert sizes(found) == {1: [4, 0, 0], 2: [4, 0, 4], 3: [4, 4, 4]}[len(parts)]
    assert labels(found.train) == list("1177")


def test_parts_below_classes_are_parts(tmp_path):
    for label in "17":
        picture(tmp_path / label / "train/a.png")
        picture(tmp_path / label / "val/b.png")
    assert [labels(split) for split in labelled_pictures(tmp_path)] == [list("17"), list("17"), []]


def test_names_of_parts_are_never_classes(tmp_path, caplog):
    for name in ("1/a.png", "7/a.png", "test/b.png", "test/c.png"):
        picture(tmp_path / "a" / name)
    assert labels(labelled_pictures(tmp_path / "a").train) == list("17")
    assert "the folder test beside folders of classes is named as a part and not used" in caplog.text
    for name in ("train/a.png", "val/b.png"):
        picture(tmp_path / "b" / name)
    with pytest.raises(DataError, match="nothing tells their classes"):
        labelled_pictures(tmp_path / "b")
    for name in ("train/1/a.png", "train/7/a.png", "test/b.png"):
        picture(tmp_path / "c" / name)
    assert sizes(labelled_pictures(tmp_path / "c")) == [2, 0, 0]
    assert "the test part is not used, since nothing tells its classes" in caplog.text


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("7_001 7_002 1_003 1_004", "1177"),
        ("001_7 002_7 003_1 004_1", "7711"),
        ("cat.0 cat.1 dog.0 dog.1", ["cat", "cat", "dog", "dog"]),
        ("7 (1)|7 (2)|1 (1)|1 (2)|1 (10)|7 (10)", "111777"),
        ("a_1 a_2 b_1 b_2", "aabb"),
        ("7_1 7_2 3_1 3_2", "3377"),
        ("7_3 3_7 7_7 3_3", None),
        ("IMG_001 IMG_002 DSC_001 DSC_002", None),
        ("one two three", None),
    ],
)
def test_names_tell_labels_only_in_one_way(tmp_path, caplog, files, found):
    for name in files.split("|" if "|" in files else " "):
        picture(tmp_path / f"set/{name}.png")
    if found is None:
        with pytest.raises(DataError, match=r"may stand for the class|nothing tells their classes"):
            labelled_pictures(tmp_path / "set")
        return
    assert sorted(labels(labelled_pictures(tmp_path / "set").train)) == sorted(found)
    assert "word of each name is read as its label" in caplog.text


def test_one_folder_around_names_is_not_a_class(tmp_path):
    for name in ("7_001", "7_002", "1_001", "1_002"):
        picture(tmp_path / f"archive/{name}.png")
    assert sorted(labels(labelled_pictures(tmp_path).train)) == list("1177")


def test_data_without_pictures_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        labelled_pictures(tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no file or folder"):
        labelled_pictures(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is one picture; give a folder"):
        labelled_pictures(picture(tmp_path / "one.png"))
    (tmp_path / "mnist.pkl.gz").write_bytes(b"?")
    with pytest.raises(DataError, match=r"mnist.pkl.gz' is of a kind that is not read; give a folder"):
        labelled_pictures(tmp_path / "mnist.pkl.gz")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="is damaged"):
        labelled_pictures(tmp_path / "broken.zip")


@pytest.fixture(autouse=True)
def notices(caplog):
    caplog.set_level(logging.WARNING, "tasks")
