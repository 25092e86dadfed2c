"""Cases with a battery: which rows they get, what the rows set, and how their inputs lie."""

from __future__ import annotations

import json

import pytest
from spec_cases import cases

from gradverify.errors import SpecError, UsageError
from gradverify.layers.batteries import BATTERIES, battery_of
from gradverify.spec.counterparts import Arrangement
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.overriding import Overrides
from gradverify.spec.target_model import LayerTarget

PAIR = {"forward": "m:f", "backward": "m:b"}
MAPPED = {"conv_param": {"stride": "$stride", "pad": "$padding"}}


def rows(layer, **entry):
    found = cases({"functions": PAIR, "battery": layer, **entry})
    return {case.placed.row.name: case for case in found}


def test_ids_and_sweep_name_the_row():
    case = rows("conv2d", params=MAPPED)["no-padding"]
    assert case.id == "case/battery=no-padding"
    assert case.sweep == {"battery": "no-padding"}
    assert case.placed.layer == "conv2d"


def test_implementations_and_sweeps_come_beside_the_row():
    found = cases({"layer": "relu", "battery": {"layer": "relu", "rows": ["usual"]}, "implementation": "all"})
    assert [case.id for case in found] == ["case/implementation=vectorized,battery=usual"]
    swept = rows({"layer": "relu", "rows": ["usual"]}, params={"k": 1}, sweep={"k": [1, 2]})
    assert len(swept) == 1
    found = cases(
        {"functions": PAIR, "battery": {"layer": "relu", "rows": ["usual"]}, "params": {"k": 1}, "sweep": {"k": [1, 2]}}
    )
    assert [case.id for case in found] == ["case/battery=usual,k=1", "case/battery=usual,k=2"]


def test_names_get_the_values_of_the_row_wherever_they_stand():
    found = rows("conv2d", params={**MAPPED, "sizes": ["$stride", 7], "text": "s=$stride"})
    case = found["stride-3-padding-2"]
    assert case.params == {"conv_param": {"stride": 3, "pad": 2}, "sizes": [3, 7], "text": "s=3"}
    assert case.placed.set_by_row == ("conv_param.stride", "conv_param.pad", "sizes", "text")


def test_inputs_are_those_of_the_battery_in_its_order():
    case = rows("conv2d", params=MAPPED)["wide"]
    assert {item.name: item.shape for item in case.inputs} == {"x": (2, 3, 4, 7), "w": (4, 3, 3, 3), "b": (4,)}
    case = rows("softmax_loss")["large-scores"]
    assert [(item.name, item.fill.value) for item in case.inputs] == [("x", "normal"), ("y", "integers")]
    assert case.inputs[0].options == {"std": 1e3}
    assert case.inputs[1].options == {"high": 4}


def test_what_is_not_mapped_is_left_out():
    assert {case.params["stride"] for case in rows("conv2d", params={"stride": "$stride"}).values()} == {1, 2, 3}
    assert "same" not in rows("conv2d", params={"stride": "$stride"})
    assert not any("dilation" in name or "x1" in name for name in rows("conv2d", params=MAPPED))
    halves = rows("conv2d", params={"stride": ["$stride_h", "$stride_w"], "padding": "$padding", "d": "$dilation"})
    assert halves["stride-2x1"].params["stride"] == [2, 1]
    assert halves["stride-2"].params["stride"] == [2, 2]
    assert {"dilation-2", "dilation-2-stride-2"} <= set(halves)
    assert "padding-1x0" not in halves


def test_a_parameter_with_a_value_has_it_in_all_rows():
    found = rows("conv2d", params={"stride": "$stride", "pad": 1})
    assert {case.placed.kind.params["padding"] for case in found.values()} == {1}
    assert {"same", "tall-kernel", "stride-2-padding-1"} <= set(found)
    assert "padding-2" not in found
    written = rows({"layer": "conv2d", "fixed": {"padding": 1}}, params={"stride": "$stride"})
    assert set(written) == set(found)


def test_rows_can_be_chosen():
    assert list(rows({"layer": "relu", "rows": ["zeros", "usual"]})) == ["usual", "zeros"]
    assert set(rows("relu")) - set(rows({"layer": "relu", "without": ["zeros"]})) == {"zeros"}
    assert "ties" not in rows("maxpool2d", params={"k": "$kernel_size", "s": "$stride"})
    assert "ties" in rows({"layer": "maxpool2d", "also": ["ties"]}, params={"k": "$kernel_size", "s": "$stride"})


