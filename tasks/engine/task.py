"""What a task is, and what training gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, Self, TypeVar

from data import files
from data.splits import Example, Examples, Splits
from tasks.engine.config import TaskConfig
from tasks.engine.network import Network

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

C = TypeVar("C", bound=TaskConfig)
Arrays = Any


class Codec(Protocol):
    """Raw examples to arrays; what it learnt from training examples travels with the model as JSON.

    Where examples differ in length, a method `bucket(example)` says with which others one shares its batches, and a
    method `cost(bucket)` what one of them costs, where batches are to cost the same. A method `vary(example, random)`
    makes another version of an example for each epoch, and a method `turns(example)` says how often an epoch of
    training shows it, where that is not once.
    """

    @classmethod
    def learn(cls, config: Any, train: Examples) -> Self:
        """Return a codec for these training examples."""

    @classmethod
    def restore(cls, config: Any, state: dict[str, Any]) -> Self:
        """Return the codec whose `state` this is."""

    def state(self) -> dict[str, Any]:
        """Return what was learnt, as JSON types."""

    def inputs(self, raw: Sequence[Any]) -> Arrays:
        """Return raw inputs as the arrays that the network reads."""

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, ...]:
        """Return `(x, y)` or `(x, y, weights)`; with `random`, augmented as in training."""


class Report(NamedTuple):
    """What scoring a split gives."""

    metrics: dict[str, Any]  # JSON types; the task's main metric first
    answers: list[dict[str, Any]]  # some inputs with answers and references, as JSON types
    figures: dict[str, Callable[[], Image]]  # drawn when they are written


@dataclass(frozen=True, kw_only=True)
class Task(Generic[C]):
    """What the workflow needs to know, in the order in which it asks.

    The Keras part stands apart, in `tasks.<name>.network`, so that a prediction need not load it:
    `build(config, codec)` returns the compiled model to train, and `signatures(model)` the models to use. Where there
    is a `begin(model, config)`, it sets the first weights. Where there is a `prepare(model, config, splits, show)`, the
    model is trained on the splits that it returns, whose examples may hold what a frozen part of the model makes of
    them. A loss with a method `follow(done)` may change between epochs: it is told which share of the training is done,
    and returns whether it changed.
    """

    name: str
    accepts: str  # field of an example that holds the input: "text" or "image"
    returns: str  # kind of an answer: "label", "text" or "image"
    sources: Mapping[str, str]  # data sets by name, and folders as `name/`: what they are, and their licence
    limits: str  # what the answers are not good for, in a sentence or two
    config: type[C]
    load: Callable[[C], Splits]
    codec: type[Codec]
    predict: Callable[[Pipeline[C], Sequence[Any]], list[Any]]
    score: Callable[[Pipeline[C], Examples], Report]
    calibrate: Callable[[Pipeline[C], Examples], Codec] | None = None  # after fitting, on validation examples
    write: Callable[[Pipeline[C], Sequence[str], Path | None, bool], Iterator[tuple[str, Any]]] | None = None
    # where answers are files: reads inputs, writes the answers to a file or a folder, perhaps with a progress bar,
    # and yields each input with what the command line shows of it


@dataclass(frozen=True)
class Pipeline(Generic[C]):
    """A task with a network: raw input in, raw answer out.

    Attributes:
        run: Directory that keeps all of it.
    """

    task: Task[C]
    config: C
    codec: Any
    network: Network
    run: Path

    def predict(self, inputs: Sequence[Any]) -> list[Any]:
        """Return an answer for each raw input."""
        return self.task.predict(self, inputs)

    def read(self, path: Path) -> Iterator[str]:
        """Yield the inputs in a file: a column of a `.csv`, `.tsv` or `.jsonl` table, or the lines of any other.

        The column is called what the task accepts, such as `text`, or as the setting `text_column` says where a
        task has it.
        """
        field = self.task.accepts
        return files.inputs(path, getattr(self.config, f"{field}_column", field))

    def each(self, inputs: Iterable[str]) -> Iterator[str]:
        """Yield inputs; where the task takes pictures, those in a folder instead of the folder.

        Raises:
            DataError: A folder holds no pictures.
        """
        from data.places import find_photos

        for item in inputs:
            if self.task.accepts == "image" and Path(item).is_dir():
                yield from map(str, find_photos(item)[1])
            else:
                yield item

    def score(self, examples: Examples) -> Report:
        """Return the task's metrics on raw examples."""
        return self.task.score(self, examples)

    def tuned(self, **settings: Any) -> Pipeline[C]:
        """Return the same pipeline with other runtime settings."""
        return replace(self, config=self.config.tuned(settings))
