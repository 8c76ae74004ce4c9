"""Kinds of pictures and tables that public reports of other programs describe."""

import io
import json
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

import tasks
from data.pictures.labelled_pictures import labelled_pictures
from data.pictures.output import write_photo, written_format
from data.pictures.photo import read_photo
from data.splits import DataError
from data.tables import TableFormat
from tasks.caption.config import Config
from tasks.caption.pipeline import load
from tasks.engine.config import SettingError
from tasks.engine.items import file_items
from tasks.engine.outputs import check_outputs
from tasks.mnist import pipeline as digits
from tasks.mnist.config import Config as DigitsConfig
from tasks.upscale import photos
from tasks.upscale.config import Config as UpscaleConfig

RANDOM = np.random.default_rng(0)


def picture(path, size=(24, 16), **how):
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.integers(0, 256, (size[1], size[0], 3)).astype("uint8")
    Image.fromarray(pixels).save(path, **how)
    return path


def captions_of(folder, **settings):
    """Return the captions of each picture of a folder, by name."""
    splits = load(Config(data=str(folder), **settings))
    return {example["image"].name: tuple(example["captions"]) for part in splits for example in part}


def album(folder, names):
    for name in names:
        picture(folder / name)
    return folder


def test_a_number_behind_a_name_counts_only_if_no_picture_is_called_so(tmp_path):
    album(tmp_path, ["dog.jpg", *(f"dog#{number}.jpg" for number in range(1, 8))])
    rows = ["image,caption", "dog,A dog.", *(f"dog#{number},Dog number {number}." for number in range(1, 8))]
    (tmp_path / "captions.csv").write_text("\n".join(rows))
    found = captions_of(tmp_path)
    assert found["dog.jpg"] == ("A dog.",)
    assert found["dog#3.jpg"] == ("Dog number 3.",)


def test_a_picture_that_a_list_of_tokens_names_with_another_ending_is_missing(tmp_path, caplog):
    album(tmp_path, [f"{number}.jpg" for number in range(9)])
    lines = [f"{number}.jpg#{each}\tPicture {number}." for number in range(9) for each in range(2)]
    (tmp_path / "Flickr8k.token.txt").write_text("\n".join([*lines, "3.jpg.1#0\tNot there.", "3.jpg.1#1\tNor this."]))
    with caplog.at_level("WARNING"):
        found = captions_of(tmp_path)
    assert found["3.jpg"] == ("Picture 3.", "Picture 3.")
    assert "missing: 1 of" in caplog.text
    assert "'3.jpg.1'" in caplog.text
    assert "9 captions stand more than once for their picture" in caplog.text


def test_conversations_are_not_captions(tmp_path):
    album(tmp_path, [f"{number}.jpg" for number in range(6)])
    talk = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A dog."}]
    rows = [{"file_name": f"{number}.jpg", "conversations": talk} for number in range(6)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="caption"):
        captions_of(tmp_path)
    rows = [{"file_name": f"{number}.jpg", "text": talk} for number in range(6)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="holds lists of objects; give captions as texts"):
        captions_of(tmp_path)


def test_names_without_endings_may_have_captions_in_objects(tmp_path):
    album(tmp_path, [f"p{number}.jpg" for number in range(6)])
    (tmp_path / "meta.json").write_text(json.dumps({f"p{n}": {"caption": f"Picture {n}."} for n in range(6)}))
    assert captions_of(tmp_path)["p4.jpg"] == ("Picture 4.",)


def test_pictures_of_digits_in_two_parts_are_counted(tmp_path, caplog):
    for number in range(8):
        path = picture(tmp_path / f"train/{number % 2}/{number}.png")
        if number < 3:
            copy = tmp_path / f"test/{number % 2}/other{number}.png"
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    picture(tmp_path / "test/1/new.png")
    with caplog.at_level("WARNING"):
        digits.load(DigitsConfig(data=str(tmp_path)))
    assert "as copies: 3 pictures of the test part" in caplog.text or "as copies: 2 pictures" in caplog.text


def test_rows_that_name_a_picture_again_or_none_are_counted(tmp_path, caplog):
    for number in range(6):
        picture(tmp_path / f"{number}.png")
    rows = [f"{number}.png,{number % 2}" for number in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows, "0.png,1", "1.png,1", ",0"]))
    with caplog.at_level("WARNING"):
        found = labelled_pictures(tmp_path / "labels.csv")
    assert sum(map(len, found)) == 6
    assert "2 rows name a picture again and are left out, 1 of them with another label" in caplog.text
    assert "1 rows name no picture and are left out" in caplog.text


def test_names_of_columns_that_a_program_has_numbered_are_not_a_picture(tmp_path, caplog):
    pixels = RANDOM.integers(0, 256, (12, 784))
    header = ["0", *("0" if place == 0 else f"0.{place}" for place in range(784))]
    lines = [",".join(header), *(",".join(map(str, [row % 3, *pixels[row]])) for row in range(12))]
    (tmp_path / "A_Z.csv").write_text("\n".join(lines))
    with caplog.at_level("WARNING"):
        found = labelled_pictures(tmp_path / "A_Z.csv")
    assert len(found.train) == 12
    np.testing.assert_array_equal(found.train[0]["image"].ravel(), pixels[0])
    assert "its first row is not a picture but names" in caplog.text


