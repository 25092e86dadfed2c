"""How people write layers as classes, as data: names of methods and attributes. Nothing here imports numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradverify.spec.calls import Call, read_call

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One convention. Of every list of names, the first that an object has is taken.

    Attributes
    ----------
    about
        What it is, in words.
    setup
        Methods called after the object was made; ``input_shape`` and ``sample_shape`` are those of the first input of
        forward, with and without its first axis, and ``optimizer`` is one that takes the gradient off the parameter.
    forward, backward, derivative
        Names of methods. ``derivative`` returns that of every entry, and takes what forward takes.
    outputs
        Attributes in which forward leaves its output where it returns nothing.
    input_gradients
        Attributes in which backward leaves the gradient of its first input where it returns nothing.
    gradients
        Names of a parameter's gradient; ``{}`` stands for the parameter's own name, and for its first letter.
    containers
        Attributes that hold parameters and their gradients under the same keys.
    arrays
        Attributes of a parameter that is an object: its array and its gradient.
    rates
        Names of the argument of backward that is a learning rate: then what it takes off is the gradient.
    flags
        Names of required arguments that tell training from testing, and what they are given.
    """

    about: str
    setup: tuple[Call, ...] = ()
    forward: tuple[str, ...] = ()
    backward: tuple[str, ...] = ()
    derivative: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    input_gradients: tuple[str, ...] = ()
    gradients: tuple[str, ...] = ()
    containers: tuple[tuple[str, str], ...] = ()
    arrays: tuple[tuple[str, str], ...] = ()
    rates: tuple[str, ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()


_AUTO = Preset(
    about="whatever the object has of all that is listed here",
    forward=(
        "forward", "forward_pass", "forward_propagation", "forward_propagate", "forward_prop", "forwardprop",
        "feed_forward", "feedforward", "fprop", "propagate", "call", "__call__", "apply", "activate", "activation",
        "fn", "loss", "compute", "calculate", "run",
    ),
    backward=(
        "backward", "backward_pass", "backward_propagation", "backward_propagate", "backward_prop", "backwardprop",
        "backprop", "back_prop", "bprop", "backpropagate", "back_propagate", "backpropagation", "back_propagation",
        "propagate_back", "back", "backpass",
    ),
    derivative=("derivative", "gradient", "grad", "prime", "deriv", "derive", "d_fn", "df", "diff"),
    outputs=("output", "outputs", "out", "a", "A", "y", "Y", "Z", "z", "activations", "result"),
    input_gradients=(
        "dinputs", "dinput", "d_inputs", "d_input", "dx", "dX", "d_x", "d_X", "grad_input", "grad_inputs", "gradInput",
        "input_gradient", "input_grad", "dA_prev", "dA", "delta", "grad_x", "dLdA", "dLdx", "dLdX",
    ),
    gradients=(
        "d{}", "d_{}", "D{}", "grad_{}", "{}_grad", "grad{}", "{}grad", "grads_{}", "{}_grads", "gradient_{}",
        "{}_gradient", "{}_gradients", "{}Gradient", "dLd{}", "dL_d{}", "dLoss_d{}", "dJd{}", "dJ_d{}", "dE_d{}",
        "delta_{}", "{}_delta", "delta{}", "nabla_{}", "g{}", "g_{}", "d{}s", "_d{}", "_grad_{}", "{}_error", "{}_d",
        "der_{}", "partial_{}",
    ),
    containers=(
        ("params", "grads"), ("parameters", "gradients"), ("parameters", "grads"), ("params", "gradients"),
        ("params", "dparams"), ("parameters", "dparameters"), ("weights", "gradients"), ("weights", "grads"),
        ("weights", "dweights"), ("weights", "d_weights"), ("params", "d_params"), ("theta", "grad"),
        ("_params", "_grads"),
        ("W", "dW"), ("W", "grads"), ("b", "db"), ("weights", "weight_gradients"), ("biases", "bias_gradients"),
        ("param", "grad"), ("params", "grad"),
    ),
    arrays=(("data", "grad"), ("value", "grad"), ("data", "gradient"), ("value", "gradient"), ("val", "grad"),
            ("w", "grad"), ("v", "d"), ("w", "dw"), ("tensor", "grad"), ("array", "grad"), ("values", "grads"),
            ("param", "grad")),
    rates=("learning_rate", "lr", "learn_rate", "learningRate", "rate", "alpha", "eta", "step_size"),
    flags=(
        ("training", True), ("train", True), ("is_training", True), ("is_train", True), ("train_flg", True),
        ("train_mode", True), ("train_flag", True), ("save_cache", True), ("retain_derived", True),
        ("eval", False), ("test", False), ("is_test", False), ("inference", False),
    ),
)  # fmt: skip

PRESETS: dict[str, Preset] = {
    "auto": _AUTO,
    "dlfs": replace(
        _AUTO,
        about="Deep Learning from Scratch: Affine(W, b), forward(x), backward(dout); dW, db, or lists params and grads",
        forward=("forward",),
        backward=("backward",),
        derivative=(),
        gradients=("d{}",),
        containers=(("params", "grads"),),
        rates=(),
    ),
    "nnfs": replace(
        _AUTO,
        about="Neural Networks from Scratch: forward leaves output, backward leaves dinputs, dweights, dbiases",
        forward=("forward",),
        backward=("backward",),
        derivative=(),
        outputs=("output",),
        input_gradients=("dinputs",),
        gradients=("d{}",),
        containers=(),
        rates=(),
    ),
    "build": replace(
        _AUTO,
        about="build(input_shape) makes the parameters, from the shape with its first axis",
        setup=(read_call("build(input_shape)"),),
    ),
    "build-sample": replace(
        _AUTO,
        about="build(sample_shape) makes the parameters, from the shape without its first axis",
        setup=(read_call("build(sample_shape)"),),
    ),
    "ml-from-scratch": replace(
        _AUTO,
        about="set_input_shape(shape), initialize(optimizer), forward_pass, backward_pass, which updates",
        setup=(read_call("set_input_shape(sample_shape)"), read_call("initialize(optimizer)")),
        forward=("forward_pass",),
        backward=("backward_pass",),
    ),
    "updates": replace(
        _AUTO,
        about="backward(dout, learning_rate) updates the parameters itself and returns the gradient of its input",
        derivative=(),
    ),
}
