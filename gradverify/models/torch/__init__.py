"""Reads the windowed layers of a torch module by executing its factory and its forward pass, without any data."""

from gradverify.models.torch.reading import read

__all__ = ["read"]
