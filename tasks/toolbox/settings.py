"""Settings that several tasks share. Standard library only: the command line imports this for `--help`."""

from dataclasses import dataclass

from tasks.engine.config import SettingError, TaskConfig, named_values, option


@dataclass(frozen=True, kw_only=True)
class ClassConfig(TaskConfig):
    """Settings of a task that answers with a class.

    Example:
        >>> ClassConfig(labels="positive=pos,negative=neg").label_names()
        {'positive': 'pos', 'negative': 'neg'}
    """

    labels: str | None = option(
        None, "Classes that labels of the data stand for, such as positive=pos,negative=neg.", when="evaluate"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.label_names()

    def label_names(self) -> dict[str, str]:
        """Return the class that each label of the data stands for, of those that `labels` names."""
        return named_values("labels", self.labels)


@dataclass(frozen=True, kw_only=True)
class PictureConfig(TaskConfig):
    """Settings of a task that reads pictures.

    Example:
        >>> PictureConfig(megapixels=0.0)
        Traceback (most recent call last):
        tasks.engine.config.SettingError: `megapixels` must be in [0.001, 10000.0]; received 0.0.
    """

    megapixels: float = option(
        50.0,
        "Largest picture to decode, in millions of pixels; a pixel of 16 bits counts twice.",
        low=0.001,
        high=10_000.0,
        when="predict",
    )


@dataclass(frozen=True, kw_only=True)
class SearchConfig(TaskConfig):
    """Settings of a task that writes sequences by a beam search; see `tasks.toolbox.search`.

    Example:
        >>> SearchConfig(beam=2, n_best=3)
        Traceback (most recent call last):
        tasks.engine.config.SettingError: `n_best` is 3, and the search keeps 2; give a larger `beam`.
    """

    max_length: int = option(
        60, "Most tokens (words or sub-words) of a sentence that are read or written.", low=2, high=10_000
    )
    beam: int = option(5, "Hypotheses kept in the beam search; 1 is greedy.", low=1, high=100, when="predict")
    length_penalty: float = option(
        1.0, "How much longer sentences are favoured; 0 is not at all.", low=0.0, high=5.0, when="predict"
    )
    no_repeat_ngram: int = option(
        3, "No n-gram of this many tokens is written twice in a sentence; 0 allows it.", low=0, high=100, when="predict"
    )
    min_length: int = option(1, "Fewest tokens of a sentence that is written.", low=0, high=10_000, when="predict")
    n_best: int = option(1, "Answers to give for each input, best first.", low=1, high=100, when="answer")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_best > self.beam:
            raise SettingError(f"`n_best` is {self.n_best}, and the search keeps {self.beam}; give a larger `beam`.")
        if self.min_length >= self.max_length:
            raise SettingError(
                f"`min_length` must be below `max_length`; received {self.min_length} and {self.max_length}."
            )
