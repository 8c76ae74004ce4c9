"""Which languages are at a path, and which two are meant."""

import pytest

from data.splits import DataError
from data.tables import TableFormat
from data.texts.pair_sources import likely_pair, path_languages


@pytest.mark.parametrize(
    ("found", "source", "target", "pair"),
    [
        ([], None, None, ("en", "de")),
        ([], "de", None, ("de", "en")),
        ([], None, "fr", ("en", "fr")),
        (["en", "de", "fr"], None, None, ("en", "de")),
        (["de", "en"], None, None, ("en", "de")),
        (["pt", "en"], None, None, ("pt", "en")),
        (["de", "fr"], "fr", None, ("fr", "de")),
        (["de", "fr"], None, "fra", ("de", "fra")),
        (["en", "de", "fr"], "fr", None, ("fr", "en")),
    ],
)
def test_languages_that_are_not_named_follow_from_those_that_are_there(found, source, target, pair):
    assert likely_pair(found, source, target, "data") == pair


def test_a_choice_of_languages_is_left_to_the_user():
    with pytest.raises(DataError, match=r"'data' has text in: cs, en, pl; name two languages with --source and --targ"):
        likely_pair(["cs", "en", "pl"], None, None, "data")


def test_a_path_tells_its_languages(tmp_path):
    for language in ("es", "fr"):
        (tmp_path / f"train.{language}").write_text("x\n")
    assert path_languages(tmp_path, TableFormat()) == ["es", "fr"]
    assert path_languages(tmp_path / "nowhere", TableFormat()) == []
