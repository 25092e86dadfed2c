"""The commands besides run: sweep with its map, layers, init, schema."""

from __future__ import annotations

import io
import json

import pytest
from workplace import run_command

from gradverify.cli.progress import ProgressLine
from gradverify.layers.batteries import BATTERIES, battery_of
from gradverify.layers.registry import LAYERS
from gradverify.reporters.sweep_grid import rows_and_columns
from gradverify.results import Plan
from gradverify.spec.schema import json_schema

CONV = """
    cases:
      - name: conv
        layer: conv2d
        inputs: {x: [1, 1, 5, 5], w: [1, 1, 3, 3], b: [1]}
        sweep: {padding: [0], dilation: [1, 2]}
      - {name: other, layer: relu, inputs: {x: [2]}}
"""


def test_sweep_replaces_keys_in_place_and_appends_new_ones(workplace):
    workplace.write("a.yaml", CONV)
    ran = workplace.run("sweep", "a.yaml", "--set", "stride=1,3", "--set", "padding=1:2", "--collect-only")
    assert ran.stdout.split() == [
        *(
            f"conv/padding={padding},dilation={dilation},stride={stride}"
            for padding in (1, 2)
            for dilation in (1, 2)
            for stride in (1, 3)
        ),
        "other",
    ]


def test_sweep_ends_with_a_map_of_stride_down_and_padding_across(workplace):
    workplace.write("a.yaml", CONV)
    ran = workplace.run("sweep", "a.yaml", "--set", "padding=0:2", "--set", "stride=1:3", "-k", "conv")
    assert ran.code == 0, ran.stderr
    lines = ran.stdout.splitlines()
    first = lines.index("conv: stride down, padding across; verdict and worst relative error")
    assert lines[first + 1].split() == ["stride", "0", "1", "2"]
    assert [line.split()[0] for line in lines[first + 2 : first + 5]] == ["1", "2", "3"]
    marks = [[sign for sign in line.split() if sign in {"=", "!"}] for line in lines[first + 2 : first + 5]]
    # Dilation 2 makes the kernel 5 long: residuals (0 + 2P) mod S beside those of (2 + 2P) mod S.
    assert marks == [["=", "=", "="], ["=", "=", "="], ["!", "!", "!"]]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("strides=1:2", "did you mean 'stride'?"),
        ("stride=0:2", "expected a whole number of at least 1"),
        ("stride=2:1", "is empty"),
        ("stride", "expected KEY=VALUES"),
        ("stride=.inf", "not finite"),
    ],
)
def test_wrong_settings_exit_2(workplace, setting, message):
    workplace.write("a.yaml", CONV)
    ran = workplace.run("sweep", "a.yaml", "--set", setting)
    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (("stride", "padding"), ("stride", "padding")),
        (("padding", "stride", "K"), ("stride", "padding")),
        (("conv_param.pad", "conv_param.stride"), ("conv_param.stride", "conv_param.pad")),
        (("K", "padding"), ("K", "padding")),
        (("padding", "K"), ("K", "padding")),
        (("K", "D", "E"), ("K", "D")),
        (("padding",), ("padding",)),
        ((), ()),
    ],
)
def test_the_map_prefers_stride_and_padding(keys, chosen):
    assert rows_and_columns(keys) == chosen


def test_layers_lists_every_layer():
    lines = run_command("layers").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(LAYERS)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_layers_shows_everything_about_a_layer(name):
    text = run_command("layers", name).stdout
    layer = LAYERS[name]
    assert text.startswith(f"{name}: {layer.summary}\n")
    assert all(f"  {role.name} {role.shape_text}: {role.role}" in text for role in layer.inputs)
    assert all(f"  {item.name} (" in text for item in layer.parameters)
    assert all(f"  {item.name}: {item.note}" in text for item in layer.implementations)
    assert "::" in text or "=" in text  # the formulas


def test_an_unknown_layer_is_wrong_usage():
    ran = run_command("layers", "conv3d")
    assert (ran.code, ran.stdout) == (2, "")
    assert "did you mean 'conv2d'?" in ran.stderr


@pytest.mark.parametrize("name", [None, "conv2d", "softmax_loss", "maxpool2d", "batchnorm"])
def test_init_writes_a_spec_that_passes(workplace, name):
    ran = workplace.run("init", *([name] if name else []))
    file = f"{name or 'gradverify'}.yaml"
    assert (ran.code, ran.stdout) == (0, "")
    assert file in ran.stderr
    assert workplace.run("run", file).code == 0
    again = workplace.run("init", *([name] if name else []))
    assert again.code == 2
    assert "exists already" in again.stderr


def test_init_can_write_to_stdout(workplace):
    ran = workplace.run("init", "relu", "--output", "-")
    assert ran.stdout.startswith("# ")
    assert list(workplace.path.iterdir()) == []
    assert workplace.run("init", "rellu").code == 2


def test_schema_prints_the_schema():
    assert json.loads(run_command("schema").stdout) == json_schema()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Silent:
    """A listener that writes nothing."""

    def start(self, plan):
        """Hear nothing."""

    case = finish = start


@pytest.mark.parametrize(("stream", "quiet", "drawn"), [(Terminal(), False, True), (Terminal(), True, False)])
def test_the_progress_line_is_for_terminals_and_leaves_nothing_behind(stream, quiet, drawn):
    line = ProgressLine(Silent(), stream, quiet=quiet)
    line.start(Plan(version="1", command="run", seed=0, cases=("a", "b")))
    line.case(None)
    assert ("1/2 ETA 0:00" in stream.getvalue()) is drawn
    line.case(None)
    line.finish(None)
    assert stream.getvalue().endswith("\r\x1b[2K") is drawn


def test_no_progress_line_in_a_pipe():
    stream = io.StringIO()
    line = ProgressLine(Silent(), stream)
    line.start(Plan(version="1", command="run", seed=0, cases=("a",)))
    line.case(None)
    assert stream.getvalue() == ""


def test_layers_lists_a_battery_with_its_reasons():
    ran = run_command("layers", "conv2d", "--battery")
    assert ran.code == 0
    lines = ran.stdout.splitlines()
    at = lines.index("unread-data")
    assert " ".join(line.strip() for line in lines[at + 1 : at + 3]) == (
        "stride does not divide: the last row and column of data are never read and get zero gradient"
    )
    assert lines[at + 3].strip() == "x 2x3x6x6  w 4x3x3x3  b 4  stride 2"
    assert "$stride $stride_h $stride_w" in ran.stdout
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("layer", BATTERIES)
def test_every_battery_is_listed_row_by_row(layer):
    lines = run_command("layers", layer, "--battery").stdout.splitlines()
    names = [line.partition(" ")[0] for line in lines if line and not line.startswith(" ")]
    assert [name for name in names if name not in {"battery", "names"}] == [row.name for row in battery_of(layer).rows]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tanh"], "tanh has no battery, expected one of conv2d"),
        ([], "--battery of what, expected the name of a layer"),
        (["conv"], "'conv' is not a built-in layer, did you mean 'conv2d'?"),
    ],
)
def test_a_battery_that_is_none(arguments, message):
    ran = run_command("layers", *arguments, "--battery")
    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rum", "'rum' is not a command, did you mean 'run'?"),
        ("mine.yaml", "'mine.yaml' is not a command, expected one"),
    ],
)
def test_what_is_no_command_names_the_nearest(workplace, given, said):
    ran = workplace.run(given)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
