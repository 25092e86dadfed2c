"""Conditions that separate failing from passing cases: those there are get found, and nothing else is said."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from separated import CONV, OWN_CONV, SWEEPS, labelled, swept, text

from gradverify.checks.conditions import conditions_of
from gradverify.results import Condition, Verdict

RESULTS = {name: swept(entry) for name, entry in SWEEPS.items()}


def _pad(case):
    return case.params["conv_param"]["pad"]


def _stride(case):
    return case.params["conv_param"]["stride"]


def _violated(case):
    return any(not part.identity for part in case.geometry)


@pytest.mark.parametrize(
    ("sweep", "fails", "said"),
    [
        ("nine", lambda case: case.params["padding"] == 0, "padding = 0"),
        ("nine", lambda case: case.params["padding"] > 0, "padding > 0"),
        ("nine", lambda case: case.params["stride"] > 1, "stride > 1"),
        ("nine", lambda case: case.params["stride"] != 2, "stride != 2"),
        ("kernels", lambda case: _pad(case) == 0, "pad = 0"),
        ("kernels", _violated, "the identity is violated"),
        ("kernels", lambda case: _pad(case) == 0 or case.sweep["K"] == 2, "pad = 0 or K = 2"),
        ("images", lambda case: case.sweep["H"] != case.sweep["W"], "H != W"),
        ("images", lambda case: case.sweep["H"] == case.sweep["W"], "H = W"),
        ("images", lambda case: _stride(case) > 1 and _pad(case) == 0, "stride = 2 and pad = 0"),
        ("images", lambda case: _pad(case) == 0 or case.sweep["H"] != case.sweep["W"], "pad = 0 or H != W"),
        ("images", _violated, "the identity is violated along some axis"),
        ("pairs", lambda case: len({part.stride for part in case.geometry}) > 1, "stride[0] != stride[1]"),
        ("pairs", lambda case: case.geometry[1].padding[0] == 1, "padding[1] = 1"),
        ("pool", lambda case: case.params["stride"] < case.params["kernel_size"], "windows overlap"),
        ("groups", lambda case: case.params["groups"] == 1, "groups = 1"),
        ("groups", lambda case: case.sweep["N"] == 1, "there is one sample"),
    ],
)
def test_a_planted_condition_is_found(sweep, fails, said):
    assert text(labelled(RESULTS[sweep], fails)) == f"fails exactly when {said}"


def test_a_condition_names_its_cases():
    found = conditions_of(labelled(RESULTS["nine"], lambda case: case.params["padding"] == 0))
    (first, *_) = RESULTS["nine"]
    assert found == (Condition(text="fails exactly when padding = 0", cases=9, name="case", spec=first.spec),)


def test_names_are_read_apart_and_in_their_order():
    bad = labelled(RESULTS["nine"], lambda case: case.params["padding"] == 0)
    other = labelled(RESULTS["kernels"], _violated)
    names = [replace(case, name="z", spec="s") for case in bad] + [replace(case, name="a", spec="s") for case in other]
    assert [found.name for found in conditions_of(names)] == ["z", "a"]


@pytest.mark.parametrize(
    "fails",
    [lambda case: case.name == "", lambda case: case.name != "", lambda case: case is RESULTS["nine"][0]],
    ids=["none", "all", "one alone"],
)
def test_too_few_on_either_side_are_silent(fails):
    assert text(labelled(RESULTS["nine"], fails)) is None


def test_what_could_be_chance_is_silent():
    """With six cases three of the fifteen ways to choose two are a padding."""
    assert text(labelled(RESULTS["six"], lambda case: case.params["padding"] == 0)) is None


def test_a_value_of_one_case_explains_nothing():
    (entry,) = [CONV | {"sweep": {"padding": [0, 1, 2, 3, 4, 5, 6, 7]}}]
    results = swept(entry)
    assert text(labelled(results, lambda case: case.params["padding"] in {2, 5})) is None
    assert text(labelled(results, lambda case: case.params["padding"] > 3)) == ("fails exactly when padding > 3")


def test_a_second_thing_that_excepts_one_case_is_a_listing():
    """All cases with ``a = 1`` fail but those with ``b = 0``: one such is an exception, two are a condition."""

    def said(exceptions):
        rows = [{"a": index % 2, "b": 1} for index in range(24)] + [{"a": 0, "b": 0}, {"a": 1, "b": 0}] * exceptions
        results = [replace(RESULTS["nine"][0], params=row, sweep={}, geometry=(), lengths={}) for row in rows]
        return text(labelled(results, lambda case: case.params["a"] == case.params["b"] == 1))

    assert said(1) is None
    assert said(2) == "fails exactly when a = 1 and b = 1"


def test_a_second_thing_that_explains_one_case_is_a_listing():
    def said(additions):
        rows = [{"a": index % 2, "b": 1} for index in range(24)] + [{"a": 0, "b": 0}, {"a": 1, "b": 0}] * additions
        results = [replace(RESULTS["nine"][0], params=row, sweep={}, geometry=(), lengths={}) for row in rows]
        return text(labelled(results, lambda case: case.params["a"] == 1 or case.params["b"] == 0))

    assert said(1) is None
    assert said(2) == "fails exactly when a = 1 or b = 0"


def test_thresholds_say_nothing_about_values_between():
    results = swept(CONV | {"sweep": {"stride": [1, 2, 4, 5], "padding": [0, 1, 3]}})
    assert text(labelled(results, lambda case: case.params["stride"] > 2)).startswith("fails exactly when stride >= 4")
    assert text(labelled(results, lambda case: case.params["stride"] < 3)).startswith("fails exactly when stride <= 2")


def test_what_the_cases_do_not_tell_apart_is_said():
    results = swept(CONV | {"sweep": {"stride": [1, 2, 3, 4], "padding": [0, 1, 2]}})
    said = text(labelled(results, lambda case: case.params["stride"] == 4))
    assert said == "fails exactly when stride = 4; these cases do not tell this from: windows leave gaps"


def test_many_equally_good_conditions_are_none():
    results = swept(CONV | {"sweep": {"stride": [1, 2, 3], "padding": [0, 1, 2]}})
    same = [replace(case, params=dict(case.params) | dict.fromkeys("abc", case.params["padding"])) for case in results]
    assert text(labelled(same, lambda case: case.params["padding"] == 0)) is None
    fewer = [replace(case, params=dict(case.params) | {"a": case.params["padding"]}) for case in results]
    assert text(labelled(fewer, lambda case: case.params["padding"] == 0)) == (
        "fails exactly when padding = 0; these cases do not tell this from: a = 0"
    )


def test_errors_count_as_failing_and_are_named():
    failing = labelled(RESULTS["nine"], lambda case: case.params["padding"] == 0)
    errors = [replace(case, verdict=Verdict.ERROR) if case.verdict is Verdict.FAIL else case for case in failing]
    first = next(index for index, case in enumerate(failing) if case.verdict is Verdict.FAIL)
    both = [*errors[:first], failing[first], *errors[first + 1 :]]
    assert text(errors) == "ends in an error exactly when padding = 0"
    assert text(both) == "fails or ends in an error exactly when padding = 0"


@pytest.mark.parametrize("verdict", [Verdict.SKIP, Verdict.INCONCLUSIVE])
def test_undecided_cases_are_on_neither_side(verdict):
    results = labelled(RESULTS["kernels"], lambda case: _pad(case) == 0)
    (found,) = conditions_of(
        [replace(results[0], verdict=verdict), *results[1:-1], replace(results[-1], verdict=verdict)]
    )
    assert (found.text, found.cases) == ("fails exactly when pad = 0", 16)


def test_cases_that_are_expected_to_fail_have_none():
    results = labelled(RESULTS["nine"], lambda case: case.params["padding"] == 0)
    assert text([replace(case, expect=Verdict.FAIL) for case in results]) is None


def test_a_quantity_that_some_case_lacks_is_not_used():
    results = labelled(RESULTS["kernels"], _violated)
    assert text(results) == "fails exactly when the identity is violated"
    assert text([replace(results[0], geometry=()), *results[1:]]) is None


def test_the_name_of_a_row_is_no_quantity():
    """Rows of a battery differ in what they map, and in a name that would explain everything."""
    results = [replace(case, sweep={"battery": f"row {case.params['padding']}"}) for case in RESULTS["nine"]]
    assert text(labelled(results, lambda case: case.params["padding"] == 0)) == "fails exactly when padding = 0"
    bare = [replace(case, params={}, geometry=(), lengths={}) for case in results]
    assert text(labelled(bare, lambda case: case.sweep["battery"] == "row 0")) is None


def test_names_of_parameters_are_as_short_as_they_can_be():
    inner = {"conv_param": {"stride": 1, "pad": 0}, "pool_param": {"stride": 2}}
    sweep = {"conv_param.stride": [1, 2, 3], "pool_param.stride": [2, 3, 4], "conv_param.pad": [0, 1]}
    target = {name: OWN_CONV[name] for name in ("functions", "inputs", "dims")}
    results = swept(target | {"params": inner, "sweep": sweep})
    assert text(labelled(results, lambda case: case.params["conv_param"]["stride"] == 1)) == (
        "fails exactly when conv_param.stride = 1"
    )
    assert text(labelled(results, lambda case: case.params["conv_param"]["pad"] == 1)) == "fails exactly when pad = 1"


def test_words_and_implementations_are_quantities():
    entry = CONV | {"implementation": "all", "sweep": {"padding": [0, 1], "stride": [1, 2]}}
    assert text(labelled(swept(entry), lambda case: "rot180" in case.id)) == (
        "fails exactly when implementation = rot180"
    )


def test_lengths_of_own_code_are_quantities():
    entry = {
        "functions": {"forward": "mine:forward", "backward": "mine:backward"},
        "dims": {"N": 3, "M": 3},
        "inputs": {"x": ["N", "M"]},
        "sweep": {"N": [3, 4, 5, 6], "M": [3, 4, 5, 6]},
    }
    said = text(labelled(swept(entry), lambda case: case.sweep["N"] != case.sweep["M"]))
    assert said == "fails exactly when x.shape[0] != x.shape[1]"


# -- drawn at random ---------------------------------------------------------------------------------------------------


def _literally(atom, case):
    """Judge ``name sign value`` on a case of a grid whose parameters are a, b and c."""
    name, sign, value = atom.split()
    found, limit = case.params[name], int(value)
    signs = {"=": found == limit, "!=": found != limit, ">": found > limit, "<": found < limit}
    return signs[sign]


def _true(said, case):
    body = said.removeprefix("fails exactly when ")
    for rival in body.replace("; these cases do not tell this from: ", ", or ").split(", or "):
        parts = [_literally(atom, case) for atom in rival.replace(" and ", "|").replace(" or ", "|").split("|")]
        if (any(parts) if " or " in rival else all(parts)) != (case.verdict is Verdict.FAIL):
            return False
    return True


def _grid(sizes):
    sweep = {name: list(range(size)) for name, size in zip("abc", sizes, strict=False)}
    params = dict.fromkeys(sweep, 0)
    return swept(
        {"functions": {"forward": "m:f", "backward": "m:b"}, "inputs": {"x": [2]}, "params": params, "sweep": sweep}
    )


GRIDS = [_grid(sizes) for sizes in ((3, 3), (3, 4), (2, 3, 3), (4, 4), (3, 3, 3))]


@st.composite
def atoms(draw, grid):
    name = draw(st.sampled_from(sorted(grid[0].params)))
    values = sorted({case.params[name] for case in grid})
    return f"{name} {draw(st.sampled_from(['=', '!=', '>', '<']))} {draw(st.sampled_from(values))}"


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_whatever_is_said_is_true_of_every_case_and_supported(data):
    grid = data.draw(st.sampled_from(GRIDS))
    first, second = data.draw(atoms(grid)), data.draw(atoms(grid))
    word = data.draw(st.sampled_from([all, any]))
    wrong = data.draw(st.sets(st.integers(0, len(grid) - 1), max_size=1))
    failing = {index for index, case in enumerate(grid) if word([_literally(first, case), _literally(second, case)])}
    results = [
        replace(case, verdict=Verdict.FAIL if index in failing ^ wrong else Verdict.PASS)
        for index, case in enumerate(grid)
    ]
    for found in conditions_of(results):
        assert all(_true(found.text, case) for case in results), found.text
        assert found.cases == len(grid)
        assert 2 <= sum(case.verdict is Verdict.FAIL for case in results) <= len(grid) - 2


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_planted_atom_on_a_full_grid_is_found(data):
    grid = data.draw(st.sampled_from(GRIDS))
    atom = data.draw(atoms(grid))
    failing = sum(_literally(atom, case) for case in grid)
    said = text(labelled(grid, lambda case: _literally(atom, case)))
    assert (said is not None) == (0 < failing < len(grid)), atom
    assert said is None or (";" not in said and " and " not in said and " or " not in said)


@pytest.mark.parametrize("even", [True, False], ids=["half fail", "any share fails"])
def test_random_verdicts_hardly_ever_have_a_condition(even):
    """Over all sweeps together; the smallest has six cases, in which many a coincidence is possible."""
    draws = random.Random(7)  # noqa: S311  no secret
    said, tried = [], 0
    for results in RESULTS.values():
        for _ in range(500):
            share = 0.5 if even else draws.random()
            labels = {case.id: draws.random() < share for case in results}
            said.extend(conditions_of(labelled(results, lambda case, labels=labels: labels[case.id])))
            tried += 1
    assert len(said) < tried / 100, sorted(found.text for found in said)
