"""What docs/frameworks.md shows is what happens, where the framework is installed."""

from __future__ import annotations

import re

import pytest
from workplace import ROOT

PAGE = (ROOT / "docs/frameworks.md").read_text()
EXAMPLES = [section for section in PAGE.split("\n## ") if "```text" in section]
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?")


def without_numbers(text):
    return NUMBER.sub("#", text.strip()).splitlines()


def test_the_page_has_an_example_of_every_kind():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("section", EXAMPLES, ids=lambda section: section.partition("\n")[0].replace(" ", "-"))
def test_an_example_prints_what_the_page_says(section, workplace):
    framework = "jax" if "import jax" in section else "torch"
    pytest.importorskip(framework, reason=f"{framework} is not installed: pip install 'gradverify[{framework}]'")
    names = []
    for text, name in re.findall(r"```(?:python|yaml)\n(# (\S+)\n.*?)```", section, re.DOTALL):
        (workplace.path / name).write_text(text)
        names.append(name)
    ran = workplace.run("run", names[-1])
    assert ran.code == 1, ran.stderr
    printed = re.search(r"```text\n(.*?)```", section, re.DOTALL).group(1)
    assert without_numbers(ran.stdout) == without_numbers(printed)
