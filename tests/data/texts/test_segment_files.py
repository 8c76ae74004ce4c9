"""Test sets of WMT and IWSLT in SGML and XML."""

import pytest

from data.splits import DataError
from data.tables import TableFormat
from data.texts.pair_sources import path_languages
from data.texts.sentence_pairs import all_pairs, sentence_pairs

ENGLISH, GERMAN = [f"Line {number} & more" for number in range(4)], [f"Zeile {number}" for number in range(4)]


def segments(lines, start=1):
    return "".join(f'<seg id="{number}">{line}</seg>\n' for number, line in enumerate(lines, start))


def write_set(folder, name, kind, lines):
    text = f'<{kind}set setid="newstest2014" srclang="any">\n<DOC sysid="ref" docid="a-1" genre=news>\n<p>\n'
    (folder / name).write_text(f"{text}{segments(lines)}</p>\n</DOC>\n</{kind}set>\n", encoding="utf-8")


def read(path, source="en", target="de", test=None):
    return sentence_pairs(path, source, target, TableFormat(), 0.2, 0, test)


@pytest.fixture
def folder(tmp_path):
    for pair, source, target, lines in (
        ("deen", "en", "de", (ENGLISH, GERMAN)),
        ("deen", "de", "en", (GERMAN, ENGLISH)),
    ):
        write_set(tmp_path, f"newstest2014-{pair}-src.{source}.sgm", "src", lines[0])
        write_set(tmp_path, f"newstest2014-{pair}-ref.{target}.sgm", "ref", lines[1])
    return tmp_path


def test_sources_and_references_are_paired_by_segment(folder):
    assert read(folder).test[1] == {"text": "Line 1 & more", "translation": "Zeile 1"}
    assert [len(part) for part in read(folder, "de", "en")] == [0, 0, 4]
    assert len(read(folder, test="newstest2014").test) == 4
    assert len(all_pairs(folder / "newstest2014-deen-src.en.sgm", "en", "de", TableFormat())) == 4
    assert path_languages(folder, TableFormat()) == ["en", "de"]


def test_segments_are_paired_by_number_and_the_others_counted(folder, caplog):
    write_set(folder, "newstest2014-deen-ref.de.sgm", "ref", GERMAN[:3])
    assert len(read(folder).test) == 3
    assert "1 segments are in one language alone, and are left out" in caplog.text
    (folder / "newstest2014-deen-ref.de.sgm").write_text("<doc docid='b'><seg id='1'>x</seg></doc>")
    with pytest.raises(DataError, match="have no segments in common"):
        read(folder)
    (folder / "newstest2014-deen-ref.de.sgm").write_text("<doc docid='b'><seg id='1'>x</doc>")
    with pytest.raises(DataError, match="the segment '1' of document 'b' has no end"):
        read(folder)


def test_a_file_with_sources_references_and_outputs_is_read(tmp_path, caplog):
    path = tmp_path / "newstest2021.en-de.xml"
    path.write_text(
        '<?xml version="1.0"?><dataset id="newstest2021"><doc id="a" origlang="en">'
        f'<src lang="en"><p>{segments(["A &amp; B", *ENGLISH[1:]])}</p></src>'
        f'<ref lang="de" translator="A"><p>{segments(GERMAN)}</p></ref>'
        f'<ref lang="de" translator="B"><p>{segments(GERMAN)}</p></ref>'
        f'<hyp system="x" language="de"><p>{segments(["Falsch"] * 4)}</p></hyp></doc></dataset>'
    )
    for place in (path, tmp_path):
        assert read(place).test[0] == {"text": "A & B", "translation": "Zeile 0"}
        assert path_languages(place, TableFormat()) == ["en", "de"]
    assert "4 segments have several translations; the first is taken" in caplog.text


def test_talks_of_iwslt_are_read(tmp_path):
    for language, lines in (("en", ENGLISH), ("de", GERMAN)):
        write_set(tmp_path, f"IWSLT14.TED.dev2010.de-en.{language}.xml", "ref", lines)
        (tmp_path / f"train.tags.de-en.{language}").write_text("\n".join(lines * 3) + "\n")
    assert [len(part) for part in read(tmp_path)] == [10, 4, 2]
