"""Completion in bash, zsh and fish, in place of click's own: ids have spaces, ``=``, ``:`` and commas.

click's bash script takes the words as readline breaks them, also at ``=`` and ``:``, its fish script ends a value at
the first comma, and none of them completes the value in ``--case=...``. These scripts send the line as it was typed
and get lines ``kind<TAB>value<TAB>meaning``; a value is quoted for the shell here where the shell does not do it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, shell_complete

if TYPE_CHECKING:
    import click

__all__ = ["complete"]

_BASH = """\
%(complete_func)s() {
    local kind value meaning
    COMPREPLY=()
    while IFS=$'\\t' read -r kind value meaning; do
        COMPREPLY+=("$value")
        if [[ $kind == part ]]; then compopt -o nospace; fi
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""
_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local kind value meaning
    local -a whole said parts
    while IFS=$'\\t' read -r kind value meaning; do
        if [[ $kind == part ]]; then
            parts+=("$value")
        else
            whole+=("$value")
            said+=("$value${meaning:+  -- $meaning}")
        fi
    done < <(env COMP_LINE="${words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX" \
%(complete_var)s=zsh_complete "${(Q)words[1]}" 2>/dev/null)
    compadd -V whole -l -d said -a -- whole
    compadd -V parts -S '' -a -- parts
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = """\
function %(complete_func)s
    set -l line (commandline -cp | string collect)
    env COMP_LINE=$line %(complete_var)s=fish_complete (commandline -opc)[1] 2>/dev/null
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

# Characters that mean something to bash, outside of quotes and within double ones.
_SPECIAL = " \t!\"#$&'()*;<>?[\\]^`{|}"
_SPECIAL_QUOTED = '"$\\`'


@dataclass(frozen=True, slots=True)
class Typed:
    """A line up to the cursor, as a shell reads it.

    Attributes
    ----------
    words
        The words, without quotes; the last one is not finished and may be empty.
    start
        How much of the last one lies before what readline replaces.
    quote
        The quote that is open, or nothing.
    """

    words: tuple[str, ...]
    start: int = 0
    quote: str = ""

    @property
    def incomplete(self) -> str:
        """The word to complete."""
        return self.words[-1]


def read_line(line: str, breaks: str = "") -> Typed:
    """Read a line up to the cursor.

    Parameters
    ----------
    line
        As typed.
    breaks
        Characters at which readline begins a word anew, beside those that end a word of the shell.
    """
    words, word, start, quote, begun = [], "", 0, "", False
    signs = iter(line)
    for sign in signs:
        if sign == "\\" and quote != "'":
            word += next(signs, "")
        elif quote:
            quote, word = ("", word) if sign == quote else (quote, word + sign)
        elif sign in "'\"":
            quote, start = sign, len(word)
        elif sign in " \t\n":
            words += [word] if begun else []
            word, start, begun = "", 0, False
            continue
        else:
            word += sign
            start = len(word) if sign in breaks else start
        begun = True
    return Typed((*words, word), start, quote)


class _Complete(ShellComplete):
    """What the shells have in common."""

    @property
    def typed(self) -> Typed:
        """The line that the shell sent."""
        return read_line(os.environ.get("COMP_LINE", ""))

    def get_completion_args(self) -> tuple[list[str], str]:
        typed = self.typed
        return list(typed.words[1:-1]), typed.incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return what may stand there; with the option in front in ``--case=...``, which shells replace as well."""
        found = super().get_completions(args, incomplete)
        name, separator, _ = incomplete.partition("=")
        if not (separator and name.startswith("--")):
            return found
        return [CompletionItem(f"{name}={item.value}", type=item.type, help=item.help) for item in found]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return f"{item.type}\t{item.value}\t{' '.join((item.help or '').split())}".rstrip("\t")


@add_completion_class
class Bash(_Complete):
    """bash, where readline replaces what lies behind the last break, and inserts it as it is."""

    name = "bash"
    source_template = _BASH

    @property
    def typed(self) -> Typed:
        """The line, with the breaks that are in force; bash breaks at quotes and blanks by itself."""
        return read_line(os.environ.get("COMP_LINE", ""), os.environ.get("COMP_BREAKS", "=:"))

    def format_completion(self, item: CompletionItem[str]) -> str:
        typed = self.typed
        special = {"": _SPECIAL, '"': _SPECIAL_QUOTED}.get(typed.quote, "")
        rest = item.value[typed.start :]
        return f"{item.type}\t{''.join(chr(92) * (sign in special) + sign for sign in rest)}"


@add_completion_class
class Zsh(_Complete):
    """zsh, which quotes by itself."""

    name = "zsh"
    source_template = _ZSH


@add_completion_class
class Fish(_Complete):
    """fish, which quotes by itself, and wants value and meaning alone."""

    name = "fish"
    source_template = _FISH

    def format_completion(self, item: CompletionItem[str]) -> str:
        return super().format_completion(item).partition("\t")[2]


def complete(cli: click.Command, variable: str) -> int:
    """Answer a shell, and return the exit code; whatever happens, nothing else is printed.

    Parameters
    ----------
    cli
        The command line.
    variable
        What the shell sets, by click's protocol: to ``SHELL_source`` for the script, or to ``SHELL_complete``.
    """
    try:
        return shell_complete(cli, {}, "gradverify", variable, os.environ[variable])
    except Exception:  # noqa: BLE001  a traceback would land in the line that somebody types
        return 1
