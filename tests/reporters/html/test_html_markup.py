"""Elements: whatever comes from elsewhere is text, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import element

from gradverify.reporters.html.markup import Markup, joined, measure, tag, text
from gradverify.reporters.words import printable


@given(words=st.text())
def test_text_and_attributes_are_read_back_as_they_were_but_for_control_characters(words):
    read = element(tag("p", words, title=words, data_more=words))
    assert (read.text or "") == printable(words)
    assert read.get("title") == printable(words).replace("\n", " ")  # as XML has it; HTML keeps it
    assert len(read) == 0
    assert set(read.attrib) == {"title", "data-more"}


def test_elements_in_full():
    assert tag("p", "a<b", tag("b", "c"), None, class_="x") == '<p class="x">a&lt;b<b>c</b></p>'
    assert tag("input", type="radio", checked=True, disabled=False, value=None) == '<input type="radio" checked=""/>'
    assert tag("path", d="M0 0", stroke_dasharray="1 2") == '<path d="M0 0" stroke-dasharray="1 2"/>'
    assert tag("rect", x=1.25, y=-0.01, width=3) == '<rect x="1.2" y="0" width="3"/>'


def test_markup_is_not_escaped_again_and_text_is_not_markup():
    once = text("<")
    assert text(once) == joined([once]) == "&lt;"
    assert isinstance(once, Markup)
    assert not isinstance(printable("a"), Markup)


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (2.0, "2"), (2.04, "2"), (-1.06, "-1.1"), (-0.04, "0")])
def test_coordinates_are_short(value, shown):
    assert measure(value) == shown
