"""How each runtime opens what was exported: NumPy and that runtime alone, since each module is copied into `run.py`."""
