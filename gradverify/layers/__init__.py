"""The built-in layers: a numpy-free table (``registry``) and one file per family, forward beside backward."""
