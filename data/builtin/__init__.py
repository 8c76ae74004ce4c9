"""The embedded data sets, so that everything runs with no network."""