def test_functions_have_the_geometry_of_the_row():
    case = rows("conv2d", params=MAPPED)["nothing-square"]
    window = case.window
    assert (window.input, window.kernel, window.stride, window.padding) == ("x", (3, 2), (2, 2), (1, 1))
    last = rows(
        "maxpool2d", inputs={"images": ["$N", "$H", "$W", "$C"]}, params={"size": "$kernel_size", "s": "$stride"}
    )
    assert (last["tall"].window.input, last["tall"].window.layout) == ("images", "NHWC")


@pytest.mark.parametrize(
    ("layer", "inputs", "row", "shapes", "arrangements", "output"),
    [
        (
            "conv2d",
            {"images": "$x", "filters": "$w"},
            "same",
            {"images": (2, 3, 5, 5), "filters": (4, 3, 3, 3)},
            {},
            None,
        ),
        (
            "conv2d",
            {"x": ["$N", "$H", "$W", "$C"], "w": ["$HH", "$WW", "$C", "$F"], "b": [1, 1, 1, "$F"]},
            "nothing-square",
            {"x": (2, 7, 6, 3), "w": (3, 2, 3, 4), "b": (1, 1, 1, 4)},
            {
                "x": Arrangement((0, 3, 1, 2), (2, 7, 6, 3)),
                "w": Arrangement((3, 2, 0, 1), (3, 2, 3, 4)),
                "b": Arrangement((0,), (4,)),
            },
            (0, 3, 1, 2),
        ),
        (
            "affine",
            {"a": ["$D", "$N"], "weights": ["$M", "$D"], "bias": ["$M", 1]},
            "usual",
            {"a": (6, 4), "weights": (5, 6), "bias": (5, 1)},
            {"x": Arrangement((1, 0), (6, 4)), "w": Arrangement((1, 0), (5, 6)), "b": Arrangement((0,), (5,))},
            (1, 0),
        ),
        (
            "groupnorm",
            {"x": "$x", "gamma": [1, "$C", 1, 1], "beta": [1, "$C", 1, 1]},
            "usual",
            {"x": (3, 6, 4, 4), "gamma": (1, 6, 1, 1), "beta": (1, 6, 1, 1)},
            {"gamma": Arrangement((0,), (6,)), "beta": Arrangement((0,), (6,))},
            None,
        ),
        (
            "softmax_loss",
            {"x": "$x", "y": {"shape": ["$N", "$K"], "init": "onehot"}},
            "usual",
            {"x": (5, 4), "y": (5, 4)},
            {},
            None,
        ),
    ],
)
def test_symbols_say_how_inputs_lie(layer, inputs, row, shapes, arrangements, output):
    params = MAPPED if layer == "conv2d" else {"groups": "$groups"} if layer == "groupnorm" else {}
    case = rows(layer, inputs=inputs, params=params)[row]
    kind = case.placed.kind
    assert {item.name: item.shape for item in case.inputs} == shapes
    assert {name: kind.arrangements[name] for name in kind.arrangements} == arrangements
    assert kind.output == output


def test_rows_of_another_rank_are_left_out_where_the_axes_are_named():
    assert "images" in rows("affine")
    assert "images" not in rows("affine", inputs={"x": ["$N", "$D"], "w": "$w", "b": "$b"})
    assert "zeros" not in rows("relu", inputs={"x": ["$D", "$N"]})


def test_inputs_without_names_of_the_battery_are_the_cases_own():
    case = rows("relu", inputs={"x": "$x", "scale": [3]})["usual"]
    assert [item.name for item in case.inputs] == ["x", "scale"]
    assert case.placed.kind.inputs == {"x": "x"}


def test_objects_are_told_lengths_and_keep_their_parameters():
    found = {
        case.placed.row.name: case
        for case in cases({"object": "m:Conv($C, $F, $HH, pad=$padding)", "battery": "conv2d"})
    }
    assert [item.name for item in found["same"].inputs] == ["x"]
    assert "tall-kernel" not in found
    assert "stride-2" not in found
    values = [value.value for _, value in found["even-kernel"].target.create.arguments]
    assert values == [3, 4, 2, 1]
    named = cases(
        {
            "object": {"class": "m:Norm($D)", "parameters": {"gamma": "g"}},
            "battery": {"layer": "layernorm", "rows": ["usual"]},
        }
    )
    assert [item.name for item in named[0].inputs] == ["x", "gamma"]


