"""Layouts of pictures with captions as people have them, each made small."""

import json
import logging
import shutil
from zipfile import ZipFile

import pytest

from tests.data.pictures.albums import draw, lines, read, shown, sizes, write


def coco(folder, part, count, start=0):
    images = [{"id": number, "file_name": f"{number:012d}.png"} for number in range(start, start + count)]
    notes = [
        {"id": 7 * image["id"] + kind, "image_id": image["id"], "caption": f"Caption {kind} of {image['id']}."}
        for image in images
        for kind in range(2)
    ]
    for image in images:
        draw(folder / part / image["file_name"], image["id"])
    write(folder / f"annotations/captions_{part}.json", {"images": images, "annotations": notes})
    write(folder / f"annotations/instances_{part}.json", {"images": images, "annotations": [{"bbox": [1, 2, 3, 4]}]})


def test_coco_as_it_unzips(tmp_path):
    coco(tmp_path, "train2017", 4)
    coco(tmp_path, "val2017", 2, start=10)
    splits = read(tmp_path)
    assert sizes(splits) == [3, 2, 1]
    assert shown(splits, tmp_path)["val2017/000000000010.png"] == ("Caption 0 of 10.", "Caption 1 of 10.")


def test_coco_with_the_same_names_in_both_parts(tmp_path):
    coco(tmp_path, "train2017", 4)
    coco(tmp_path, "val2017", 4)
    note = json.loads((tmp_path / "annotations/captions_val2017.json").read_text())
    note["annotations"] = [one | {"caption": "For validation."} for one in note["annotations"]]
    write(tmp_path / "annotations/captions_val2017.json", note)
    found = shown(read(tmp_path), tmp_path)
    assert all((texts[0] == "For validation.") == path.startswith("val2017") for path, texts in found.items())
    assert len(found) == 8


def test_coco_of_which_the_training_pictures_are_not_there(tmp_path, caplog):
    coco(tmp_path, "train2017", 4)
    coco(tmp_path, "val2017", 5, start=10)
    shutil.rmtree(tmp_path / "train2017")
    with caplog.at_level(logging.WARNING):
        assert sum(sizes(read(tmp_path))) == 5
    assert "none of their pictures is there: captions_train2017.json" in caplog.text
    assert "used for training too" in caplog.text


def test_one_file_of_coco_is_found_its_pictures(tmp_path):
    coco(tmp_path, "train2017", 4)
    coco(tmp_path, "val2017", 3)
    found = shown(read(tmp_path / "annotations/captions_val2017.json"), tmp_path)
    assert set(found) == {f"val2017/00000000000{number}.png" for number in range(3)}


def test_coco_without_names_of_pictures(tmp_path):
    for number in range(3):
        draw(tmp_path / f"pictures/COCO_train2014_{number:012d}.png", number)
    notes = [{"image_id": number, "caption": f"Picture {number}"} for number in range(3)]
    write(tmp_path / "captions.json", {"annotations": notes, "info": {}})
    assert shown(read(tmp_path), tmp_path)["pictures/COCO_train2014_000000000002.png"] == ("Picture 2",)


def karpathy(parts, folder=None):
    return {
        "dataset": "x",
        "images": [
            {"filename": f"{number}.png", "split": part, "imgid": number, "sentids": [number], **(folder or {})}
            | {"sentences": [{"raw": f"Raw {number}.", "tokens": ["raw", str(number)], "imgid": number}]}
            for number, part in enumerate(parts)
        ],
    }


@pytest.mark.parametrize("name", ["dataset_coco.json", "dataset_rsicd.json"])
def test_the_splits_of_karpathy(tmp_path, name):
    write(tmp_path / name, karpathy(["train", "restval", "val", "test", "test"], {"filepath": "val2014"}))
    for number in range(5):
        draw(tmp_path / f"val2014/{number}.png", number)
    splits = read(tmp_path)
    assert sizes(splits) == [2, 1, 2]
    assert splits.train[0]["captions"] == ["Raw 0."]


