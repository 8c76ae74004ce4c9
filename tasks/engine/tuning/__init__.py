"""Searching good settings: the space, the study of Optuna, and the trials on this machine or on a cluster."""
