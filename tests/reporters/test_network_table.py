"""Networks as tables: what stands in a row, what is left out, and before beside after."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_reports import case_result, rendered, report_of

from gradverify.numerics.geometry import PadMode, Rounding, Window, measure
from gradverify.reporters.network_table import network_tables
from gradverify.results import Network, NetworkLayer, Solution, Verdict

LOST, EXACT = Window(224, 11, 4), Window(227, 11, 4)


def case(name, windows, **changes):
    geometry = tuple(measure(axis, window) for axis, window in windows.items())
    made = case_result(name, geometry=geometry, contracts=(), gradients=(), reason=None, **changes)
    return replace(made, id=f"net/{name}", spec="net.yaml", network="net", target="conv2d")


def layer(name, op="conv2d", *, judged=True, **changes):
    return NetworkLayer(name=name, op=op, case=f"net/{name}" if judged else None, **changes)


def lines(*layers, cases=(), before=(), solution=None, width=120):
    network = Network(id="net", spec="net.yaml", inputs=(("x", (1, 3, 224, 227)),), layers=layers, solution=solution)
    report = replace(report_of(*cases), networks=(network,), before=before)
    ((spec, title, found),) = network_tables(report, width)
    assert (spec, title) == ("net.yaml", "net: x 1x3x224x227")
    return found


def test_axes_that_are_alike_share_a_row_and_columns_that_say_nothing_are_left_out():
    cases = (case("one", {"H": LOST, "W": EXACT}), case("two", {"H": EXACT, "W": EXACT}))
    fields = {"receptive_field": (11, 11), "total_stride": (4, 4), "offset": (0, -3)}
    assert lines(layer("one", **fields), layer("two"), cases=cases) == [
        "  layer  op      axis       size  HH  S  P  r  identity   field  total S  offset",
        "  one    conv2d  H     224 -> 54  11  4  0  1  data-lost     11        4       0",
        "  one    conv2d  W     227 -> 55  11  4  0  0  exact         11        4      -3",
        "  two    conv2d  H W   227 -> 55  11  4  0  0  exact",
    ]


def test_layers_without_windows_show_what_becomes_of_the_shape():
    shapes = {"input_shape": (1, 4, 6, 6), "output_shape": (1, 144)}
    rows = lines(
        layer("flat", "flatten", judged=False, **shapes),
        layer("act", judged=False, input_shape=(1, 144), output_shape=(1, 144)),
    )
    assert rows == [
        "  layer  op       size",
        "  flat   flatten  4x6x6 -> 144",
        "  act    conv2d   144",
    ]


def test_dilation_uneven_padding_gaps_overhang_and_impossible_windows():
    windows = {
        "a": Window(9, 3, 1, (1, 2), dilation=2),
        "b": Window(9, 1, 2),
        "c": Window(6, 3, 2, rounding=Rounding.CEIL),
        "d": Window(2, 3),
        "e": Window(8, 3, 2, mode=PadMode.SAME_UPPER),
    }
    cases = [case(name, {"L": window}) for name, window in windows.items()]
    rows = lines(*map(layer, windows), cases=cases)
    assert [" ".join(row.split()) for row in rows] == [
        "layer op axis size HH S P D r identity",
        "a conv2d L 9 -> 8 3 1 1+2 2 0 exact",
        "b conv2d L 9 -> 5 1 2 0 1 0 gap 1",
        "c conv2d L 6 -> 3 3 2 0 1 0 exact, overhang 1",
        "d conv2d L 2 -> none 3 1 0 1 0 impossible",
        "e conv2d L 8 -> 4 3 2 0+1 1 0 exact",
    ]


def test_what_is_accepted_says_so_and_what_is_not_known_as_well():
    accepted = replace(case("one", {"H": LOST}), reason="in the baseline: ...")
    unknown = replace(case("two", {}), verdict=Verdict.ERROR, reason="its input is not known")
    wrong = replace(case("three", {"H": EXACT}), verdict=Verdict.ERROR, reason="3 groups do not divide 4 channels")
    rows = lines(layer("one"), layer("two"), layer("three"), cases=(accepted, unknown, wrong))
    assert rows[1].endswith("data-lost, accepted")
    assert rows[3].endswith("exact, error")
    assert rows[2].split() == ["two", "conv2d", "error"]


def test_only_the_axis_that_violates_is_accepted():
    accepted = replace(case("one", {"H": LOST, "W": EXACT}), reason="in the baseline: ...")
    assert [row.split()[-1] for row in lines(layer("one"), cases=(accepted,))[1:]] == ["accepted", "exact"]


def test_axes_share_a_row_whatever_is_noted_of_each():
    found = case("one", {"H": LOST, "W": LOST})
    noted = replace(found, geometry=(replace(found.geometry[0], notes=("restores 3 of 4",)), found.geometry[1]))
    assert lines(layer("one"), cases=(noted,))[1].split()[2:4] == ["H", "W"]


def test_what_becomes_of_a_shape_spans_the_columns_of_windows():
    rows = lines(
        layer("one"),
        layer("flat", "flatten", judged=False, input_shape=(1, 4, 54, 54), output_shape=(1, 11664)),
        cases=(case("one", {"H": LOST}),),
    )
    assert rows == [
        "  layer  op       axis       size  HH  S  P  r  identity",
        "  one    conv2d   H     224 -> 54  11  4  0  1  data-lost",
        "  flat   flatten  4x54x54 -> 11664",
    ]


def test_a_table_is_divided_where_it_is_a_column_too_wide():
    fields = {"receptive_field": (11,), "total_stride": (4,), "offset": (0,)}
    shown = {"cases": (case("one", {"H": LOST}),)}
    whole = lines(layer("one", **fields), **shown)
    wide = max(map(len, whole))
    assert lines(layer("one", **fields), width=wide, **shown) == whole
    divided = lines(layer("one", **fields), width=wide - 1, **shown)
    assert "" in divided
    assert max(map(len, divided)) < wide


def test_layers_that_were_not_selected_have_no_row():
    assert len(lines(layer("one"), layer("two"), cases=(case("two", {"H": EXACT}),))) == 2


def test_long_names_lose_their_middle_as_far_as_they_must():
    name = "features.denseblock3.denselayer24.conv2"
    (_, row) = lines(layer(name), cases=(case(name, {"H": EXACT}),))
    assert row.split()[0] == "features.de..yer24.conv2"
    (_, row) = lines(layer(name), cases=(case(name, {"H": EXACT}),), width=62)
    assert len(row) <= 62
    assert row.split()[0].startswith("feat")
    assert row.split()[0].endswith("conv2")


def test_before_stands_beside_after():
    rows = lines(
        layer("one"), cases=(case("one", {"H": EXACT, "W": EXACT}),), before=(case("one", {"H": LOST, "W": EXACT}),)
    )
    assert rows == [
        "  layer  op      axis  before                after",
        "  one    conv2d  H     224 -> 54  data-lost  227 -> 55  exact",
        "  one    conv2d  W     227 -> 55  exact      227 -> 55  exact",
    ]


def test_a_problem_that_comes_or_goes_with_a_size_is_shown():
    wrong = replace(case("two", {}), verdict=Verdict.ERROR, reason="6400 features come in")
    plain, exact = layer("two", "linear", judged=False), case("one", {"H": EXACT})
    gone = lines(layer("one"), plain, cases=(exact,), before=(exact, wrong))
    assert gone[2] == "  two    linear        error"
    came = lines(layer("one"), layer("two", "linear"), plain, cases=(exact, wrong), before=(exact,))
    assert came[2].split() == ["two", "linear", "error"]
    assert came[2].index("error") == came[0].index("after")
    never = lines(layer("one"), replace(plain, name="three"), cases=(exact,), before=(exact,))
    assert len(never) == 2


def test_cases_of_no_network_are_compared_spec_by_spec():
    cases = [replace(case(name, {"H": EXACT}), network=None, id=name, spec=f"{name}.yaml") for name in ("a", "b")]
    report = replace(report_of(*cases), before=tuple(cases))
    assert [(spec, title) for spec, title, _ in network_tables(report, 120)] == [
        ("a.yaml", "cases"),
        ("b.yaml", "cases"),
    ]
    assert not list(network_tables(report_of(*cases), 120))


def test_layers_that_are_not_selected_are_left_out_of_before_and_after():
    cases = (case("one", {"H": EXACT}),)
    rows = lines(layer("other"), layer("one"), cases=cases, before=(case("one", {"H": LOST}),))
    assert [row.split()[0] for row in rows] == ["layer", "one"]


def test_what_is_noted_about_layers_stands_below_also_without_a_window_or_a_failure():
    rows = lines(
        layer("up", notes=("along H: restores 223 of the 224 that down had",)),
        layer("grow", "upsample", judged=False, notes=("along W: restores 8 of the 9 that down had",)),
        layer("other", notes=("of a layer that is not selected",)),
        cases=(case("up", {"H": EXACT}),),
    )
    assert rows[-2:] == [
        "  up along H: restores 223 of the 224 that down had",
        "  grow along W: restores 8 of the 9 that down had",
    ]


@pytest.mark.parametrize(
    ("solution", "said"),
    [
        (
            Solution(given=(("H", 224), ("W", 227)), found=(("H", 227), ("W", 227))),
            "the smallest sizes from H = 224, W = 227 on at which every layer is exact: H = 227, W = 227",
        ),
        (Solution(given=(("N", 227),), found=(("N", 227),)), "every layer is exact at N = 227"),
        (
            Solution(given=(("N", 3),), reason="fc takes 6 rows", proved=True),
            "no sizes from N = 3 on make every layer exact: fc takes 6 rows",
        ),
        (
            Solution(given=(("N", 3),), reason="given up at N = 9"),
            "no sizes found from N = 3 on at which every layer is exact: given up at N = 9",
        ),
        (
            Solution(given=(), reason="no input has lengths"),
            "no sizes found at which every layer is exact: no input has lengths",
        ),
    ],
)
def test_what_solve_found_stands_below(solution, said):
    assert lines(layer("one"), cases=(case("one", {"H": EXACT}),), solution=solution)[-1] == f"  {said}"


def test_the_terminal_shows_layers_in_the_table_and_with_v_one_by_one():
    network = Network(id="net", spec="net.yaml", inputs=(("x", (1, 3, 224, 224)),), layers=(layer("one"),))
    report = replace(report_of(case("one", {"H": LOST})), networks=(network,))
    short, long = (rendered("terminal", report, verbosity=verbosity) for verbosity in (0, 1))
    assert "PASS  net/one" not in short
    assert "one    conv2d  H" in short
    assert "PASS  net/one" in long
    assert "one    conv2d" not in rendered("terminal", report, verbosity=-1)


def test_where_the_table_is_too_wide_receptive_fields_have_one_of_their_own():
    fields = {"receptive_field": (11, None), "total_stride": (4, None), "offset": (0, None)}
    found = lines(layer("one", **fields), cases=(case("one", {"H": LOST, "W": EXACT}),), width=60)
    assert found == [
        "  layer  op      axis       size  HH  S  P  r  identity",
        "  one    conv2d  H     224 -> 54  11  4  0  1  data-lost",
        "  one    conv2d  W     227 -> 55  11  4  0  0  exact",
        "",
        "  layer  axis  field  total S  offset",
        "  one    H        11        4       0",
        "  one    W",
    ]


def test_v_tells_what_four_lengths_do_not_show_of_a_case_that_passes():
    holes = "     H: stride 2, dilation 2 and kernel 2 leave holes: it reads at most 1 of 2 neighbouring rows"
    report = report_of(case("one", {"H": Window(33, 2, 2, dilation=2)}))
    short, long = (rendered("terminal", report, verbosity=verbosity) for verbosity in (0, 1))
    assert holes in long.splitlines()
    assert "holes" not in short


def test_what_solve_found_is_said_in_quiet_too():
    solution = Solution(given=(("H", 224),), found=(("H", 227),))
    network = Network(id="net", spec="net.yaml", inputs=(), layers=(layer("one"),), solution=solution)
    report = replace(report_of(case("one", {"H": EXACT})), networks=(network,))
    shown = rendered("terminal", report, verbosity=-1).splitlines()
    assert shown[0] == "net: the smallest sizes from H = 224 on at which every layer is exact: H = 227"
