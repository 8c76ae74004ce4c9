"""Time of one answer: a signature by ONNX Runtime, as a run answers, and the same network in PyTorch.

    python -m benchmarks.answers [--rounds 15] [--calls 50]

Both have the same random weights, which is checked by their outputs; batch 1, all cores, one process, in turns. PyTorch
is taken as it is and by `torch.compile`, which needs a C++ compiler. Take KERAS_BACKEND=jax, since the process may end
where TensorFlow and PyTorch are both loaded.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

import tasks
from layers.convolution import ConvolutionBlock
from layers.recurrent import RecurrentStack
from tasks.engine.export import write
from tasks.engine.network import OnnxNetwork
from tasks.mnist import network as digits
from tasks.mnist.config import Config
from tasks.mnist.pipeline import Codec

Call = Callable[[], np.ndarray]
WORDS = 200  # of a review


def digit_network() -> tuple[keras.Model, np.ndarray, Any]:
    """Return the digit classifier, a picture, and the same network in PyTorch."""
    from torch import nn

    config = Config.restore(tasks.configure("mnist", "small").state())
    examples = [{"image": np.zeros((28, 28), "uint8"), "label": str(number % 10)} for number in range(20)]
    model = digits.signatures(digits.build(config, Codec.learn(config, examples)))["classify"]
    varied(model)
    parts: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, ConvolutionBlock):
            parts += convolution_in_torch(layer)
        elif isinstance(layer, keras.layers.GlobalAveragePooling2D):
            parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        elif isinstance(layer, keras.layers.Dense):
            parts += [dense_in_torch(layer), nn.Softmax(1)]
    picture = np.random.default_rng(0).random((1, 28, 28, 1), "float32")
    return model, picture, (nn.Sequential(*parts), picture.transpose(0, 3, 1, 2).copy())


def convolution_in_torch(block: Any) -> list[Any]:
    """Return a convolution block of ours in PyTorch, with its weights."""
    import torch
    from torch import nn

    found: list[Any] = []
    for layer in block.parts:
        weights = [torch.from_numpy(np.array(weight)) for weight in layer.get_weights()]
        if isinstance(layer, keras.layers.Conv2D):
            kernel = weights[0].permute(3, 2, 0, 1)
            out, into, *size = kernel.shape
            padding = layer.padding if layer.padding == "valid" else "same"
            one = nn.Conv2d(into, out, size, dilation=layer.dilation_rate, padding=padding, bias=len(weights) > 1)
            one.weight.data.copy_(kernel)
            if len(weights) > 1:
                one.bias.data.copy_(weights[1])
        elif isinstance(layer, keras.layers.BatchNormalization):
            one = nn.BatchNorm2d(len(weights[0]), eps=layer.epsilon)
            for place, weight in zip((one.weight, one.bias, one.running_mean, one.running_var), weights, strict=True):
                place.data.copy_(weight)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            one = nn.MaxPool2d(layer.pool_size, layer.strides)
        elif isinstance(layer, keras.layers.Activation):
            one = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}[layer.activation.__name__]()
        elif isinstance(layer, keras.layers.Dropout | keras.layers.SpatialDropout2D):
            continue
        else:
            raise TypeError(f"no {type(layer).__name__} in PyTorch here")
        found.append(one)
    return found


def dense_in_torch(layer: Any) -> Any:
    """Return a dense layer in PyTorch, with its weights."""
    import torch
    from torch import nn

    kernel, bias = (torch.from_numpy(weight) for weight in layer.get_weights())
    one = nn.Linear(*kernel.shape)
    one.weight.data.copy_(kernel.T)
    one.bias.data.copy_(bias)
    return one


def review_network() -> tuple[keras.Model, np.ndarray, Any]:
    """Return a classifier of reviews by a bidirectional GRU, a review, and the same network in PyTorch."""
    import torch
    from torch import nn

    size, width, units = 20_000, 64, 128
    words = keras.Input((None,), dtype="int32", name="tokens")
    table, dense = keras.layers.Embedding(size, width), keras.layers.Dense(2)
    stack = RecurrentStack(units, "gru", bidirectional=True, return_sequences=True)
    states = stack(table(words))
    model = keras.Model(words, dense(keras.layers.GlobalMaxPooling1D()(states)))
    varied(model)

    class Review(nn.Module):
        """The same in PyTorch."""

        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding.from_pretrained(torch.from_numpy(table.get_weights()[0]))
            self.recurrent = nn.GRU(width, units, batch_first=True, bidirectional=True)
            self.dense = dense_in_torch(dense)

        def forward(self, tokens: Any) -> Any:
            return self.dense(self.recurrent(self.table(tokens))[0].amax(1))

    other = Review()
    for (kernel, recurrent, bias), end in zip(
        np.array_split(np.array(stack.get_weights(), object), 2), ("", "_reverse"), strict=True
    ):
        named = {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias[0], "bias_hh": bias[1]}
        for name, value in named.items():
            update, reset, new = np.split(np.asarray(value, "float32"), 3)  # PyTorch has the reset gate first
            getattr(other.recurrent, f"{name}_l0{end}").data.copy_(
                torch.from_numpy(np.concatenate([reset, update, new]))
            )
    tokens = np.random.default_rng(0).integers(1, size, (1, WORDS)).astype("int32")
    return model, tokens, (other, tokens.astype("int64"))


def varied(model: keras.Model) -> None:
    """Give a network weights that are not as they begin."""
    draws = np.random.default_rng(1)
    model.set_weights([abs(draws.normal(0, 0.1, weight.shape)) for weight in model.get_weights()])


def contestants(model: keras.Model, given: np.ndarray, other: Any, folder: Path) -> dict[str, Call]:
    """Return functions that answer once, by name; ours is the first."""
    import torch

    write({"answer": model}, folder, "float32")
    ours = OnnxNetwork(folder / "onnx")
    network, array = other
    network.eval()
    tensor = torch.from_numpy(array)
    compiled = torch.compile(network)

    def by(function: Callable[[Any], Any]) -> Call:
        def call() -> np.ndarray:
            with torch.inference_mode():
                return np.asarray(function(tensor))

        return call

    return {
        "ONNX Runtime, as a run answers": lambda: ours("answer", given)[0],
        "PyTorch": by(network),
        "PyTorch, torch.compile": by(compiled),
    }


def timed(calls: Mapping[str, Call], rounds: int, count: int) -> dict[str, list[float]]:
    """Return the milliseconds of a call of each in each round, after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(count):
                call()
            if number:
                found[name].append(1000 * (time.perf_counter() - start) / count)
    return found


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=50)
    given = parser.parse_args()
    for title, make in {"a digit": digit_network, f"a review of {WORDS} words": review_network}.items():
        with TemporaryDirectory() as folder:
            calls = contestants(*make(), Path(folder))
            wanted, *others = (call() for call in calls.values())
            for each in others:
                np.testing.assert_allclose(each, wanted, atol=1e-4)
            found = timed(calls, given.rounds, given.calls)
        ours, *rest = (statistics.median(times) for times in found.values())
        print(f"\n{title}, milliseconds, median of {given.rounds} rounds of {given.calls} calls\n")
        for (name, times), median in zip(found.items(), (ours, *rest), strict=True):
            print(f"{name:<32} {median:7.3f} ({min(times):.3f} to {max(times):.3f})  {median / ours:5.2f} times ours")


if __name__ == "__main__":
    main()
