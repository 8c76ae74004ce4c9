"""The answers of runs side by side, worst first, with filters. Standard library only."""

import json
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from statistics import fmean
from typing import NamedTuple, Self

from tasks.engine.config import Json, JsonObject
from tasks.engine.page import cell_text, escaped, section, table_cell
from tasks.engine.summaries import answer_line

EACH = 100  # rows of the worst, and of the best
SCRIPT = """
const rows = [...document.querySelectorAll("tr[data-kind]")];
const kind = document.getElementById("kind"), words = document.getElementById("words");
const count = document.getElementById("count");
function filter() {
  const wanted = words.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = (!kind.value || row.dataset.kind.split(" ").includes(kind.value)) &&
      row.textContent.toLowerCase().includes(wanted);
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = shown + " of " + rows.length + " examples";
}
if (kind) { kind.oninput = words.oninput = filter; filter(); }
"""


class Scored(NamedTuple):
    """What the answers of a run were scored on, as its summary says."""

    data: Json
    split: Json
    examples: Json

    @classmethod
    def of(cls, summary: JsonObject) -> Self:
        """Return what a summary says."""
        return cls(*(summary.get(name) for name in cls._fields))


class Row(NamedTuple):
    """An input with the answers of some runs, by their numbers."""

    input: Json
    reference: Json
    answers: dict[int, JsonObject]

    @property
    def value(self) -> float:
        """How good the answers are, the mean over the runs that have one."""
        return fmean(answer_value(answer, self.reference) for answer in self.answers.values())

    def kinds(self) -> str:
        """Return the filters that show this row, besides the half that it is in."""
        bare = [bare_answer(answer) for answer in self.answers.values()]
        found = ["differ"] if len(bare) > 1 and any(one != bare[0] for one in bare) else []
        told = self.reference is not None
        wrong = told and not all(is_right(answer, self.reference) for answer in self.answers.values())
        return " ".join([*found, *(["wrong"] if wrong else [])])


def bare_answer(answer: JsonObject) -> Json:
    """Return the first entry of an answer, which is the answer itself."""
    return next(iter(answer.values()), None)


def is_right(answer: JsonObject, reference: Json) -> bool:
    """Return whether an answer equals its reference, or one of several."""
    return bare_answer(answer) in (reference if isinstance(reference, list) else [reference])


def answer_value(answer: JsonObject, reference: Json) -> float:
    """Return how good an answer is, to sort by; only answers of one task compare.

    * With a probability: this, negative where the answer is wrong.
    * A number, such as PSNR: itself.
    * A text: how much of it and of the most similar reference is shared, in [0, 1].

    Example:
        >>> answer_value({"label": "a", "probability": 0.75}, "b")
        -0.75
        >>> answer_value({"caption": "a dog"}, ["a dog", "a cat"])
        1.0
    """
    bare, chance = bare_answer(answer), answer.get("probability")
    if isinstance(chance, int | float):
        return float(chance) if is_right(answer, reference) else -float(chance)
    if isinstance(bare, int | float):
        return float(bare)
    wanted = [str(one) for one in (reference if isinstance(reference, list) else [reference])]
    return max((SequenceMatcher(None, str(bare), one, autojunk=False).ratio() for one in wanted), default=0.0)


def merged_rows(answers: Sequence[Sequence[JsonObject]], scored: Sequence[Scored]) -> list[Row]:
    """Return the inputs of all runs with their answers, worst first.

    Inputs of two runs are the same if they are called the same in the same data. One that is called by its place alone
    also needs the same number of examples.
    """
    found: dict[str, Row] = {}
    for number, (each, data) in enumerate(zip(answers, scored, strict=True)):
        for one in each:
            by_place = re.fullmatch(r"example \d+", str(one.get("input")))
            where = data if by_place else data._replace(examples=None)
            key = json.dumps([one.get("input"), one.get("reference"), where], sort_keys=True)
            found.setdefault(key, Row(one.get("input"), one.get("reference"), {})).answers[number] = one["answer"]
    return sorted(found.values(), key=lambda row: row.value)


def answer_section(names: Sequence[str], answers: Sequence[Sequence[JsonObject]], scored: Sequence[Scored]) -> str:
    """Return the section of answers: those that the runs keep, the worst and the best."""
    rows = merged_rows(answers, scored)
    if not rows:
        return section("Examples", "<p>The runs keep no answers.</p>")
    kept = rows if len(rows) <= 2 * EACH else [*rows[:EACH], *rows[-EACH:]]
    middle = len(kept) / 2
    lines = "".join(line(row, len(names), "worst" if place < middle else "best") for place, row in enumerate(kept))
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in ("input", "reference", *names))
    return section(
        "Examples",
        "<p>Worst first, of those that the runs keep.</p>",
        '<p><label>Show <select id="kind">' + "".join(choices(len(names))) + "</select></label> "
        '<label>with the words <input id="words" type="search"></label> <output id="count" class="soft"></output></p>',
        f'<div class="wide" tabindex="0" role="region" aria-label="Examples"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>",
    )


def choices(runs: int) -> Iterator[str]:
    """Yield the filters that one can choose."""
    kinds = {"": "all", "worst": "the worst half", "best": "the best half", "wrong": "unlike the reference"}
    for value, said in {**kinds, **({"differ": "where runs differ"} if runs > 1 else {})}.items():
        yield f'<option value="{value}">{said}</option>'


def line(row: Row, runs: int, half: str) -> str:
    """Return the row of an input."""
    cells = [row.reference, *(answer_line(row.answers[n]) if n in row.answers else None for n in range(runs))]
    texts = [cell_text("; ".join(map(str, cell)) if isinstance(cell, list) else cell) for cell in cells]
    first = f'<th scope="row">{cell_text(row.input)}</th>'
    return f'<tr data-kind="{half} {row.kinds()}">{first}{"".join(map(table_cell, texts))}</tr>'
