"""A run written for other runtimes: files, their description, and a short program that answers with them.

`export` puts a folder together. `writers` writes the networks in each format, and `description` says what they are.
`comparison` opens what was written and compares it with Keras, and `benchmark` times it. `script` puts the program
`run.py` together from a module of `runtimes` and the module `exported` of the task.
"""
