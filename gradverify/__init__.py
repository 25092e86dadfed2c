"""gradverify: verifies hand-written backward passes and the geometry of windowed layers."""

__all__ = ["__version__"]

__version__ = "0.1.0"
