"""Layouts of photos to enlarge: DIV2K, pairs, scales, parts."""

import logging
import zipfile

import numpy as np
import pytest
from PIL import Image

from data.pictures.photo_pairs import PhotoPair, own_photos, photo_parts
from data.splits import DataError


def photo(path, width=80, height=60):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((height, width), "uint8")).save(path)
    return path


def photos(root, *names, divide=1):
    for name in names:
        photo(root / name, 80 // divide, 60 // divide)
    return root


def told(parts, root):
    """Return the places of the pictures of each part; pairs as truth and small picture."""

    def place(file):
        return str(file.member if hasattr(file, "member") else file.relative_to(root))

    return [
        [f"{place(one.truth)} {place(one.small)}" if isinstance(one, PhotoPair) else place(one) for one in part]
        for part in parts
    ]


@pytest.fixture(autouse=True)
def notices(caplog):
    caplog.set_level(logging.WARNING, "tasks")


def div2k(root):
    photos(root, *(f"DIV2K_train_HR/000{number}.png" for number in (1, 2)), "DIV2K_valid_HR/0801.png")
    for scale in (2, 4):
        names = [f"DIV2K_train_LR_bicubic/X{scale}/000{number}x{scale}.png" for number in (1, 2)]
        photos(root, *names, f"DIV2K_valid_LR_bicubic/X{scale}/0801x{scale}.png", divide=scale)
    return root


@pytest.mark.parametrize("doubled", [False, True])
def test_div2k_gives_high_resolution_alone_in_its_parts(tmp_path, caplog, doubled):
    root = tmp_path / "DIV2K"
    div2k(root / "DIV2K" if doubled else root)
    train, valid, test = told(photo_parts(root, 2), root)
    assert [name.split("/")[-1] for name in train] == ["0001.png", "0002.png"]
    assert [name.split("/")[-1] for name in valid] == ["0801.png"]
    assert test == []
    assert all("HR" in name for name in train + valid)
    assert "6 pictures of low resolution are not used, since they are made here by bicubic interpolation" in caplog.text
    assert "DIV2K_train_LR_bicubic/X2" in caplog.text


def test_the_zips_of_div2k_may_lie_in_a_folder(tmp_path):
    div2k(tmp_path / "flat")
    (tmp_path / "zips").mkdir()
    for name in ("DIV2K_train_HR", "DIV2K_valid_HR", "DIV2K_train_LR_bicubic"):
        with zipfile.ZipFile(tmp_path / f"zips/{name}.zip", "w") as archive:
            for file in (tmp_path / "flat" / name).rglob("*.png"):
                archive.write(file, file.relative_to(tmp_path / "flat"))
    train, valid, _ = told(photo_parts(tmp_path / "zips", 2), tmp_path)
    assert (train, valid) == (["DIV2K_train_HR/0001.png", "DIV2K_train_HR/0002.png"], ["DIV2K_valid_HR/0801.png"])


def test_folders_of_div2k_may_be_joined(tmp_path):
    root = div2k(tmp_path)
    first, second = own_photos(f"{root / 'DIV2K_train_HR'}, {root / 'DIV2K_valid_HR'}", 2)
    assert list(map(len, first)) == [2, 0, 0]
    assert list(map(len, second)) == [0, 1, 0]


@pytest.mark.parametrize("place", ["DIV2K_train_LR_bicubic", "Urban100_LR", "LR", "lq"])
def test_low_resolution_alone_is_refused(tmp_path, place):
    photos(tmp_path, f"{place}/0001x2.png", f"{place}/0002x2.png")
    with pytest.raises(DataError, match="holds pictures of low resolution alone"):
        photo_parts(tmp_path / place, 2)


@pytest.mark.parametrize(
    ("high", "low"),
    [
        ("HR/{}.png", "LR/{}.png"),
        ("hr/{}.png", "lr/{}.jpg"),
        ("high/{}.png", "low/{}.png"),
        ("high_res/{}.png", "low_res/{}.png"),
        ("HighResolution/{}.png", "LowResolution/{}.png"),
        ("Train/2/{}_HR.png", "Train/2/{}_LR2.png"),
        ("GT/{}.png", "LQ/{}.png"),
        ("GT_images/{}.png", "LQ_images/X2/{}.png"),
        ("HR/{}.png", "LR/X2/{}x2.png"),
        ("HR/{}.png", "LRx2/{}x2.png"),
        ("train_HR/{}.png", "train_LR/{}_x2.png"),
        ("pictures/{}_HR.png", "pictures/{}_LR.png"),
        ("image_SRF_2/img_{}_SRF_2_HR.png", "image_SRF_2/img_{}_SRF_2_LR.png"),
        ("{}.png", "LR/{}.png"),
    ],
)
def test_the_users_own_pairs_are_used_as_they_are(tmp_path, caplog, high, low):
    photos(tmp_path / "set", *(high.format(name) for name in ("a", "b")))
    photos(tmp_path / "set", *(low.format(name) for name in ("a", "b")), divide=2)
    train, valid, test = told(photo_parts(tmp_path / "set", 2), tmp_path / "set")
    assert train == [f"{high.format(name)} {low.format(name)}" for name in ("a", "b")]
    assert valid == test == []
    assert "2 pairs of high and low resolution are used as they are" in caplog.text


@pytest.mark.parametrize("form", ["{part}/{kind}/{name}.png", "{kind}/{part}/{name}.png", "{part}_{kind}/{name}.png"])
def test_pairs_have_parts(tmp_path, form):
    for part, name in (("train", "a"), ("val", "b"), ("test", "c")):
        for kind, divide in (("HR", 1), ("LR", 2)):
            photos(tmp_path / "set", form.format(part=part, kind=kind, name=name), divide=divide)
    found = told(photo_parts(tmp_path / "set", 2), tmp_path / "set")
    assert [[name[-5:] for name in part] for part in found] == [["a.png"], ["b.png"], ["c.png"]]


def test_each_scale_takes_its_own_pictures(tmp_path, caplog):
    photos(tmp_path, "HR/a.png", "HR/b.png")
    for scale in (2, 4):
        photos(tmp_path, *(f"LR/X{scale}/{name}x{scale}.png" for name in "ab"), divide=scale)
    for scale in (2, 4):
        (train, _, _) = told(photo_parts(tmp_path, scale), tmp_path)
        assert train == [f"HR/{name}.png LR/X{scale}/{name}x{scale}.png" for name in "ab"]
    caplog.clear()
    assert told(photo_parts(tmp_path, 3), tmp_path)[0] == ["HR/a.png", "HR/b.png"]
    assert "no picture of low resolution is for x3; they are made here" in caplog.text


def test_pairs_that_do_not_fit_are_counted_or_refused(tmp_path, caplog):
    names = [f"{number:02}" for number in range(24)]
    photos(tmp_path, *(f"HR/{name}.png" for name in names))
    photos(tmp_path, *(f"LR/{name}.png" for name in names), divide=2)
    photo(tmp_path / "LR/03.png", 40, 29)
    assert len(photo_parts(tmp_path, 2).train) == 23
    assert "1 of 24 pictures are left out, the first: " in caplog.text
    assert "LR/03.png' has 40x29 pixels" in caplog.text
    (tmp_path / "LR/05.png").unlink()
    with pytest.raises(DataError, match=r"2 of 24 pictures of high and low resolution do not fit: .*03.png"):
        photo_parts(tmp_path, 2)
    with pytest.raises(DataError, match=r"which is not exactly 4 times each side; give --scale 2"):
        photo_parts(tmp_path, 4)


def test_two_small_pictures_for_one_are_refused(tmp_path):
    photos(tmp_path, "HR/a.png")
    photos(tmp_path, "LR/mild/a.png", "LR/wild/a.png", divide=2)
    with pytest.raises(DataError, match="are of low resolution and stand for the same picture"):
        photo_parts(tmp_path, 2)


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["a.png", "a_x2.png", "b.png", "X4/b.png"], ["a.png", "b.png"]),
        (["X2/a.png", "X4/a.png", "X2/b.png", "X4/b.png"], ["X2/a.png", "X2/b.png"]),
        (["original/a.png", "original/b.png"], ["original/a.png", "original/b.png"]),
        (["matrix2.png", "matrix.png"], ["matrix.png", "matrix2.png"]),
        (["one/a.png", "two/a.png"], ["one/a.png", "two/a.png"]),
        (["car_gt.png", "bus.png"], ["bus.png", "car_gt.png"]),
        (["DIV2K_train_HR/a.png", "Flickr2K/b.png"], ["DIV2K_train_HR/a.png", "Flickr2K/b.png"]),
        (["train/a.png", "car/b.png"], ["car/b.png", "train/a.png"]),
    ],
)
def test_a_picture_counts_in_one_size(tmp_path, names, kept):
    photos(tmp_path / "set", *names)
    assert told(photo_parts(tmp_path / "set", 2), tmp_path / "set") == [kept, [], []]


