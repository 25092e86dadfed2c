"""Calls as specs write them: what is read, what is refused, and that nothing is run."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradverify.spec.calls import Call, Entries, Items, Literal, Name, read_call
from gradverify.targets.arguments import arguments_of


@pytest.mark.parametrize(
    ("text", "module", "path", "arguments"),
    [
        ("layers:conv", "layers", "conv", None),
        ("pkg.layers:Conv.forward", "pkg.layers", "Conv.forward", None),
        ("layers/2-conv.py:conv_backward", "layers/2-conv.py", "conv_backward", None),
        ("forward", "", "forward", None),
        ("loss.backward", "", "loss.backward", None),
        ("m:f()", "m", "f", ()),
        ("m:f(x, w)", "m", "f", ((None, Name("x")), (None, Name("w")))),
        ("m:f(x, stride=2)", "m", "f", ((None, Name("x")), ("stride", Literal(2)))),
        ("m:f(-1.5, 'same', True, None)", "m", "f", tuple((None, Literal(v)) for v in (-1.5, "same", True, None))),
        ("m:f([x])", "m", "f", ((None, Items((Name("x"),), True)),)),
        ("m:f((2, x))", "m", "f", ((None, Items((Literal(2), Name("x")), False)),)),
        ("m:f({'W': w})", "m", "f", ((None, Entries((("W", Name("w")),))),)),
        ("backward(self.output, y)", "", "backward", ((None, Name("self.output")), (None, Name("y")))),
        ("f(self.layers[0].mask)", "", "f", ((None, Name("self.layers[0].mask")),)),
        ("m:f('a:b(c')", "m", "f", ((None, Literal("a:b(c")),)),
        ("m : f ( x )", "m", "f", ((None, Name("x")),)),
    ],
)  # fmt: skip
def test_calls_are_read(text, module, path, arguments):
    call = read_call(text)
    assert call == Call(module, path, arguments)
    assert pickle.loads(pickle.dumps(call)) == call  # noqa: S301  of our own making
    assert str(call) == (f"{module}:{path}" if module else path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected module:name"),
        ("a:b:c", "expected module:name"),
        ("m:", "expected module:name"),
        (":f", "expected module:name"),
        ("m:2f", "'2f' is no name"),
        ("m:f.", "'f.' is no name"),
        ("my-layers:f", "'my-layers' is neither a module nor the path of a .py file"),
        ("m:f(", "its parentheses are not closed"),
        ("m:f(x", "its parentheses are not closed"),
        ("m:f(x))", "no arguments that Python could read"),
        ("m:f(x)(y)", "expected one call and nothing behind it"),
        ("m:f(x).shape", "expected one call and nothing behind it"),
        ("m:f(**x)", "** is not read"),
        ("m:f(*x)", "'*x' is neither a name nor a plain value"),
        ("m:f(x + 1)", "'x + 1' is neither a name nor a plain value"),
        ("m:f(g(x))", "'g(x)' is neither a name nor a plain value"),
        ("m:f(x.shape)", "'x.shape' is neither a name nor a plain value"),
        ("m:f({1: x})", "a key of a dictionary is no text"),
        ("m:f({**x})", "a key of a dictionary is no text"),
        ("m:f(" + "[" * 500 + "]" * 500 + ")", "no arguments that Python could read"),
    ],
)
def test_what_is_no_call_says_why(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        read_call(text)


def test_names_and_lengths():
    call = read_call("m:f(x, [D, {'k': y}], shape=(N, D), z='x')")
    assert call.names == ("x", "D", "y", "N")
    bound = call.bound({"D": 3, "N": 4})
    assert bound.names == ("x", "y")
    assert bound == read_call("m:f(x, [3, {'k': y}], shape=(4, 3), z='x')")
    assert read_call("backward(self.out, dout)").names == ("self", "dout")
    assert read_call("m:f").bound({"D": 3}) == read_call("m:f")


def test_files_are_located_and_modules_are_not(tmp_path):
    located = read_call("a/b.py:f").located(str(tmp_path))
    assert (located.module, str(located)) == (str(tmp_path / "a/b.py"), "a/b.py:f")
    assert read_call("a.b:f").located(str(tmp_path)).module == "a.b"


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        call = read_call(text)
    except ValueError:
        return
    assert call.path


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=3))
def test_plain_values_come_back_as_they_were_written(values):
    call = read_call(f"m:f({', '.join(map(repr, values))})")
    positional, named = arguments_of(call.arguments, {})
    assert (positional, named) == (values, {})
    assert [type(value) for value in positional] == [type(value) for value in values]
