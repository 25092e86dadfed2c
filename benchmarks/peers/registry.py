"""The peers by name, as data: what they compare, and under which tolerances. Imports none of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PEERS", "PeerInfo"]


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """One row of the tables.

    Attributes
    ----------
    function
        Its check, as ``module:function``.
    compares
        What it compares.
    tolerance
        Its defaults, or what its users are told where it has none.
    work
        What its number of passes grows with, and so what a sample of it is taken of: ``inputs`` for entries of
        inputs, ``jacobian`` for those of inputs and outputs; ``None`` where it is always measured whole.
    """

    function: str
    compares: str
    tolerance: str
    work: str | None = None


_GRADVERIFY = "rtol 1e-6, atol 1e-9 of the largest entry, error bar; float32 1e-4, 1e-5"
_ONE = "one projection"

PEERS = {
    "gradverify auto": PeerInfo("peer_gradverify:auto", "every entry, or a bound on all", _GRADVERIFY),
    "gradverify compressed": PeerInfo("peer_gradverify:compressed", "every entry", _GRADVERIFY),
    "gradverify certificate": PeerInfo("peer_gradverify:certificate", "a bound on all entries", _GRADVERIFY),
    "torch gradcheck slow": PeerInfo(
        "peer_torch:slow", "every entry of the Jacobian", "eps 1e-6, rtol 1e-3, atol 1e-5", "jacobian"
    ),
    "torch gradcheck fast": PeerInfo("peer_torch:fast", _ONE, "eps 1e-6, rtol 1e-3, atol 1e-5 times the size"),
    "jax check_grads": PeerInfo("peer_jax:check", _ONE, "eps 1e-4, rtol and atol 1e-5; float32 2e-3"),
    "autograd check_grads": PeerInfo("peer_autograd:check", _ONE, "eps 1e-6, rtol 1e-6 or atol 1e-6"),
    "scipy check_grad": PeerInfo(
        "peer_scipy:check", "norm over all entries", "eps 1.5e-8; none, here a norm of 1e-5", "inputs"
    ),
    "scipy approx_derivative": PeerInfo(
        "peer_scipy:three_point", "every entry", "3-point; check_derivative's 1e-6 of max(1, entry)", "inputs"
    ),
    "scipy complex step": PeerInfo(
        "peer_scipy:complex_step", "every entry", "cs; check_derivative's 1e-6 of max(1, entry)", "inputs"
    ),
    "numdifftools Gradient": PeerInfo(
        "peer_numdifftools:check", "every entry", "none, here numpy.allclose: rtol 1e-5, atol 1e-8", "inputs"
    ),
    "classic loop": PeerInfo(
        "peer_loop:check", "every entry", "step 1e-5, 1e-4 of the sum of both entries (CS231n)", "inputs"
    ),
}