def test_a_torch_module_is_made_and_a_function_is_called():
    battery = {"layer": "relu", "rows": ["usual"]}
    norm = {"layer": "layernorm", "rows": ["usual"]}
    made = cases({"torch": "torch.nn:LayerNorm($D)", "battery": norm})
    called = cases({"torch": "torch.nn.functional:relu", "battery": battery})
    assert [item.name for item in made[0].inputs] == ["x"]
    assert [item.name for item in called[0].inputs] == ["x"]
    assert [item.name for item in cases({"torch": "m:norm", "battery": norm})[0].inputs] == ["x", "gamma", "beta"]


def test_set_cannot_change_what_a_row_sets(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(
        "cases:\n  - name: c\n    functions: {forward: m:f, backward: m:b}\n    battery: conv2d\n"
        "    params: {stride: $stride, k: 1}\n"
    )
    with pytest.raises(UsageError, match="the battery of 'c' sets it"):
        expand_specs(read_specs((file,)), Overrides(sweeps={"stride": "1:2"}))
    found = expand_specs(read_specs((file,)), Overrides(sweeps={"k": "1:2"}))
    assert {case.params["k"] for case in found} == {1, 2}


def test_a_battery_may_be_the_only_case_and_its_mistakes_are_reported_beside_others():
    with pytest.raises(SpecError) as caught:
        cases({"functions": PAIR, "battery": "conv2d", "params": {"a": "$no"}}, {"name": "other", "layer": "reluu"})
    said = str(caught.value)
    assert "'$no' is no name" in said
    assert "'reluu' is not a built-in layer" in said


@pytest.mark.parametrize("layer", BATTERIES)
def test_every_battery_can_be_written_in_one_line(layer):
    found = cases({"layer": layer, "battery": layer})
    assert len(found) == sum(not row.asked for row in battery_of(layer).rows)
    assert all(case.reference is None and case.placed.kind.name == layer for case in found)


def reference(entry, **more):
    inputs = {"x": [2, 3, 7, 7], "w": [4, 3, 3, 3], "b": [4]}
    (case,) = cases({"functions": PAIR, "inputs": inputs, "reference": entry, **more})
    return case.reference


def test_a_reference_gets_the_parameters_that_go_by_usual_names():
    found = reference("conv2d", params={"conv_param": {"stride": 2, "pad": 1}})
    assert found.target == LayerTarget("conv2d", "im2col")
    assert found.params == {"stride": 2, "padding": 1, "dilation": 1}
    assert found.unmapped == ("dilation",)
    assert found.inputs == {"x": "x", "w": "w", "b": "b"}


def test_a_reference_follows_the_sweep():
    found = cases(
        {
            "functions": PAIR,
            "inputs": {"images": [2, 3, 7, 7]},
            "params": {"pool": {"high": 2, "wide": 3, "step": 1}},
            "sweep": {"pool.step": [1, 2], "pool.high": [2, 3]},
            "reference": {
                "layer": "maxpool2d",
                "params": {"kernel_size": ["pool.high", "pool.wide"], "stride": "pool.step"},
                "inputs": {"x": "images"},
            },
        }
    )
    assert [case.reference.params for case in found] == [
        {"kernel_size": [high, 3], "stride": step, "padding": 0} for step in (1, 2) for high in (2, 3)
    ]


def test_a_reference_takes_inputs_by_name_by_habit_and_by_place():
    (case,) = cases(
        {
            "functions": PAIR,
            "inputs": {"X": [2, 3, 7, 7], "bias": [4], "weight": [4, 3, 3, 3]},
            "reference": "conv2d",
        }
    )
    assert case.reference.inputs == {"x": "X", "w": "weight", "b": "bias"}


def test_a_reference_lies_as_the_geometry_says():
    found = reference(
        "conv2d",
        inputs={"x": [2, 7, 7, 3], "w": [3, 3, 3, 4], "b": [4]},
        geometry={"input": "x", "kernel": "w", "layout": "NHWC", "kernel_layout": "HWIO"},
    )
    assert found.arrangements == {"x": Arrangement((0, 3, 1, 2)), "w": Arrangement((3, 2, 0, 1))}
    assert found.output == (0, 3, 1, 2)


def test_a_reference_of_torch_in_one_word():
    found = reference("torch:torch.nn.functional.conv2d")
    assert str(found.target) == "torch.nn.functional:conv2d"
    assert found.inputs == {"x": "x", "w": "w", "b": "b"}
    called = rows(
        {"layer": "conv2d", "rows": ["stride-2"]},
        params=MAPPED,
        reference="torch:torch.nn.functional.conv2d(x, w, b, stride=$stride)",
    )["stride-2"].reference
    assert [value.value for key, value in called.target.call.arguments if key == "stride"] == [2]
    by_battery = rows(
        {"layer": "conv2d", "rows": ["stride-2"]}, params=MAPPED, reference="torch:torch.nn.functional.conv2d"
    )["stride-2"].reference
    assert by_battery.params == {"stride": 2, "padding": 0, "dilation": 1}


def test_a_reference_of_the_batterys_layer_knows_its_parameters():
    found = rows(
        "maxpool2d", params={"h": "$kernel_size_h", "w": "$kernel_size_w", "s": "$stride"}, reference="maxpool2d"
    )
    assert found["tall-window"].reference.params == {"kernel_size": [3, 2], "stride": 1, "padding": 0}
    own = rows("batchnorm", reference={"layer": "batchnorm", "params": {"eps": 1e-8}})
    assert own["usual"].reference.params["eps"] == 1e-8


def test_what_the_case_fixes_is_fixed_in_all_rows_of_a_built_in_too():
    modes = cases({"layer": "batchnorm", "battery": "batchnorm", "params": {"mode": "train"}})
    assert {case.params["mode"] for case in modes} == {"train"}
    kept = cases({"layer": "dropout", "battery": "dropout", "params": {"p": 0.5}})
    assert {case.params["p"] for case in kept} == {0.5}
    assert len(kept) > 3


@pytest.mark.parametrize("swept", ["conv_param.stride", "conv_param.pad", "conv_param"])
def test_nothing_that_a_row_sets_or_the_case_fixes_is_swept(swept, tmp_path):
    """Neither itself nor around it: the reference would not follow."""
    entry = {"functions": PAIR, "battery": "conv2d", "params": {"conv_param": {"stride": "$stride", "pad": 1}, "k": 1}}
    with pytest.raises(SpecError, match=f"'{swept}' is set by the battery, expected no sweep over it"):
        cases({**entry, "sweep": {swept: [1, 2]}})
    file = tmp_path / "a.yaml"
    file.write_text(json.dumps({"cases": [{"name": "c", **entry}]}))
    with pytest.raises(UsageError, match="sets it"):
        expand_specs(read_specs((file,)), Overrides(sweeps={swept: "1,2"}))
    assert len(cases({**entry, "sweep": {"k": [1, 2]}})) > 20


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"layer": "maxpool2d", "battery": "conv2d"}, "the battery is of conv2d, expected battery: maxpool2d"),
        (
            {"functions": PAIR, "battery": {"layer": "relu", "rows": ["zeros"], "without": ["zeros"]}},
            "rows, without and also leave no row, expected one at least",
        ),
        (
            {"functions": PAIR, "battery": "conv2d", "params": {"a": {"stride": 1}, "b": {"stride": 2}}},
            "'b.stride' is another stride of conv2d, expected battery: {layer: conv2d, fixed: {stride: ...}}",
        ),
        (
            {"functions": PAIR, "battery": "conv2d", "params": {"padding": "same"}},
            "the text 'same' is no padding of conv2d, expected battery: {layer: conv2d, fixed: {padding: ...}}",
        ),
        (
            {"functions": PAIR, "battery": {"layer": "conv2d", "fixed": {"stride": 2}}, "params": {"s": "$stride"}},
            "stride is fixed and set by the rows, expected one of both",
        ),
    ],
)
def test_batteries_that_contradict_the_case(entry, said):
    with pytest.raises(SpecError) as caught:
        cases(entry)
    assert said in str(caught.value)


def test_what_is_fixed_goes_before_what_stands_in_the_parameters():
    battery = {"layer": "conv2d", "fixed": {"padding": 1, "stride": 1}}
    found = cases(
        {"functions": PAIR, "battery": battery, "params": {"padding": "same", "a": {"stride": 1}, "b": {"stride": 2}}}
    )
    assert {case.placed.kind.params["padding"] for case in found} == {1}
    assert {case.params["padding"] for case in found} == {"same"}


@pytest.mark.parametrize("battery", ["conv", {"layer": "conv2d", "rows": ["no"]}, "conv2d"])
def test_a_mistake_in_a_battery_hides_none_beside_it(battery):
    entry = {"functions": PAIR, "battery": battery, "params": {"a": "$strid"}, "referense": "conv2d", "dtype": "double"}
    with pytest.raises(SpecError) as caught:
        cases({**entry, "contracts": {"layot": "off"}})
    said = str(caught.value)
    assert "unknown key 'referense'" in said
    assert "'double' is not a dtype" in said
    assert "did you mean 'layout'?" in said