def test_the_lists_of_lavis(tmp_path):
    rows = [{"image": f"val2014/{number}.png", "caption": f"One {number}", "image_id": "coco_1"} for number in range(3)]
    write(tmp_path / "annotations/coco_karpathy_train.json", rows)
    later = [{"image": f"val2014/{number}.png", "caption": ["One", "Two"]} for number in (3, 4)]
    write(tmp_path / "annotations/coco_karpathy_val.json", later[:1])
    write(tmp_path / "annotations/coco_karpathy_test.json", later[1:])
    for number in range(5):
        draw(tmp_path / f"images/val2014/{number}.png", number)
    splits = read(tmp_path)
    assert sizes(splits) == [3, 1, 1]
    assert splits.test[0]["captions"] == ["One", "Two"]


def test_metadata_of_hugging_face_flat(tmp_path):
    lines(tmp_path / "metadata.jsonl", [{"file_name": f"{number}.png", "text": f"No {number}"} for number in range(4)])
    for number in range(4):
        draw(tmp_path / f"{number}.png", number)
    assert shown(read(tmp_path), tmp_path)["3.png"] == ("No 3",)


@pytest.mark.parametrize("top", ["", "data/"])
def test_metadata_of_hugging_face_in_parts(tmp_path, top):
    for part, count in (("train", 4), ("test", 2)):
        rows = [{"file_name": f"{number}.png", "text": [f"{part} {number}", "b"]} for number in range(count)]
        lines(tmp_path / f"{top}{part}/metadata.jsonl", rows)
        for number in range(count):
            draw(tmp_path / f"{top}{part}/{number}.png", number + 50 * (part == "test"))
    splits = read(tmp_path)
    assert sizes(splits) == [3, 1, 2]
    assert shown(splits, tmp_path)[f"{top}test/1.png"] == ("test 1", "b")


def test_equal_metadata_in_two_folders_belongs_to_different_pictures(tmp_path):
    for folder in ("a", "b"):
        lines(tmp_path / f"{folder}/metadata.jsonl", [{"file_name": f"{n}.png", "text": "A square"} for n in range(3)])
        for number in range(3):
            draw(tmp_path / f"{folder}/{number}.png", number + 100 * (folder == "b"))
    assert sum(sizes(read(tmp_path))) == 6


def test_results_csv_of_flickr30k(tmp_path, caplog):
    rows = ["image_name| comment_number| comment"]
    rows += [f'{number}.jpg| {kind}| A "dog" , {kind} , runs .' for number in range(30) for kind in range(5)]
    rows[8] = rows[8].replace("| A", "  A")  # as in the published file
    for number in range(30):
        draw(tmp_path / f"flickr30k_images/{number}.jpg", number)
    write(tmp_path / "results.csv", "\n".join(rows))
    with caplog.at_level(logging.WARNING):
        found = shown(read(tmp_path), tmp_path)
    assert found["flickr30k_images/5.jpg"][0] == 'A "dog" , 0 , runs .'
    assert sum(map(len, found.values())) == 149
    assert "Left out, not to be read in 'results.csv': 1 of 150 rows" in caplog.text


def test_pictures_that_kaggle_doubled_are_one(tmp_path):
    for number in range(4):
        for folder in ("flickr30k_images", "flickr30k_images/flickr30k_images"):
            draw(tmp_path / folder / f"{number}.jpg", 40 * number)
    for folder in ("", "flickr30k_images"):
        write(
            tmp_path / folder / "results.csv", "image_name| comment\n" + "".join(f"{n}.jpg| A {n}\n" for n in range(4))
        )
    assert sum(sizes(read(tmp_path))) == 4


def test_the_token_file_of_flickr30k(tmp_path):
    for number in range(4):
        draw(tmp_path / f"flickr30k-images/{number}.jpg", number)
    text = "".join(f"{number}.jpg#{kind}\tA cat, {kind} .\n" for number in range(4) for kind in range(5))
    write(tmp_path / "results_20130124.token", text)
    for part, numbers in {"train": (0, 1), "val": (2,), "test": (3,)}.items():
        write(tmp_path / f"{part}.txt", "".join(f"{number}\n" for number in numbers))
    splits = read(tmp_path)
    assert sizes(splits) == [2, 1, 1]
    assert splits.test[0]["captions"][4] == "A cat, 4 ."


