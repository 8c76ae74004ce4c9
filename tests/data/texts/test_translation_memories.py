"""Translation memories: TMX and XLIFF."""

import gzip
import tracemalloc

import pytest

from data.splits import DataError
from data.tables import TableFormat
from data.texts.pair_sources import path_languages
from data.texts.sentence_pairs import sentence_pairs
from data.texts.translation_memories import memory_pairs, memory_units

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/><body>'


def unit(*versions, mark="xml:lang"):
    inner = "".join(f'<tuv {mark}="{language}"><seg>{text}</seg></tuv>' for language, text in versions)
    return f'<tu><prop type="x">no</prop>{inner}</tu>\n'


def memory(path, units, head=HEAD):
    content = f"{head}{''.join(units)}</body></tmx>".encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def pairs(path, source="en", target="de"):
    return [tuple(row.values()) for row in memory_pairs(path, source, target, None)]


@pytest.mark.parametrize(("one", "other"), [("en", "de"), ("EN-US", "DE-DE"), ("en_GB", "deu")])
@pytest.mark.parametrize("mark", ["xml:lang", "lang", "LANG"])
@pytest.mark.parametrize("name", ["own.tmx", "own.tmx.gz"])
def test_languages_are_found_in_any_writing(tmp_path, caplog, one, other, mark, name):
    path = memory(tmp_path / name, [unit((other, f"Zeile {n}"), (one, f"Line {n}"), mark=mark) for n in range(10)])
    assert pairs(path)[3] == ("Line 3", "Zeile 3")
    assert pairs(path, "de", "en")[3] == ("Zeile 3", "Line 3")
    assert [len(part) for part in sentence_pairs(path, "en", "de", TableFormat(), 0.2, 0)] == [6, 2, 2]
    assert path_languages(path, TableFormat()) == ["de", "en"]
    assert not caplog.text


def test_marks_inside_a_text_are_dropped_and_highlights_kept(tmp_path):
    english = 'A <bpt i="1">&lt;b&gt;</bpt>dog<ept i="1">&lt;/b&gt;</ept>\n  <ph>{0}</ph><hi>runs</hi> &amp; runs.'
    assert pairs(memory(tmp_path / "own.tmx", [unit(("en", english), ("de", "Ein Hund"))])) == [
        ("A dog runs & runs.", "Ein Hund")
    ]


def test_units_are_counted_where_a_language_is_missing_or_there_twice(tmp_path, caplog):
    units = [
        unit(("en", "One"), ("de", "Eins")),
        unit(("en", "Two"), ("fr", "Deux")),
        unit(("en", "Three"), ("de-AT", "Drei A"), ("de", "Drei")),
    ]
    assert pairs(memory(tmp_path / "own.tmx", units)) == [("One", "Eins"), ("Three", "Drei")]
    assert "1 of 3 units have no text in 'en' and 'de', and are left out" in caplog.text
    assert "1 of 3 units have several texts in a language; the first is taken" in caplog.text
    with pytest.raises(DataError, match=r"no unit in 'en' and 'es'; its languages are: en, de, fr, de_at"):
        pairs(tmp_path / "own.tmx", "en", "es")


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ('<!DOCTYPE tmx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><tmx><body>', "&b;"),
        ('<!DOCTYPE tmx [<!ENTITY file SYSTEM "file:///etc/hostname">]><tmx><body>', "&file;"),
        ('<!DOCTYPE tmx [<!ENTITY % more SYSTEM "http://127.0.0.1:1/x.dtd"> %more;]><tmx><body>', "x"),
        (HEAD, "a&nbsp;b"),
    ],
)
def test_entities_are_refused_and_nothing_is_fetched(tmp_path, head, text):
    with pytest.raises(DataError, match=r"has the entity '\w+', which is not read"):
        pairs(memory(tmp_path / "own.tmx", [unit(("en", text), ("de", "x"))], head))


def test_damaged_files_are_named(tmp_path):
    path = memory(tmp_path / "own.tmx", [unit(("en", "A & B"), ("de", "x"))])
    with pytest.raises(DataError, match=r"own.tmx', line 3: not valid XML \(not well-formed"):
        pairs(path)
    packed = memory(tmp_path / "own.tmx.gz", [unit(("en", f"A {n}"), ("de", "x")) for n in range(999)])
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"own.tmx.gz' is damaged"):
        pairs(packed)


def test_memory_stays_flat(tmp_path):
    path = memory(
        tmp_path / "own.tmx", [unit(("en", f"Line {n} " * 9), ("de", f"Zeile {n} " * 9)) for n in range(20000)]
    )
    tracemalloc.start()
    assert sum(1 for _ in memory_units(path, None)) == 20000
    assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 2
    tracemalloc.stop()


def test_xliff_is_read_without_other_proposals(tmp_path, caplog):
    path = tmp_path / "own.xlf"
    path.write_text(
        '<xliff version="1.2"><file source-language="en-US" target-language="de"><body>'
        '<trans-unit id="1"><source>A <g id="1">dog</g><x id="2"/>.</source><target>Ein Hund.</target>'
        "<alt-trans><source>No</source><target>Nein</target></alt-trans></trans-unit>"
        '<trans-unit id="2"><source>Not yet.</source></trans-unit></body></file></xliff>'
    )
    assert pairs(path) == [("A dog.", "Ein Hund.")]
    assert "1 of 2 units have no text" in caplog.text
    path.write_text(
        '<xliff version="2.0" srcLang="en" trgLang="de"><file><unit><segment><source>A dog.</source>'
        "<target>Ein Hund.</target></segment></unit></file></xliff>"
    )
    assert pairs(path, "de", "en") == [("Ein Hund.", "A dog.")]
