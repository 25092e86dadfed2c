"""Markdown: in full, read back by a parser with every name as it is, and no longer than its reader shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn_reports import TEXTS, UNHURRIED, reports
from hypothesis import example, given
from hypothesis import strategies as st
from made_reports import case_result, rendered, report_of
from markdown_it import MarkdownIt

from gradverify.problems import Problem, ProblemKind
from gradverify.reporters.findings import findings_of
from gradverify.reporters.markdown_text import code, fenced
from gradverify.reporters.words import printable
from gradverify.results import Condition, Network, NetworkLayer, Verdict

BARE = {"contracts": (), "gradients": (), "geometry": ()}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(token) -> str:
    """Return what a reader sees of a line; elements of HTML are not seen."""
    unseen = [part for part in token.children if part.type == "html_inline"]
    assert {part.content for part in unseen} <= {"<code>", "</code>"}
    seen = [part for part in token.children if part.type != "html_inline"]
    assert {part.type for part in seen} <= {"text", "code_inline"}
    return "".join(part.content for part in seen)


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a document: rows of cells as a reader sees them."""
    found: list[list[list[str]]] = []
    tokens = MARKDOWN.parse(text)
    for token, inner in zip(tokens, [*tokens, None][1:], strict=True):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in {"th_open", "td_open"}:
            found[-1][-1].append(shown(inner))
    return found


def blocks(text: str) -> list[str]:
    """Return what is written in fences."""
    return [token.content for token in MARKDOWN.parse(text) if token.type == "fence"]


def as_line(text: str) -> str:
    return printable(text).replace("\n", "\\n")


def test_a_report_in_full():
    good, skipped = case_result("good", **BARE), case_result("slow", Verdict.SKIP, spec="good.yaml", reason="not run")
    bad = case_result("bad_*", Verdict.FAIL, spec="good.yaml", contracts=(), geometry=(), reproduce="gradverify run a")
    condition = Condition(text="fails exactly when stride = 2", cases=4, name="bad_*", spec="good.yaml")
    assert rendered("markdown", report_of(good, bad, skipped, command="run", conditions=(condition,))) == GOLDEN


GOLDEN = """\
## FAIL: 1 pass, 1 fail, 1 skip in 1.50 s

gradverify 1.2.3, `run`, seed 5

| verdict | case | error | findings |
|---|---|---|---|
| FAIL | <code>bad&#95;&#42;/stride=2</code> | 0.5 | GV103 |

- <code>bad&#95;&#42;</code> <code>fails exactly when stride = 2</code> (4 cases)

<details><summary>FAIL <code>bad&#95;&#42;/stride=2</code></summary>

```text
good.yaml:7, bad_*
bad_*
dx (2x3) fail: because of bad_*
  worst entry [1, 2]
    analytic  -inf
    numerical 0.25
  largest relative error 0.5, absolute inf (6 compared)
  widest error bar nan
  geometry: the last row of bad_* is zero
reproduce: gradverify run a
```

</details>

<details><summary>1 passing case, 1 skipped</summary>

| verdict | case | error | findings |
|---|---|---|---|
| PASS | <code>good/stride=2</code> |  |  |
| SKIP | <code>slow/stride=2</code> |  | <code>not run</code> |

</details>
"""


@UNHURRIED
@given(TEXTS)
@example("</code><b>")
@example("<!-- a")
@example("a\\|b`` `c")
@example("&lt;[a](b)")
def test_any_text_stands_as_it_is_in_a_cell_a_line_and_a_summary(text):
    inside = f"| {code(text)} | b |"
    assert tables(f"| a | b |\n|---|---|\n{inside}\n") == [[["a", "b"], [as_line(text), "b"]]]
    paragraph = MARKDOWN.parse(f"- {code(text)} after")
    assert [shown(token) for token in paragraph if token.type == "inline"] == [f"{as_line(text)} after"]
    (block,) = MARKDOWN.parse(f"<details><summary>{code(text)}</summary>")
    assert block.type == "html_block"


