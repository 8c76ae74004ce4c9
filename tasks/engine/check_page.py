"""A check of data as a page. Standard library only."""

from collections.abc import Iterator

from tasks.engine.config import JsonObject
from tasks.engine.page import bullets, escaped, page, section, table

PICTURE = "picture"  # name of the entry that is a thumbnail


def check_page(found: JsonObject) -> str:
    """Return the page of what `check` found."""
    return page(f"Check of {found['data']} for {found['task']}", sections(found))


def sections(found: JsonObject) -> Iterator[str]:
    """Yield the sections of the page."""
    yield section("What to look at", bullets(found["findings"] or ["Nothing was found."]))
    yield section("What a training leaves out or guesses", bullets(found["notices"] or ["Nothing."]))
    yield section("Parts", *part_tables(found["parts"]))
    for kind, title in (("exact", "Exact copies"), ("near", "Near copies")):
        rows = found["copies"][kind]
        yield section(title, copy_table(rows), *(item_table("Copies", group) for group in rows["first"]))
    if found["contradictions"]["count"]:
        yield section("Different labels of one input", item_table("First", found["contradictions"]["first"]))
    for name, row in found["odd"].items():
        yield section(f"Odd inputs, {name}: {row['count']:,}", item_table("First", row["first"]))
    if found["labels"]:
        yield section("Labels that are probably wrong", *label_parts(found["labels"]))


def part_tables(parts: JsonObject) -> Iterator[str]:
    """Yield a table of the sizes of the parts, and one of their classes."""
    names = sorted({name for facts in parts.values() for name in facts} - {"classes"})
    rows = [[part, *(quantiles(facts.get(name)) for name in names)] for part, facts in parts.items()]
    yield table("Sizes", ["part", *names], rows)
    classes = sorted({name for facts in parts.values() for name in facts.get("classes", {})})
    if classes:
        counts = [[name, *(facts.get("classes", {}).get(name, 0) for facts in parts.values())] for name in classes]
        yield table("Examples of each class", ["class", *parts], counts)


def quantiles(value: int | JsonObject | None) -> int | str | None:
    """Return a number, or quantiles as text."""
    return ", ".join(f"{name} {size:,}" for name, size in value.items()) if isinstance(value, dict) else value


def copy_table(rows: JsonObject) -> str:
    """Return the table of the numbers of copies."""
    within = [[f"repeated within {part}", count] for part, count in rows["within"].items()]
    across = [[f"in {' and '.join(each['parts'])}", each["contents"]] for each in rows["across"]]
    return table(
        "Numbers", ["copies", "count"], [*within, *across, ["of the test part, elsewhere too", rows["tested"]]]
    )


def label_parts(labels: JsonObject) -> Iterator[str]:
    """Yield what was found of labels, and the table of the doubtful ones."""
    yield bullets(
        [
            f"Estimated share of wrong labels: {labels['share']:.2%} ({labels['low']:.2%} to {labels['high']:.2%}).",
            f"The model agrees with {labels['agreement']:.1%} of {labels['checked']:,} labels. The more it agrees, the "
            "more it finds.",
        ]
    )
    yield item_table("Most probable first", labels["suspects"])


def item_table(title: str, items: list[JsonObject]) -> str:
    """Return a table of examples, each with its thumbnail if it is a picture."""
    names = list(dict.fromkeys(name for item in items for name in item if name != PICTURE))
    pictures = [thumbnail(item) for item in items] if any(PICTURE in item for item in items) else []
    return table(title, names, [[item.get(name) for name in names] for item in items], pictures=pictures)


def thumbnail(item: JsonObject) -> str:
    """Return the picture of an example."""
    return f'<img alt="" width="48" height="48" src="{escaped(item.get(PICTURE, ""))}">'
