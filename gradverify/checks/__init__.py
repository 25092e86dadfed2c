"""The checks of a case, in order: geometry, forward, contracts, gradients."""
