"""Pure array mathematics without I/O: geometry, sampling, stencils, error bars, kinks, comparison."""