def flickr8k(root):
    for number in range(6):
        draw(root / f"Flicker8k_Dataset/{number}.jpg", 20 * number)
    folder = root / "Flickr8k_text"
    rows = "".join(f"{number}.jpg#{kind}\tA cat {kind} .\n" for number in range(6) for kind in range(5))
    write(folder / "Flickr8k.token.txt", rows)
    write(folder / "Flickr8k.lemma.token.txt", rows.replace("A cat", "cat"))
    write(folder / "CrowdFlowerAnnotations.txt", "0.jpg\t1.jpg#2\t0.0\t0\t3\n")
    write(folder / "readme.txt", "Flickr8k: captions, and pictures.")
    for part, numbers in {"train": range(3), "dev": (3,), "test": (4, 5)}.items():
        write(folder / f"Flickr_8k.{part}Images.txt", "".join(f"{number}.jpg\n" for number in numbers))


@pytest.mark.parametrize("place", ["", "Flickr8k_text", "Flickr8k_text/Flickr8k.token.txt"])
def test_the_two_folders_of_flickr8k(tmp_path, place):
    flickr8k(tmp_path)
    splits = read(tmp_path / place)
    assert sizes(splits) == [3, 1, 2]
    assert splits.train[0]["captions"] == [f"A cat {kind} ." for kind in range(5)]


def zipped(archive, folder):
    with ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
        file.writestr("__MACOSX/._captions.txt", "image,caption\n")
        file.writestr("Images/.DS_Store", "x")
    return archive


def test_the_zip_of_kaggle_itself(tmp_path):
    inside = tmp_path / "inside"
    for number in range(6):
        draw(inside / f"Images/{number}.jpg", 40 * number)
    rows = "".join(f'{number}.jpg,"A dog, {kind} ."\n' for number in range(6) for kind in range(2))
    write(inside / "captions.txt", "image,caption\n" + rows)
    splits = read(zipped(tmp_path / "archive.zip", inside))
    assert sizes(splits) == [3, 2, 1]
    assert splits.train[0]["captions"] == ["A dog, 0 .", "A dog, 1 ."]


def test_both_zips_of_flickr8k(tmp_path):
    flickr8k(tmp_path / "all")
    (tmp_path / "zips").mkdir()
    zipped(tmp_path / "zips/Flickr8k_Dataset.zip", tmp_path / "all/Flicker8k_Dataset")
    zipped(tmp_path / "zips/Flickr8k_text.zip", tmp_path / "all/Flickr8k_text")
    assert sizes(read(tmp_path / "zips")) == [3, 1, 2]


def test_columns_for_a_file_without_columns_are_said_not_to_be_used(tmp_path, caplog):
    coco(tmp_path, "train2017", 4)
    with caplog.at_level(logging.WARNING):
        read(tmp_path, caption="text")
    assert "captions_train2017.json has no columns, so --columns is not used" in caplog.text


def test_the_splits_of_karpathy_count_more_than_those_of_coco(tmp_path, caplog):
    coco(tmp_path, "train2014", 4)
    rows = karpathy(["train", "train", "val", "test"])
    for row in rows["images"]:
        row["filename"] = f"{int(row['filename'][:-4]):012d}.png"
    write(tmp_path / "dataset_coco.json", rows)
    with caplog.at_level(logging.WARNING):
        assert sizes(read(tmp_path)) == [2, 1, 1]
    assert "not used beside the captions: captions_train2014.json" in caplog.text


def test_the_zips_of_coco_as_they_are_downloaded(tmp_path):
    coco(tmp_path / "all", "train2017", 4)
    coco(tmp_path / "all", "val2017", 4)
    (tmp_path / "zips").mkdir()
    for name in ("train2017", "val2017", "annotations"):
        with ZipFile(tmp_path / f"zips/{name}.zip", "w") as file:
            for path in sorted((tmp_path / "all" / name).iterdir()):
                file.write(path, path.relative_to(tmp_path / "all"))
    splits = read(tmp_path / "zips")
    assert sizes(splits) == [3, 4, 1]