def test_raw_files_of_cameras_are_refused(tmp_path):
    image = Image.new("RGB", (40, 30))
    image.save(tmp_path / "a.dng", format="TIFF", tiffinfo={50706: b"\x01\x04\x00\x00"})
    image.save(tmp_path / "b.nef", format="TIFF")
    for name in ("a.dng", "b.nef"):
        with pytest.raises(DataError, match=rf"{name}' is a raw file of a camera; develop it first"):
            read_photo(tmp_path / name)


def test_sizes_of_an_icon_that_are_left_out_are_said(tmp_path, caplog):
    Image.new("RGBA", (48, 48), "red").save(tmp_path / "a.ico", sizes=[(16, 16), (32, 32), (48, 48)])
    assert read_photo(tmp_path / "a.ico").pixels.shape == (48, 48, 3)
    assert "has 3 sizes; the largest is read" in caplog.text


@pytest.mark.parametrize("lossless", [True, False])
def test_a_lossless_picture_stays_so_in_webp(tmp_path, lossless):
    photo = read_photo(picture(tmp_path / "a.webp", lossless=lossless))
    assert photo.lossless is lossless
    write_photo(photo, tmp_path / "b.webp")
    again = read_photo(tmp_path / "b.webp")
    assert (again.pixels == photo.pixels).all() == lossless


def test_sizes_in_exif_data_do_not_outlive_the_picture(tmp_path):
    exif = Image.Exif()
    exif[256], exif[257], exif[271] = 40, 24, "Maker"
    exif.get_ifd(34665)[40962] = 40
    exif.get_ifd(34665)[33434] = 0.01
    kept = Image.Exif()
    kept.load(read_photo(picture(tmp_path / "a.jpg", exif=exif)).metadata["exif"])
    assert dict(kept).keys() == {271, 34665}
    assert set(kept.get_ifd(34665)) == {33434}


def test_exif_data_that_cannot_be_read_as_tags_cost_no_picture(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(34665)[33434] = 0.01
    good = exif.tobytes()
    for place in range(6, len(good)):
        path = picture(tmp_path / f"{place}.jpg", (8, 8), exif=good[:place] + b"\xff" + good[place + 1 :])
        with suppress(DataError):  # refused in a sentence
            assert read_photo(path).pixels.shape == (8, 8, 3)


def test_a_device_independent_bitmap_is_a_bitmap(tmp_path, caplog):
    photo = read_photo(picture(tmp_path / "a.dib"))
    assert written_format(photo, tmp_path / "a-x2.dib", False) == "BMP"
    assert not caplog.text


def test_the_ending_says_the_format_even_where_the_file_lies(tmp_path, caplog):
    content = io.BytesIO()
    Image.new("RGB", (20, 20)).save(content, "JPEG")
    (tmp_path / "a.png").write_bytes(content.getvalue())
    assert written_format(read_photo(tmp_path / "a.png"), tmp_path / "a-x2.png", False) == "PNG"
    assert "'a-x2.png' is called as PNG and holds JPEG; the answer is PNG." in caplog.text


def test_pictures_smaller_than_a_patch_are_left_out_before_parts_are_drawn(tmp_path, caplog):
    for number in range(10):
        picture(tmp_path / f"{number}.png", (20, 20) if number < 3 else (40, 40))
    config = UpscaleConfig(data=str(tmp_path), patch=16, valid=0.2)
    train, valid, test = photos.picture_parts(config)
    assert len(train) + len(valid) + len(test) == 7
    assert "smaller than a patch of 32x32 pixels: 3" in caplog.text


def test_pairs_may_be_called_as_basicsr_calls_them(tmp_path):
    for number in range(4):
        picture(tmp_path / f"HR/baby{number}.png", (40, 40))
        picture(tmp_path / f"LR/baby{number}_bicLRx2.png", (20, 20))
    train, valid, test = photos.picture_parts(UpscaleConfig(data=str(tmp_path), patch=16, valid=0.3))
    assert {type(one).__name__ for one in (*train, *valid, *test)} == {"PhotoPair"}


def test_a_drawing_with_the_name_of_another_format_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"`attention_file` is '.*look\.jpg', and the picture is a PNG file"):
        check_outputs(Config(attention_file=tmp_path / "look.jpg"))


def test_pictures_of_a_table_may_be_beside_it(tmp_path):
    path = picture(tmp_path / "in/a.png")
    (tmp_path / "table.csv").write_text("image,id\nin/a.png,7\n")
    made = tasks.load("mnist")
    (item,) = file_items(made, tmp_path / "table.csv", TableFormat(), ["id"])
    assert item.value == str(path)
    assert item.about == {"row": 1, "id": "7"}
