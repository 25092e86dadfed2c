"""``gradverify audit``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradverify.cli.completion import files
from gradverify.cli.options import Common, common_options, usable_cores
from gradverify.errors import UsageError
from gradverify.spec.model import MODEL_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradverify.models.requests import NamedShape
    from gradverify.pipeline import Models
    from gradverify.pipeline.baseline import Baseline
    from gradverify.results import CaseResult, Plan, Report
    from gradverify.spec.model import Case
    from gradverify.spec.overriding import Overrides

__all__ = ["Auditing", "audit"]

_LARGEST = 2**31 - 1
_LENGTHS = re.compile(r"[0-9]{1,10}(,[0-9]{1,10})*")
_SHAPES = "data=1,3,224,224 or 1,3,224,224"
_SIZES = "H=227,W=227, or an input's shape as data=1,3,227,227"


class _InputShape(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """``[NAME=]1,3,224,224[:DTYPE]``."""

    name = "[NAME=]LENGTHS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> NamedShape:
        from gradverify.models.requests import NamedShape  # noqa: PLC0415  --help needs none of it

        if isinstance(value, NamedShape):
            return value
        name, sign, rest = value.rpartition("=")
        if sign and not name.strip():
            self.fail(f"'{value}' has no name before '=', expected {_SHAPES}", param, ctx)
        shape, _, dtype = rest.partition(":")
        return NamedShape(name.strip(), _lengths(self, shape, (value, _SHAPES, param, ctx)), dtype)


class _Try(click.ParamType):  # type: ignore[type-arg]  # as above
    """``H=227,W=227``, or the shape of an input: ``data=1,3,227,227``."""

    name = "SIZES"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, tuple[int, ...]], ...]:
        if isinstance(value, tuple):
            return value
        return tuple(self._size(part, (value, _SIZES, param, ctx)) for part in re.split(r",(?=[^,=]+=)", value))

    def _size(self, part: str, said: tuple[str, str, Any, Any]) -> tuple[str, tuple[int, ...]]:
        value, wanted, param, ctx = said
        name, sign, lengths = part.partition("=")
        if not sign or not name.strip():
            self.fail(f"'{value}' is no size to try, expected {wanted}", param, ctx)
        return name.strip(), _lengths(self, lengths, said)


def _once(option: str, named: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """Return lengths by name; a name that is given twice is wrong usage, as one of both would be ignored."""
    found: dict[str, tuple[int, ...]] = {}
    for name, lengths in named:
        if name in found:
            both = f"{_written(name, found[name])} and {_written(name, lengths)}"
            raise click.UsageError(f"{option} has {both}, expected '{name}' once")
        found[name] = lengths
    return found


def _lengths(kind: click.ParamType, text: str, said: tuple[str, str, Any, Any]) -> tuple[int, ...]:  # type: ignore[type-arg]  # as above
    value, wanted, param, ctx = said
    if _LENGTHS.fullmatch(text.replace(" ", "")) is None:
        kind.fail(f"'{value}' has no lengths, expected {wanted}", param, ctx)
    lengths = tuple(int(length) for length in text.split(","))
    if not all(1 <= length <= _LARGEST for length in lengths):
        kind.fail(f"'{value}' has a length that is none, expected whole numbers of at least 1", param, ctx)
    return lengths


def _written(name: str, lengths: tuple[int, ...]) -> str:
    text = ",".join(map(str, lengths))
    return f"{name}={text}" if name else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditing:
    """The options that audit alone takes, as given."""

    factories: tuple[str, ...] = ()
    input_shapes: tuple[NamedShape, ...] = ()
    tried: dict[str, tuple[int, ...]] = field(default_factory=dict)
    solve: bool = False
    baseline: str | None = None
    update_baseline: bool = False

    def words(self, case: Case) -> tuple[str, ...]:
        """Return the options that decide the verdict of a case, as words of a command line."""
        is_model = case.spec in self.factories or case.spec.endswith(MODEL_SUFFIXES)
        shapes = [
            _written(name, lengths) + (f":{dtype}" if dtype else "")
            for name, lengths, dtype in (self.input_shapes if is_model else ())
        ]
        tried = ",".join(_written(name, lengths) for name, lengths in self.tried.items())
        words = [word for shape in shapes for word in ("--input-shape", shape)]
        words += ["--try", tried] if tried else []
        return (*words, *(("--baseline", self.baseline) if self.baseline is not None else ()))

    def overrides(self, common: Common) -> Overrides:
        """Return what the options set in place of the spec."""
        return replace(common.overrides(), sizes=self.tried)

    def models(self, common: Common) -> Models:
        """Return the models that are asked for."""
        from gradverify.pipeline import Models  # noqa: PLC0415  --help needs none of it

        files = tuple(dict.fromkeys(name for name in common.specs if name.endswith(MODEL_SUFFIXES)))
        if self.input_shapes and not files and not self.factories:
            raise click.UsageError("--input-shape belongs to models, expected an .onnx file or --torch")
        return Models(
            files=files,
            factories=tuple(dict.fromkeys(self.factories)),
            shapes=self.input_shapes,
            tried=self.tried,
            solve=self.solve,
            folder=str(Path.cwd()),
            workers=common.workers or usable_cores(),
        )


@click.command()
@common_options(metavar="[SPEC|MODEL]...", required=False)
@click.option(
    "--torch",
    "factories",
    metavar="MODULE:FACTORY",
    multiple=True,
    help="Also audit what this makes: a torch module. This executes it, with your rights; repeatable.",
)
@click.option(
    "--input-shape",
    "input_shapes",
    type=_InputShape(),
    multiple=True,
    help="Shape of a model's input: data=1,3,224,224, or 1,3,224,224 for inputs in order; repeatable.",
)
@click.option(
    "--try",
    "tried",
    type=_Try(),
    multiple=True,
    help="Show the audit beside that with other sizes: H=227,W=227; repeatable.",
)
@click.option("--solve", is_flag=True, help="Find the smallest input sizes with which every layer is exact.")
@click.option(
    "--baseline", metavar="FILE", shell_complete=files, help="Violations in FILE are accepted; only new ones fail."
)
@click.option("--update-baseline", is_flag=True, help="Write what is found into the FILE of --baseline.")
def audit(**options: Any) -> None:
    """Check the size identity (H'-1)S + HH = H + 2P of every windowed layer.

    SPEC is a file or a folder of specs, or an ONNX model (*.onnx). Never imports or runs user code, unless --torch asks
    for it. Fails on a violated identity; --fail-on data-loss tolerates unread padding.
    """
    options["tried"] = _once("--try", [size for sizes in options["tried"] for size in sizes])
    _once("--input-shape", [(shape.name, shape.lengths) for shape in options["input_shapes"] if shape.name])
    names = Auditing.__dataclass_fields__
    common = Common(**{name: value for name, value in options.items() if name not in names})
    auditing = Auditing(**{name: value for name, value in options.items() if name in names})
    if not common.specs and not auditing.factories:
        raise click.UsageError("nothing to audit, expected SPEC, a model (*.onnx) or --torch MODULE:FACTORY")
    if auditing.update_baseline and auditing.baseline is None:
        raise click.UsageError("--update-baseline writes a file, expected --baseline FILE beside it")
    _audited(common, auditing)


class _BaselineFile:
    """Listens, and writes the baseline when everything was judged."""

    def start(self, plan: Plan) -> None:
        """Nothing was found yet."""

    def case(self, result: CaseResult) -> None:
        """Wait for all of them."""

    def finish(self, report: Report) -> None:
        """Write what the baseline is to hold from now on."""
        used = report.baseline
        if used is not None and used.updated is not None:
            from gradverify.cli.replacing import replace_file  # noqa: PLC0415  most audits write none

            replace_file(Path(used.file), used.updated.encode())


def _audited(common: Common, auditing: Auditing) -> None:
    """Audit, write the baseline where that is asked for, and exit."""
    from gradverify.cli.reproduction import Reproduction  # noqa: PLC0415  --help needs none of it
    from gradverify.cli.session import conduct, settings_of  # noqa: PLC0415  as above
    from gradverify.pipeline import select  # noqa: PLC0415  as above

    specs = tuple(name for name in common.specs if not name.endswith(MODEL_SUFFIXES))
    known = _baseline(auditing)
    settings = settings_of(common, "audit", common.policy("identity", expectations=False, baseline=known))
    reproduce = Reproduction("audit", common, more=auditing.words, factories=auditing.factories)
    conduct(
        common,
        replace(settings, update_baseline=auditing.update_baseline, reproduce=reproduce),
        lambda: select(specs, auditing.overrides(common), common.keyword, common.ids, auditing.models(common)),
        listeners=(_BaselineFile(),),
    )


def _baseline(auditing: Auditing) -> Baseline | None:
    if auditing.baseline is None:
        return None
    if not Path(auditing.baseline).resolve().parent.is_dir():
        raise UsageError(f"--baseline: '{auditing.baseline}' is in no folder, expected a file in an existing folder")
    from gradverify.pipeline.baseline import read_baseline  # noqa: PLC0415  only who asks for it pays

    return read_baseline(auditing.baseline, must_exist=not auditing.update_baseline)