def test_names_of_places_do_not_tell_by_chance(tmp_path):
    photos(tmp_path / "my_lr_project", "a.png", "b.png")
    assert len(photo_parts(tmp_path / "my_lr_project", 2).train) == 2


def test_thumbnails_are_not_pictures(tmp_path, caplog):
    photos(tmp_path, "a.png", "thumbnails/a.png", "__MACOSX/._a.png", ".thumbnails/a.png")
    assert told(photo_parts(tmp_path, 2), tmp_path)[0] == ["a.png"]
    assert "1 pictures in folders of thumbnails are left out" in caplog.text


def test_reductions_by_other_names_are_not_pictures(tmp_path, caplog):
    photos(tmp_path, "A/1.png", "A/2.png", "C/3.png")
    photos(tmp_path, "B/1.png", "B/2.jpg", divide=4)
    assert told(photo_parts(tmp_path, 2), tmp_path)[0] == ["A/1.png", "A/2.png", "C/3.png"]
    assert "2 pictures are not used, since each is a half, a third or a quarter of another" in caplog.text
    photo(tmp_path / "C/1.png", 33, 44)
    photo(tmp_path / "C/2.png", 33, 44)
    photo(tmp_path / "B/3.png", 33, 44)
    assert len(photo_parts(tmp_path, 2).train) == 8