@UNHURRIED
@given(st.text(st.sampled_from("`~ \n\t-ab"), max_size=30) | TEXTS)
@example("```\nout")
@example("a\n`````\n    ````` b")
def test_any_text_stands_as_it_is_in_a_fence_and_does_not_leave_it(text):
    tokens = MARKDOWN.parse(f"{fenced(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == f"{printable(text)}\n"


@pytest.mark.parametrize("text", ["@user", "#1", "http://a.b", "www.a.b", "WWW.a.b", "$a$", "~~a~~"])
def test_nothing_is_left_that_makes_a_link_or_a_formula(text):
    written = code(text).lower().replace("&#", "")
    assert not any(sign in written for sign in ("@", "#", "://", "www.", "$", "~"))


@UNHURRIED
@given(reports())
def test_any_report_is_read_back_with_every_case_worst_first(report):
    text = rendered("markdown", report)
    found = tables(text)
    many = len({case.spec for case in report.cases}) > 1
    names = [as_line(f"{case.spec}: {case.id}" if many else case.id) for case in report.cases]
    rows = [row for table in found for row in table[1:]]
    if report.problems:
        assert [row[2] for row in rows if len(row) == 3] == [
            as_line(message_of(problem)) for problem in report.problems
        ]
        return
    assert sorted(row[1] for row in rows) == sorted(names)
    order = [row[0] for row in rows]
    assert order == sorted(order, key=["FAIL", "INCONCLUSIVE", "ERROR", "PASS", "SKIP"].index)
    assert text.count("<details>") == text.count("</details>")


def message_of(problem):
    (found,) = findings_of(report_of(problems=(problem,)))
    return found.message


@UNHURRIED
@given(reports(most=8), st.integers(0, 6000))
@example(report_of(*[case_result("梯度" * 40, Verdict.FAIL)] * 20), 3000)
def test_it_is_never_longer_than_it_may_be_and_stays_valid(report, most):
    text = rendered("markdown", report, most_bytes=most)
    assert len(text.encode("utf-8", "backslashreplace")) <= most
    assert text.count("<details>") == text.count("</details>")
    assert all(len({len(row) for row in table}) == 1 for table in tables(text))
    whole = rendered("markdown", report)
    if len(whole.encode("utf-8", "backslashreplace")) <= most:
        assert text == whole


def test_passing_rows_are_left_out_first_then_explanations_and_that_is_said():
    cases = [case_result(f"c{place}", Verdict.FAIL if place < 5 else Verdict.PASS, spec="s") for place in range(60)]
    report = report_of(*cases, command="run")
    sizes = [len(rendered("markdown", report, most_bytes=most)) for most in (None, 6000, 2500, 700)]
    assert sizes == sorted(sizes, reverse=True)
    some, fewer, least = (rendered("markdown", report, most_bytes=most) for most in (6000, 2500, 700))
    assert (some.count("| FAIL"), len(blocks(some)), "cases left out here." in some) == (5, 5, True)
    assert (fewer.count("| FAIL"), fewer.count("| PASS")) == (5, 0)
    assert 0 < len(blocks(fewer)) < 5
    assert "explanations left out here." in fewer
    assert "55 cases left out here." in fewer
    assert (len(blocks(least)), "5 explanations left out here." in least) == (0, True)


def test_of_cases_that_pass_those_with_findings_come_first():
    clean, lost = case_result("clean", contracts=(), geometry=()), case_result("lost", contracts=())
    text = rendered("markdown", report_of(clean, lost))
    assert text.index("lost/stride=2") < text.index("clean/stride=2")


def test_cases_that_say_the_same_are_explained_once():
    cases = [case_result("c", Verdict.FAIL, id=f"c{place}", reproduce=f"run c{place}") for place in range(3)]
    text = rendered("markdown", report_of(*cases))
    (block,) = blocks(text)
    assert "FAIL <code>c0</code> and 2 more cases alike" in text
    assert block.endswith("reproduce: run c0\nthe same in 2 more cases:\n  run c1\n  run c2\n")


def test_the_map_of_a_sweep_is_a_table():
    cases = [
        replace(case_result(verdict=verdict, **BARE), sweep={"stride": stride, "padding": padding})
        for stride, padding, verdict in [(1, 0, Verdict.PASS), (1, 1, Verdict.FAIL), (2, 0, Verdict.SKIP)]
    ]
    text = rendered("markdown", report_of(*cases), map_keys=("stride", "padding"))
    assert tables(text)[1] == [["stride", "0", "1"], ["1", "pass", "FAIL"], ["2", "skip", ""]]
    assert "conv: stride down, padding across; verdict and worst relative error" in text


def test_networks_are_tables_with_what_is_noted_of_them():
    layers = (
        NetworkLayer(name="a|b", op="conv", case="n/a|b", receptive_field=(3, 3), total_stride=(2, 2), offset=(0, 0)),
        NetworkLayer(name="flat", op="flatten", input_shape=(1, 3, 2, 2), output_shape=(1, 12), notes=("is flat",)),
    )
    network = Network(id="n", spec="n.yaml", inputs=(("x", (1, 3, 7, 7)),), layers=layers)
    case = case_result("a|b", id="n/a|b", network="n", spec="n.yaml", contracts=(), gradients=())
    text = rendered("markdown", report_of(case, networks=(network,), command="audit"))
    head, first, *others, last = tables(text)[0]
    assert head == ["layer", "op", "axis", "size", "HH", "S", "P", "r", "identity", "field", "total S", "offset"]
    assert first[:4] == ["a|b", "conv", "H", "7 -> 2"]
    assert last[:4] == ["flat", "flatten", "", "3x2x2 -> 12"]
    assert len(others) == 1
    assert "n.yaml n: x 1x3x7x7" in text
    assert "- <code>flat is flat</code>" in text


def test_problems_come_with_their_places():
    problem = Problem("a.yaml", 3, 9, "unknown key 'nam'", ProblemKind.UNKNOWN_NAME)
    model = Problem("net.onnx", 0, 0, "is empty", ProblemKind.MODEL)
    text = rendered("markdown", report_of(problems=(problem, model), verdict=Verdict.ERROR, exit_code=2))
    assert text.startswith("## ERROR: 2 problems, nothing was run\n")
    assert tables(text) == [
        [
            ["rule", "place", "problem"],
            ["GV302", "a.yaml:3:9", "unknown key 'nam'"],
            ["GV908", "net.onnx", "is empty"],
        ]
    ]
