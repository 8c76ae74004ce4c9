"""Translate sentences and texts with a recurrent encoder, a recurrent decoder and attention."""
