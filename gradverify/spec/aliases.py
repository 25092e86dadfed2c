"""What people call the parameters and inputs of built-in layers, as data. Nothing here imports numpy."""

from __future__ import annotations

__all__ = ["INPUT_NAMES", "NEUTRAL", "parameter_called"]

_PARAMETER_NAMES = {
    "stride": ("strides", "s"),
    "padding": ("pad", "pads", "p", "zero_padding"),
    "dilation": ("dilations", "d"),
    "kernel_size": ("kernel", "pool_size", "k", "ksize", "filter_size", "window"),
    "eps": ("epsilon",),
    "groups": ("g", "num_groups", "n_groups", "group"),
    "negative_slope": ("alpha", "slope"),
}

# Own parameters of objects and modules that stand for an input of a built-in layer.
INPUT_NAMES = {
    "w": ("w", "weight", "weights", "kernel", "kernels", "filter", "filters", "theta"),
    "b": ("b", "bias", "biases"),
    "gamma": ("gamma", "g", "weight", "weights", "scale", "w"),
    "beta": ("beta", "bias", "biases", "shift", "b"),
}

# What stands for an input that a layer goes without, as a convolution without biases does.
NEUTRAL = {"b": 0.0, "beta": 0.0, "gamma": 1.0}


def parameter_called(name: str, known: tuple[str, ...]) -> str | None:
    """Return which parameter of a layer goes by a name, as ``padding`` does by ``pad``, or ``None``.

    Parameters
    ----------
    name
        A parameter of user code; of a dotted path the last part counts.
    known
        The layer's own names.
    """
    last = name.rpartition(".")[2]
    if last in known:
        return last
    return next((own for own in known if last.lower() in _PARAMETER_NAMES.get(own, ())), None)
