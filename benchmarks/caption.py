"""What captions are worth, and how fast they are written.

Worth: scores on a split of our captions, of the same given to other pictures, of the one caption that serves all
pictures best, and of what one person says against the others. Speed: this search, and the same one over a
loop of `keras.Model.predict` calls, with what the encoder sees known.

    python -m benchmarks.caption --data DIR [--run DIR] [--split valid] [--pictures 200] [--beam 3]
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

import tasks
from benchmarks.race import PredictLoop
from data.splits import Examples, chunks
from tasks.caption.config import Config
from tasks.caption.describe import Memory, caption_hypotheses, picture_memory
from tasks.engine.network import KerasNetwork
from tasks.engine.task import Pipeline
from tasks.toolbox import metrics

SAID = 20  # captions that are tried on all pictures
SHOWN = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider", "rouge_l", "distinct", "words")


def worth(pipeline: Pipeline[Config], train: Examples, examples: Examples) -> None:
    """Print a row of scores for each way to give captions."""
    answers = [answer["caption"] for answer in pipeline.predict([example["image"] for example in examples])]
    truth = [example["captions"] for example in examples]
    order = np.random.default_rng(0).permutation(len(answers))
    rows = {
        "ours": (answers, truth),
        "ours, pictures shuffled": ([answers[place] for place in order], truth),
        "one caption for all": ([constant(train)] * len(truth), truth),
        "a person": ([captions[0] for captions in truth], [captions[1:] for captions in truth]),
    }
    print(f"{'':<26}" + "".join(f"{name:>10}" for name in SHOWN))
    for name, (said, given) in rows.items():
        scores = metrics.caption_metrics(said, given, resamples=1)
        print(f"{name:<26}" + "".join(f"{scores[metric]:>10.1f}" for metric in SHOWN))


def constant(train: Examples) -> str:
    """Return the one of some training captions that has the largest CIDEr as the caption of all training pictures."""
    truth = [example["captions"] for example in train[:1000]]
    said = [example["captions"][0] for example in train[:SAID]]
    return max(said, key=lambda caption: metrics.caption_metrics([caption] * len(truth), truth, resamples=1)["cider"])


def rate(pipeline: Pipeline[Config], memories: Sequence[Memory]) -> float:
    """Return the captions written in a second, the second time."""
    caption_hypotheses(pipeline, memories[0], 1)
    start = time.perf_counter()
    count = sum(len(caption_hypotheses(pipeline, memory, 1)) for memory in memories)
    return count / (time.perf_counter() - start)


def main() -> None:
    """Score and time on real pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", help="Run whose network describes; the newest if not given.")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--beam", type=int, default=3)
    given = parser.parse_args()
    pipeline = tasks.load("caption", given.run, data=given.data, beam=given.beam)
    splits = pipeline.task.load(pipeline.config)
    examples = getattr(splits, given.split)
    worth(pipeline, splits.train, examples)

    pictures = [example["image"] for example in examples[: given.pictures]]
    groups = chunks(map(pipeline.codec.read, pictures), pipeline.config.batch_size)
    memories = [picture_memory(pipeline, pipeline.codec.inputs(group)) for group in groups]
    other = tasks.load("caption", pipeline.run, engine="keras")
    assert isinstance(other.network, KerasNetwork)
    loop = replace(pipeline, network=PredictLoop(dict(other.network.models)))
    ours, theirs = rate(pipeline, memories), rate(loop, memories)
    print(
        f"\nbeam {given.beam}: {ours:.0f} captions/s; a loop of predict calls {theirs:.0f}; {ours / theirs:.1f} times"
    )


if __name__ == "__main__":
    main()
