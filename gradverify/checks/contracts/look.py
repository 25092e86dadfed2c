"""The passes that contracts look at: each is run once, when the first contract asks for it, and serves all others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.compared import Compared
from gradverify.checks.contracts.differences import ROUNDINGS, Arrays, Differences, apart, arrays_of, size
from gradverify.checks.contracts.reference import beside_reference
from gradverify.checks.data import rounded
from gradverify.errors import GradverifyError, explain_error
from gradverify.numerics.sampling import cotangent, stream
from gradverify.spec.target_model import LayerTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradverify.checks.contracts.finding import Finding
    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.model import Case
    from gradverify.targets.handing import Hand
    from gradverify.targets.protocol import Forward, Target, Traits

__all__ = ["Look"]

# Of trial passes that take longer in seconds, no more are run than the spec asks for.
_SLOW = 1.0


@dataclass
class Look:
    """A case whose trial is over, to be looked at more closely.

    Attributes
    ----------
    case, subject, trial
        What was run.
    """

    case: Case
    subject: Subject
    trial: Trial

    @cached_property
    def differ(self) -> Differences:
        """Says what is other in another pass."""
        return Differences(self.case, self.subject, self.trial)

    @property
    def target(self) -> Target:
        """The target."""
        return self.subject.target

    @property
    def traits(self) -> Traits:
        """What can be promised of it."""
        return self.subject.target.traits

    @property
    def is_slow(self) -> bool:
        """Whether a pass takes so long that no more are run than the spec asks for."""
        return self.trial.seconds > _SLOW

    @property
    def keeps(self) -> bool:
        """Whether forward returned something for backward, which may serve again."""
        forward = self.trial.forward
        return forward.has_cache and not forward.has_gradient

    @property
    def is_told(self) -> bool:
        """Whether backward is told any cotangent that a check likes to give it."""
        forward = self.trial.forward
        special = isinstance(self.case.cotangent, str) and self.case.cotangent != "random"
        return self.traits.told and not forward.summed and not forward.has_gradient and not special

    # -- beside other layers

    @cached_property
    def compared(self) -> Compared | None:
        """The case beside its reference, where it has one whose values it must have."""
        reference = self.case.reference
        if reference is None or not reference.compared:
            return None
        return Compared(self.case, self.subject, self.trial, reference)

    @cached_property
    def beside_reference(self) -> Finding | None:
        """What was found about outputs beside those of the reference; gradients are looked at where these are kept."""
        return beside_reference(self)

    @cached_property
    def kind(self) -> Compared | None:
        """The case beside the built-in layer that it is said to be; a built-in itself needs none."""
        case, reference = self.case, self.case.reference
        if isinstance(case.target, LayerTarget):
            return None
        if reference is not None and isinstance(reference.target, LayerTarget):
            return self.compared or Compared(case, self.subject, self.trial, reference)
        return None if case.placed is None else Compared(case, self.subject, self.trial, case.placed.kind)

    # -- passes

    def forward(self, inputs: Mapping[str, NDArray[Any]] | None = None, hand: Hand | None = None) -> Forward:
        """Run another forward pass."""
        target = self.target if hand is None else self.target.handing(hand)
        return target.forward(self.subject.inputs if inputs is None else inputs)

    def backward(
        self,
        forward: Forward,
        cotangents: tuple[NDArray[Any], ...] | None = None,
        inputs: Mapping[str, NDArray[Any]] | None = None,
        hand: Hand | None = None,
    ) -> Arrays:
        """Run another backward pass; returns copies of its gradients."""
        target = self.target if hand is None else self.target.handing(hand)
        weights = self.trial.cotangents if cotangents is None else cotangents
        return arrays_of(target.backward(weights, forward, self.subject.inputs if inputs is None else inputs))

    @cached_property
    def gradients(self) -> Arrays:
        """Those of the trial that are arrays of real numbers."""
        return arrays_of(self.trial.gradients)

    @cached_property
    def again(self) -> Forward:
        """A second forward pass on the inputs of the case."""
        return self.forward()

    @cached_property
    def is_deterministic(self) -> bool:
        """Whether that gave the same outputs."""
        return not self.differ.outputs(self.again.outputs)

    @property
    def is_disturbable(self) -> bool:
        """Whether another forward pass can come between one that is over and its backward pass."""
        return self.keeps and self.traits.keeps

    @cached_property
    def refusal(self) -> str | None:
        """What forward raises on other inputs, or ``None``."""
        try:
            self.forward(self.other_inputs)
        except Exception as error:  # noqa: BLE001  user code that checks its inputs
            return self.said(error)
        return None

    @cached_property
    def disturbed(self) -> dict[str, float] | str:
        """How gradients change when forward runs on other inputs between their passes, or what backward raises then.

        As :attr:`alone` where that cannot be.
        """
        again = self.again
        if not self.is_disturbable or self.refusal is not None:
            return self.alone
        return self._changed_after(again)

    @cached_property
    def alone(self) -> dict[str, float] | str:
        """How gradients change when both passes run again with nothing in between, or what backward raises then."""
        return self._changed_after(self.forward())

    @property
    def alone_if_disturbed(self) -> dict[str, float] | str:
        """How gradients change when both passes run again; looked at only where something in between changes them."""
        return self.disturbed and self.alone

    def _changed_after(self, forward: Forward) -> dict[str, float] | str:
        try:
            return self.differ.gradients(self.gradients, self.backward(forward))
        except Exception as error:  # noqa: BLE001  user code with a state
            return self.said(error)

    @cached_property
    def twice(self) -> tuple[Arrays, Arrays]:
        """What two backward passes make of one forward pass; the trial's, unless one object serves all passes."""
        if self.traits.keeps:
            return self.gradients, self.backward(self.trial.forward)
        forward = self.forward()
        return self.backward(forward), self.backward(forward)

    @cached_property
    def is_reusable(self) -> bool:
        """Whether backward may run on the cache of the trial as often as anyone likes."""
        if not self.trial.forward.has_cache:
            return True
        if not self.traits.keeps or self.traits.updated:
            return False
        try:
            first, second = self.twice
        except Exception:  # noqa: BLE001  user code that consumes its cache
            return False
        return not self.differ.gradients(first, second)

    def pulled(self, cotangents: tuple[NDArray[Any], ...], *, fresh: bool = False) -> Arrays:
        """Return the gradients for other cotangents; ``fresh`` after a forward pass of their own."""
        return self.backward(self.trial.forward if self.is_reusable and not fresh else self.forward(), cotangents)

    @cached_property
    def left_over(self) -> dict[str, float]:
        """Size of what backward gives for a cotangent of zeros, where that is rounding.

        It is no more than gradients round, and something else when every input moves by a rounding: a constant that
        hides below the last digits stays as it is.
        """
        inputs, zeros = self.subject.inputs, tuple(np.zeros_like(weight) for weight in self.trial.cotangents)
        try:
            found = self.pulled(zeros)
            if not any(size(value) for value in found.values()):
                return {}
            point = {name: rounded(self.case, name, value, value.dtype) for name, value in inputs.items()}
            beside = self.backward(self.forward(point), zeros, point)
        except Exception:  # noqa: BLE001  user code that divides by the cotangent
            return {}
        left = {}
        for name, value in found.items():
            most = ROUNDINGS * float(np.finfo(value.dtype).eps) * size(self.gradients.get(name, value))
            moves = name in beside and apart(value, beside[name]) > size(value) / 8
            if 0 < size(value) <= most and moves:
                left[name] = size(value)
        return left

    @cached_property
    def other_inputs(self) -> Arrays:
        """Other inputs of the same domain: the numbers of each in reverse order."""
        inputs = self.subject.inputs
        turned = {name: value.ravel()[::-1].reshape(value.shape) for name, value in inputs.items()}
        if any(not np.array_equal(turned[name], value) for name, value in inputs.items()):
            return turned
        return {
            name: value * value.dtype.type(0.75) if value.dtype.kind == "f" else value for name, value in inputs.items()
        }

    def second_cotangents(self) -> tuple[NDArray[Any], ...]:
        """Return other cotangents: every other entry is 0, and so are those that backward is not told."""
        drawn = []
        for number, weight in enumerate(self.trial.cotangents):
            random = stream(self.case.seed, "second cotangent", self.case.name, str(number))
            values = np.asarray(cotangent(weight.shape, random))
            values[(np.arange(weight.size).reshape(weight.shape) % 2 == 1) | (weight == 0)] = 0.0
            drawn.append(values.astype(weight.dtype))
        return tuple(drawn)

    def said(self, error: BaseException) -> str:
        """Return what was raised, in a line."""
        if isinstance(error, GradverifyError):
            return str(error)
        return explain_error(error, self.case.search_path)
