"""Enlarge pictures by 2, 3 or 4: super-resolution."""
