"""The page in a real browser: read without a script, filtered by keyboard, told to assistive software, offline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from browser import chromium, open_page
from made_reports import case_result, rendered, report_of
from test_html_page import full_report

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium or Chrome on PATH")

VISIBLE = "[...document.querySelectorAll('#cases tbody tr')].filter(r => r.getClientRects().length).length"
HIGHEST = 20_000


@pytest.fixture(scope="module")
def browser():
    with open_page() as page:
        yield page


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("html") / "report.html"
    path.write_text(rendered("html", full_report("conv<b>")), encoding="utf-8")
    return path


def complaints(browser) -> list[dict]:
    """Return what the browser logged, and requests for anything but the file itself."""
    logged = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
    found = [event for event in browser.events if event.get("method") in logged]
    for event in browser.events:
        if event.get("method") == "Network.requestWillBeSent":
            url = event["params"]["request"]["url"]
            found += [] if url.startswith(("file:", "data:")) else [event]
    return found


@pytest.mark.parametrize("scripts", [False, True])
def test_nothing_is_complained_of_and_nothing_asked_for(browser, report, scripts):
    browser.open(report, scripts=scripts)
    assert complaints(browser) == []
    assert sum(event.get("method") == "Network.requestWillBeSent" for event in browser.events) <= 2  # with the icon


def test_everything_can_be_read_without_a_script(browser, report):
    browser.open(report, scripts=False)
    text = browser.value("document.body.innerText")
    assert "conv<b>/stride=2" in text
    assert browser.value("document.querySelectorAll('details.case').length") == 6
    assert browser.value("getComputedStyle(document.getElementById('searching')).display") == "none"
    # A link to a folded case unfolds it.
    fold = "document.getElementById('case-1').closest('details')"
    assert not browser.value(f"{fold}.open")
    browser.value("document.querySelector('#cases a[href=\"#case-1\"]').click()")
    assert browser.value(f"{fold}.open")


def test_verdicts_are_chosen_by_keyboard_without_a_script(browser, report):
    browser.open(report, scripts=False)
    assert browser.value(VISIBLE) == 6
    focused = "document.activeElement.id"
    for _ in range(40):
        if browser.value(focused) == "show-all":
            break
        browser.press("Tab", 9)
    assert browser.value(focused) == "show-all"
    browser.press("ArrowRight", 39)
    assert browser.value(focused) == "show-pass"
    assert browser.value(VISIBLE) == 2
    browser.press("ArrowRight", 39)
    assert (browser.value(focused), browser.value(VISIBLE)) == ("show-fail", 1)


def test_cases_are_searched_by_text_with_a_script(browser, report):
    browser.open(report)
    browser.value("document.getElementById('search').focus()")
    for sign in "conv<b>2":
        browser.press(sign, ord(sign.upper()))
    assert browser.value(VISIBLE) == 1
    assert browser.value("document.getElementById('found').textContent") == "1 of 6 cases"
    browser.value("document.getElementById('show-fail').click()")
    assert browser.value(VISIBLE) == 0


def test_assistive_software_is_told_of_regions_tables_headings_and_drawings(browser, report):
    browser.open(report)
    told = browser.tree()
    named = {(role, name.strip()) for role, name, _ in told}
    assert ("heading", "gradverify sweep ✕ fail") not in named  # a sign that is read aloud would be noise
    assert ("heading", "gradverify sweep fail") in named
    assert {("heading", "Cases"), ("group", "Show"), ("radio", "all 6"), ("searchbox", "Search")} <= named
    assert ("table", "Every case in the order of the report, its largest relative error and what was found") in named
    assert ("region", "Gradients in numbers") in named
    drawings = {(name, description) for role, name, description in told if role in {"img", "image"}}
    assert ("Step-size curve of dx[1, 2]", "Steps from 1.5e-08 to 0.5, errors from 1e-13.") in drawings
    assert ("Windows along H", "7 rows of padded input, 2 windows of 3 rows, 3 apart.") in drawings
    assert any(name.startswith("Errors of dx over") for name, _ in drawings)
    assert {"columnheader", "rowheader", "main"} <= {role for role, _, _ in told}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window_in_both_schemes(browser, report, width, dark):
    browser.open(report, width=width, dark=dark)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 22, 26)" if dark else "rgb(255, 255, 255)"
    )
    assert 0 < browser.value("document.documentElement.scrollHeight") < HIGHEST


def test_drawings_that_refer_to_folded_ones_are_drawn(browser, tmp_path):
    path = tmp_path / "shared.html"
    path.write_text(rendered("html", report_of(case_result("a"), case_result("b"))), encoding="utf-8")
    browser.open(path)
    browser.value("location.hash = '#case-2'")
    box = "(u => u && u.getBBox().width)(document.querySelector('#case-2 use'))"
    assert browser.value(box) > 100


def test_printing_unfolds_what_does_not_pass_and_leaves_out_the_filter(browser, report):
    browser.open(report)
    browser.value("document.querySelectorAll('details.case').forEach(d => { d.open = false; })")
    browser.look(width=1280, media="print")
    shown = "document.querySelector('details.case.v-fail .body').getClientRects().length"
    assert browser.value(shown) == 1
    assert browser.value("getComputedStyle(document.querySelector('.filter')).display") == "none"


@pytest.mark.parametrize("media", ["screen", "print"])
def test_ids_have_room_between_a_phone_and_a_desk(browser, tmp_path, media):
    path = tmp_path / "middle.html"
    case = replace(case_result("conv"), target="my_own_layers.convolution:backward_of_conv")
    path.write_text(rendered("html", report_of(case)), encoding="utf-8")
    browser.open(path, width=760)
    browser.look(width=760, media=media)
    assert browser.value("document.querySelector('#cases a').getClientRects().length") == 1


def test_a_wide_map_is_printed_whole(browser, tmp_path):
    path = tmp_path / "wide.html"
    cases = [replace(case_result("c"), id=f"c/{n}", sweep={"a": n // 16, "b": n % 16}) for n in range(32)]
    path.write_text(rendered("html", report_of(*cases), map_keys=("a", "b")), encoding="utf-8")
    browser.open(path, width=760)
    assert browser.value("document.querySelector('.heat').offsetWidth") > 760
    browser.look(width=760, media="print")
    assert browser.value("document.querySelector('.heat').offsetWidth") <= 760
