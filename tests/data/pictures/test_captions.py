"""Pictures with captions: the usual layouts, and what can be wrong with them."""

import logging
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from data.pictures.captions import captioned_splits
from data.pictures.files import ZipMember
from data.pictures.photo import read_photo
from data.splits import DataError
from data.tables import TableFormat

NAMES = {"image": ["image"], "caption": ["caption"]}


def draw(path, level=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 16, 3), level, "uint8")).save(path)
    return path


def write(path, rows, separator="\t"):
    path.write_text("\n".join(separator.join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def names(examples):
    return [example["image"].name for example in examples]


@pytest.fixture
def folder(tmp_path):
    """Return a folder with six pictures, two captions each, in a table with splits."""
    rows = [("image", "split", "caption")]
    for number, split in enumerate(("train", "train", "dev", "test", "test", "extra")):
        draw(tmp_path / f"pictures/{number}.png", number)
        rows += [(f"{number}.png", split, f"Caption {kind} of {number} .") for kind in "ab"]
    write(tmp_path / "captions.tsv", rows)
    return tmp_path


def test_a_table_with_splits(folder, caplog):
    with caplog.at_level(logging.WARNING):
        splits = captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    assert [names(split) for split in splits] == [["0.png", "1.png"], ["2.png"], ["3.png", "4.png"]]
    assert splits.train[0]["captions"] == ["Caption a of 0 .", "Caption b of 0 ."]
    assert "not train, valid or test: 1 of 'extra'" in caplog.text
    assert captioned_splits(folder / "captions.tsv", NAMES, TableFormat(), 0.5, 0) == splits


def test_other_column_names(folder):
    text = (folder / "captions.tsv").read_text().replace("image\tsplit\tcaption", "file\tsplit\ttext")
    (folder / "captions.tsv").write_text(text)
    assert len(captioned_splits(folder, NAMES, TableFormat({"image": "file", "caption": "3"}), 0.5, 0).train) == 2
    assert len(captioned_splits(folder, NAMES, TableFormat(), 0.5, 0).train) == 2  # there is no other reading
    (folder / "captions.tsv").write_text(text.replace(".png", "").replace("text", "note"))
    with pytest.raises(DataError, match=r"has no column 'image'.*--columns image=NAME"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)


def test_pictures_in_zips(folder):
    with ZipFile(folder / "more.zip", "w") as archive:
        for path in sorted((folder / "pictures").iterdir()):
            archive.write(path, path.name)
            path.unlink()
    splits = captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    assert [len(split) for split in splits] == [2, 1, 2]
    assert isinstance(splits.test[0]["image"], ZipMember)
    assert (read_photo(splits.test[0]["image"]).pixels == 3).all()


def test_the_layout_of_flickr8k(folder):
    (folder / "captions.tsv").unlink()
    rows = [(f"{number}.png#{kind}", f"A caption {kind} .") for number in range(6) for kind in range(5)]
    write(folder / "Flickr8k.token.txt", rows)
    write(folder / "Flickr8k.lemma.token.txt", rows)
    for split, numbers in {"train": (0, 1), "dev": (2,), "test": (3, 4)}.items():
        write(folder / f"Flickr_8k.{split}Images.txt", [(f"{number}.png",) for number in numbers])
    for number in range(6, 120):  # one of so many may be missing
        draw(folder / f"pictures/{number}.png")
        rows.append((f"{number}.png#0", "Another ."))
    write(folder / "Flickr8k.token.txt", [*rows, ("gone.jpg.1#0", "A picture that never was .")])
    splits = captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    assert [names(split) for split in splits] == [["0.png", "1.png"], ["2.png"], ["3.png", "4.png"]]
    assert len(splits.train[0]["captions"]) == 5


def test_a_comma_separated_captions_txt_without_splits(folder):
    (folder / "captions.tsv").unlink()
    rows = [("image", "caption"), *((f"{number}.png", f'"A cat, {number}"') for number in range(6))]
    write(folder / "captions.txt", rows, ",")
    one, other = (captioned_splits(folder, NAMES, TableFormat(), 0.2, seed) for seed in (0, 1))
    assert [len(split) for split in one] == [4, 1, 1]
    assert names(one.test) == names(other.test)
    assert one.train[0]["captions"][0].startswith("A cat, ")


def test_a_picture_without_captions_is_left_out(folder, caplog):
    draw(folder / "pictures/alone.png")
    with caplog.at_level(logging.WARNING):
        assert [len(split) for split in captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)] == [2, 1, 2]
    assert "no caption: 1 pictures, the first is 'alone.png'" in caplog.text


def test_a_caption_without_its_picture_is_left_out_among_many_and_refused_among_few(folder, caplog):
    for number in (1, 5):
        (folder / f"pictures/{number}.png").unlink()
    with pytest.raises(DataError, match=r"Named in .*captions.tsv' but missing: 2 of 6 pictures, the first is '1.png'"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    with (folder / "captions.tsv").open("a") as file:
        for number in range(10, 110):
            draw(folder / f"pictures/{number}.png")
            file.write(f"{number}.png\ttrain\tA caption .\n")
    with caplog.at_level(logging.WARNING):
        assert len(captioned_splits(folder, NAMES, TableFormat(), 0.5, 0).train) == 101
    assert "but missing: 2 of 106 pictures" in caplog.text


def test_a_truncated_zip_is_named(folder):
    with ZipFile(folder / "more.zip", "w") as archive:
        archive.write(folder / "pictures/0.png", "7.png")
    content = (folder / "more.zip").read_bytes()
    (folder / "more.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"more\.zip' is damaged"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)


def test_a_folder_with_no_pictures_or_no_captions_is_refused(folder, tmp_path):
    for path in (folder / "pictures").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="holds no pictures"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    (folder / "captions.tsv").unlink()
    with pytest.raises(DataError, match="holds no file of captions"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    for name in ("one.csv", "two.csv"):
        write(folder / name, [("image", "caption"), (f"{name}.png", "A cat")], ",")
    with pytest.raises(DataError, match="holds more than one file of captions"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        captioned_splits(tmp_path / "nowhere", NAMES, TableFormat(), 0.5, 0)


def test_a_line_of_tokens_without_a_tab_is_named(folder):
    write(folder / "Flickr8k.token.txt", [("0.png#0", "A cat ."), ("1.png#0 A dog .",)])
    with pytest.raises(DataError, match="line 2: there is no tab"):
        captioned_splits(folder, NAMES, TableFormat(), 0.5, 0)
