"""Networks of Keras as ONNX models, on any backend.

`trace` reads a network as a graph of `keras.ops` operations. Tables name the operators of ONNX for each operation and
for a few layers (`operations`, `shapes`, `convolution`, `recurrent`). `graph` keeps operators and weights, `file`
writes them, and `network` puts these together. `unrolled` is for other formats, which take no loop. Importing `layers`
does not import this package, which needs `onnx`.
"""
