"""Pictures and photographs: files, digits, sizes, captions; NumPy and Pillow only."""
