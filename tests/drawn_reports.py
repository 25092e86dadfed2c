"""Reports with any text in them, as Hypothesis draws it: names, reasons and files come from anywhere."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from made_reports import case_result, report_of

from gradverify.problems import Problem, ProblemKind
from gradverify.results import Cause, Verdict

# A report is long where cores are shared: what takes its time is not wrong.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
# Signs that some format gives a meaning, beside any other, lone surrogates among them.
SIGNS = st.one_of(st.characters(), st.sampled_from("\n\r\t\x00\x1b`|<>&\"'%:,#@*_[]()~\\\ud800\uffff\x85\u2028 "))
TEXTS = st.text(SIGNS, max_size=12)
VERDICTS = st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.EMPTY])
CASES = st.builds(
    lambda text, verdict, **changes: case_result(text, verdict, id=text, **changes),
    TEXTS,
    VERDICTS,
    spec=st.sampled_from(["a.yaml", "./b/c d.yaml"]) | TEXTS,
    line=st.integers(0, 9),
    column=st.integers(0, 9),
    reason=TEXTS,
    cause=st.sampled_from([None, *Cause]),
    reproduce=st.none() | TEXTS,
)
PROBLEMS = st.builds(
    Problem, st.just("a.yaml") | TEXTS, st.integers(0, 9), st.integers(0, 9), TEXTS, st.sampled_from(list(ProblemKind))
)


@st.composite
def reports(draw, most=4):
    """Draw a report of some cases, or one that says what is wrong with some files."""
    if draw(st.booleans()):
        return report_of(*draw(st.lists(CASES, max_size=most)), command=draw(st.sampled_from(["run", "audit"])))
    problems = tuple(draw(st.lists(PROBLEMS, min_size=1, max_size=most)))
    return report_of(problems=problems, verdict=Verdict.ERROR, exit_code=2)
