"""The four classic layer families as Keras blocks; this package knows no task and no data set."""
