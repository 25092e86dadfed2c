"""The page as a whole: well-formed with any text in it, complete, the same every time, and alone."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_reports import case_result, error_grid, rendered, report_of, step_curve
from pictures import boxes_of, read_page, texts_of

from gradverify import reporters
from gradverify.numerics.geometry import Rounding, Window, measure
from gradverify.problems import Problem, ProblemKind
from gradverify.reporters.html.geometry import identity_in_numbers
from gradverify.reporters.html.rules import shown_page
from gradverify.reporters.words import printable
from gradverify.results import BatteryRow, Condition, Network, NetworkLayer, Verdict

STYLE = (Path(reporters.__file__).parent / "html" / "report.css").read_text()


def near(case):
    """Return a case whose gradients show themselves from near by."""
    grid = error_grid() if case.verdict is Verdict.FAIL else None
    gradients = (replace(part, step_curve=step_curve(), error_grid=grid) for part in case.gradients)
    return replace(case, gradients=tuple(gradients))


def page(*cases, map_keys=(), **changes):
    return read_page(rendered("html", report_of(*map(near, cases), **changes), map_keys=map_keys))


def full_report(name="conv"):
    """Return a report with everything that a page may show, the name wherever it can stand."""
    verdicts = [verdict for verdict in Verdict if verdict is not Verdict.EMPTY]
    cases = [near(case_result(name, verdict, reproduce=name)) for verdict in verdicts]
    cases += [near(case_result(f"{name}2", battery=BatteryRow(layer=name, row=name, reason=name)))]
    layer = NetworkLayer(name=name, op=name, case=f"{name}/stride=2", notes=(name,))
    return replace(
        report_of(*cases),
        conditions=(Condition(text=name, cases=4, name=name, spec=name),),
        networks=(Network(id=name, spec=f"{name}.yaml", inputs=((name, (1, None)),), layers=(layer,)),),
        problems=(Problem(name, 1, 2, name, ProblemKind.UNKNOWN_NAME),),
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(name=st.text(min_size=1, max_size=12))
def test_any_name_is_text_wherever_it_stands(name):
    plain, hostile = (read_page(rendered("html", full_report(text))) for text in ("conv", f"{name}<i a='\"&"))
    shape = [(part.tag, sorted(part.attrib)) for part in plain.iter()]
    assert [(part.tag, sorted(part.attrib)) for part in hostile.iter()] == shape
    assert printable(f"{name}<i a='\"&/stride=2") in texts_of(hostile, "a")


def test_a_page_is_the_same_every_time_and_asks_for_nothing_outside():
    text = rendered("html", full_report())
    assert text == rendered("html", full_report())
    root = read_page(text)
    assert not [part for part in root.iter() if part.tag in {"img", "iframe", "object", "embed"} or part.get("src")]
    targets = [part.get("href") for part in root.iter() if part.get("href")]
    assert all(target.startswith("#") or target == "data:," for target in targets)
    assert "//" not in STYLE.replace("://", "")
    assert "@import" not in STYLE
    (policy,) = [part.get("content") for part in root.iter("meta") if part.get("http-equiv")]
    assert policy.startswith("default-src 'none'; ")


def test_ids_are_unique_and_links_lead_to_them():
    root = read_page(rendered("html", full_report()))
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(set(ids)) == len(ids)
    targets = {part.get("href")[1:] for part in root.iter() if part.get("href", "").startswith("#")}
    assert targets <= set(ids)


def test_tables_have_captions_and_headers_and_drawings_names():
    root = read_page(rendered("html", full_report()))
    for table in root.iter("table"):
        assert table.find("caption").text
        assert all(header.get("scope") in {"col", "row"} for header in table.iter("th"))
    drawings = [part for part in root.iter("svg") if part.get("aria-hidden") is None]
    assert drawings
    for drawing in drawings:
        assert drawing.get("role") == "img"
        assert [part.tag for part in drawing][:2] == ["title", "desc"]
        assert all(texts_of(drawing, "title") + texts_of(drawing, "desc"))
    assert root.get("lang") == "en"
    levels = [int(part.tag[1]) for part in root.iter() if re.fullmatch("h[1-6]", part.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_the_table_of_cases_in_full():
    good = case_result("good", contracts=(), geometry=())
    root = page(good, case_result("bad", Verdict.FAIL))
    (table,) = [part for part in root.iter("table") if part.get("id") == "cases"]
    rows = [["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")]
    assert rows == [
        ["verdict", "case", "target", "place", "relative error", "rules"],
        ["✓ pass", "good/stride=2", "good", "good.yaml:7", "0.5", ""],
        ["✕ fail", "bad/stride=2", "bad", "bad.yaml:7", "0.5", "GV403 GV103 GV202 GV201"],
    ]
    assert [row.get("class") for row in table.iter("tr")] == [None, "v-pass", "v-fail"]
    buttons = [part.get("id") for part in root.iter("input") if part.get("type") == "radio"]
    assert buttons == ["show-all", "show-pass", "show-fail"]


def test_every_verdict_can_be_chosen_by_the_style_sheet():
    for verdict in Verdict:
        if verdict is not Verdict.EMPTY:
            rule = f":root:has(#show-{verdict}:checked) #cases tbody tr:not(.v-{verdict})"
            assert rule in STYLE


def test_cases_that_pass_are_folded_and_one_of_each_sort_that_does_not_is_not():
    cases = [case_result(f"bad{number}", Verdict.FAIL) for number in range(20)]
    root = page(case_result("good"), *cases, case_result("bad0", Verdict.FAIL))
    folds = [part for part in root.iter("details") if "case" in part.get("class", "").split()]
    assert [fold.get("open") is not None for fold in folds] == [True] * 12 + [False] * 10
    assert texts_of(root, "h2")[-3:] == ["21 cases to look at", "1 other case", "Rules"]


def test_the_map_of_a_sweep_links_to_the_worst_case_of_each_cell():
    cases = [
        replace(case_result("conv", verdict), id=f"conv/{number}", sweep={"stride": stride, "pad": 0, "K": number})
        for number, (stride, verdict) in enumerate(((1, Verdict.PASS), (1, Verdict.FAIL), (2, Verdict.SKIP)))
    ]
    root = page(*cases)
    (table,) = [part for part in root.iter("table") if part.get("class") == "heat"]
    assert [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")] == [
        ["stride ↓ pad →", "0"],
        ["1", "✕ fail0.5≠2 cases"],
        ["2", "– skip0.5≠"],
    ]
    assert [link.get("href") for link in table.iter("a")] == ["#case-2", "#case-3"]
    assert [cell.get("class") for cell in table.iter("td")] == ["h-fail", "h-skip"]


def test_the_legend_of_maps_has_the_marks_that_occur():
    case = replace(case_result("one"), sweep={"a": 1, "b": 2})
    marks = ["= size identity holds", "≠ size identity violated"]
    for made, shown in ((case, marks[1:]), (replace(case, geometry=()), [])):
        assert [text for text in texts_of(page(made, map_keys=("a", "b")), "li") if text in marks] == shown


def test_every_sweep_of_two_keys_has_a_map_and_one_of_one_key_where_it_is_asked_for():
    one = replace(case_result("one"), sweep={"stride": 1})
    two = replace(case_result("two"), sweep={"K": 3, "D": 1})
    captions = texts_of(page(one, two), "caption")
    assert [text for text in captions if "worst verdict" in text] == [
        "two: K by D, worst verdict and relative error of each cell"
    ]
    captions = texts_of(page(one, two, map_keys=("stride",)), "caption")
    assert [text.split(",")[0] for text in captions if "worst verdict" in text] == ["one: stride", "two: K by D"]


def test_problems_are_listed_where_nothing_was_run():
    report = replace(report_of(), problems=full_report("mine.yaml").problems, exit_code=2)
    root = read_page(rendered("html", report))
    assert texts_of(root, "h2") == ["1 problem", "Rules"]
    (problems,) = [part for part in root.iter("ul") if part.get("class") == "findings"]
    (line,) = problems
    assert "".join(line.itertext()) == "mine.yaml:1:2 GV302 mine.yaml"
    assert not list(root.iter("table"))


def test_an_interrupted_run_says_so():
    root = page(case_result(), exit_code=130)
    assert "Interrupted: what follows had finished." in texts_of(root, "p")
    assert texts_of(root, "h1") == ["gradverify sweep ! interrupted"]
    assert texts_of(root, "title")[0] == "gradverify sweep: interrupted"


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (Window(7, 3, 2, (1, 1)), "✓ (4 − 1)·2 + 3 = 9 = 7 + 1 + 1"),
        (Window(224, 11, 4), "✕ (54 − 1)·4 + 11 = 223 ≠ 224 = 224 + 0 + 0, residual 1"),
        (Window(12, 3, 2, rounding=Rounding.CEIL), "✓ (6 − 1)·2 + 3 = 13 = 12 + 0 + 0 + 1 overhang"),
        (Window(28, 2, 2, transposed=True, output_padding=1), "✕ (28 − 1)·2 + 2 = 56 ≠ 57 = 57 + 0 + 0, residual 1"),
        (Window(9, 3, dilation=2), "✓ (5 − 1)·1 + 5 = 9 = 9 + 0 + 0"),
        (Window(2, 3), "no window fits"),
    ],
)
def test_the_identity_in_numbers(window, said):
    assert identity_in_numbers(measure("H", window)) == said


def test_drawings_that_are_alike_are_in_a_page_once():
    wide = {"geometry": (measure("H", Window(40, 3)),)}
    text = rendered("html", report_of(case_result("a", **wide), case_result("b", **wide)))
    assert len(boxes_of(read_page(text), "data")) == 1
    (name,) = re.findall(r'<use href="#([^"]+)"/>', text)
    assert text.count(f'<g id="{name}">') == 1


def test_a_page_of_many_cases_stays_small():
    gradients = tuple(replace(case_result().gradients[0], input=name) for name in ("x", "w", "b"))
    cases = [
        near(case_result(str(rows), gradients=gradients, geometry=(measure("H", Window(rows, 3, 2, (1, 1))),)))
        for rows in range(20, 120)
    ]
    assert len(rendered("html", report_of(*cases))) < 100 * 8_500


def test_rule_pages_are_shown_without_their_marks():
    shown = shown_page(
        "# GV1: title\n\nSome *`code`*, a [link](x.md).\n\n- one\n  two\n- three\n\n## Next\n\n```yaml\na: <b>\n```\n"
    )
    assert shown == (
        "<div><p>Some *<code>code</code>*, a link.</p><ul><li>one two</li><li>three</li></ul><h4>Next</h4>"
        '<pre tabindex="0"><code>a: &lt;b&gt;</code></pre></div>'
    )


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_text_and_lines_stand_out_in_both_schemes(scheme):
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")[:2]
    named = colours(light) if scheme == "light" else colours(light) | colours(dark.split("* {")[0])
    for ground in ("ground", "panel"):
        for ink in ("ink", "quiet", "link", "pass", "fail", "doubt", "error", "skip"):
            assert contrast(named[ink], named[ground]) >= 4.5, (ink, ground)
    for ground in ("pass-0", "pass-1", "pass-2", "pass-3", "fail-ground", "doubt-ground", "error-ground"):
        assert contrast(named["ink"], named[ground]) >= 4.5, ground
    for line in ("measured", "truncation", "roundoff", "allowed", "bar", "window", "unread", "padding-dot"):
        assert contrast(named[line], named["ground"]) >= 3, line
