"""What shells complete: through click's protocol, and typed into the real ones."""

from __future__ import annotations

import os
import pty
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from hypothesis import given
from hypothesis import strategies as st

from gradverify.cli import shells
from gradverify.cli.main import _COMMANDS, COMPLETION, commands
from gradverify.cli.shells import Bash, Fish, Zsh, read_line
from gradverify.layers.registry import LAYERS
from gradverify.reporters import REPORTERS
from gradverify.rules import RULES

HOSTILE = "my case: a=b, $HOME 'x'"
SPEC = f"""\
cases:
  - name: conv
    layer: conv2d
    dims: {{K: 3}}
    inputs: {{x: [2, 3, 7, 7], w: [4, 3, K, K], b: [4]}}
    sweep: {{stride: [1, 2], padding: [0]}}
  - name: "{HOSTILE}"
    functions: {{forward: "m:f", backward: "m:b"}}
    inputs: {{x: [4, 5]}}
    params: {{options: {{mode: train}}}}
"""
IDS = ["conv/stride=1,padding=0", "conv/stride=2,padding=0", HOSTILE]
NETWORK = """\
cases:
  - name: net
    inputs: {x: [1, 3, 32, 32]}
    network: [{layer: conv2d, out_channels: 8, kernel_size: 3}, {layer: relu}, {layer: maxpool2d, kernel_size: 2}]
"""


@pytest.fixture
def place(workplace, monkeypatch):
    """Return a folder with specs, in which the tests stand."""
    monkeypatch.chdir(workplace.path)
    workplace.write("spec.yaml", SPEC)
    workplace.write("net.yaml", NETWORK)
    workplace.write("broken.yaml", "cases: [")
    workplace.write("sub/other spec.yml", SPEC)
    workplace.write("sub/.hidden.yaml", SPEC)
    workplace.write("sub/model.onnx", "")
    workplace.write("sub/notes.txt", "")
    return workplace


def completed(*words: str) -> list[str]:
    """Return what click completes the last word to, without any shell."""
    *args, incomplete = words
    found = ShellComplete(commands, {}, "gradverify", COMPLETION).get_completions(args, incomplete)
    return [item.value for item in found]


def test_commands_are_completed_with_their_line_of_help():
    found = ShellComplete(commands, {}, "gradverify", COMPLETION).get_completions([], "")
    assert {item.value: item.help for item in found} == {name: line for name, (_, line) in _COMMANDS.items()}
    assert completed("sc") == ["schema"]
    assert "--version" in completed("--")


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_option_of_a_command_is_completed(command):
    wanted = {name for option in commands.get_command(None, command).params for name in option.opts}
    assert {name for name in wanted if name.startswith("--")} <= set(completed(command, "--"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("run", "--dtype", "float"), ["float64", "float32", "float16"]),
        (("run", "--method", "c"), ["compressed", "certificate"]),
        (("audit", "--fail-on", ""), ["identity", "data-loss", "impossible", "never"]),
        (("run", "--format", ""), list(REPORTERS)),
        (("layers", ""), list(LAYERS)),
        (("init", "group"), ["groupnorm"]),
        (("explain", ""), list(RULES)),
        (("explain", "gv20"), ["GV201", "GV202", "GV203", "GV204"]),
        (("explain", "GV101", "stale"), ["stale-cache"]),
        (("explain", "Padding"), ["padding-unread"]),
        (("explain", "g"), list(RULES)),
        (("explain", "gap"), ["gap-between-windows"]),
        (("run", "--rtol", ""), []),
    ],
)
def test_values_are_completed(words, found):
    assert completed(*words) == found


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("run", ""), ["broken.yaml", "net.yaml", "spec.yaml", "sub/"]),
        (("run", "sub/"), ["sub/other spec.yml"]),
        (("run", "./su"), ["./sub/"]),
        (("run", "sub/."), ["sub/.hidden.yaml"]),
        (("run", "nowhere/"), []),
        (("run", "~nobody-of-this-name/"), []),
        (("audit", "sub/"), ["sub/model.onnx", "sub/other spec.yml"]),
        (("audit", "--baseline", "sub/n"), ["sub/notes.txt"]),
        (("run", "--format", "json=sub/n"), ["json=sub/notes.txt"]),
        (("run", "--save-failures", ""), ["sub/"]),
        (("init", "-o", "sub/no"), ["sub/notes.txt"]),
    ],
)
def test_files_are_completed(words, found):
    assert completed(*words) == found


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("option", ["--case", "-k"])
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("run", "spec.yaml"), IDS),
        (("run", "sub"), IDS),
        (("run", "--seed", "3", "spec.yaml", "--strict"), IDS),
        (("audit", "net.yaml", "sub/model.onnx"), ["net/conv2d-1", "net/maxpool2d-1"]),
        (("sweep", "spec.yaml", "--set", "stride=5"), ["conv/stride=5,padding=0", HOSTILE]),
        (("run", "broken.yaml", "spec.yaml"), []),
        (("run", "nowhere.yaml"), []),
        (("run",), []),
    ],
)
def test_ids_of_the_specs_on_the_line_are_completed(option, words, found):
    assert completed(*words, option, "") == found


@pytest.mark.usefixtures("place")
def test_ids_that_begin_so_are_completed():
    assert completed("run", "spec.yaml", "--case", "conv/stride=2") == IDS[1:2]


def test_many_ids_are_completed_part_by_part(place):
    place.write("many.yaml", SPEC.replace("[1, 2]", "1:300").replace("[0]", "[0, 1]"))
    assert completed("run", "many.yaml", "--case", "") == ["conv/", HOSTILE]
    assert completed("run", "many.yaml", "--case", "conv/")[:2] == ["conv/stride=1,", "conv/stride=2,"]
    alone = [f"conv/stride=299,padding={padding}" for padding in (0, 1)]
    assert completed("run", "many.yaml", "--case", "conv/stride=299") == alone


@pytest.mark.usefixtures("place")
def test_keys_of_settings_are_completed():
    keys = ["stride=", "padding=", "dilation=", "K=", "options=", "options.mode="]
    assert completed("sweep", "spec.yaml", "--set", "") == keys
    assert completed("sweep", "spec.yaml", "--set", "opt") == keys[4:]
    assert completed("sweep", "spec.yaml", "--set", "stride=") == []
    assert completed("sweep", "broken.yaml", "--set", "") == []


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("shell", [Bash, Zsh, Fish])
def test_the_option_in_front_of_a_value_is_kept(shell):
    found = shell(commands, {}, "gradverify", COMPLETION).get_completions(["run", "spec.yaml"], "--case=conv/stride=2")
    assert [item.value for item in found] == [f"--case={IDS[1]}"]
    alone = shell(commands, {}, "gradverify", COMPLETION).get_completions(
        ["run", "spec.yaml", "--case"], "conv/stride=2"
    )
    assert [item.value for item in alone] == [IDS[1]]


@pytest.mark.parametrize(
    ("line", "words", "start", "quote"),
    [
        ("gradverify", ("gradverify",), 0, ""),
        ("gradverify ", ("gradverify", ""), 0, ""),
        (r"run my\ ca", ("run", "my ca"), 0, ""),
        ("run 'my ca", ("run", "my ca"), 0, "'"),
        ('run --case="my ca', ("run", "--case=my ca"), 7, '"'),
        ("run 'a b' x=1:2", ("run", "a b", "x=1:2"), 4, ""),
        (r"run a\=b", ("run", "a=b"), 0, ""),
        ("run '' ", ("run", "", ""), 0, ""),
        ("run a\\", ("run", "a"), 0, ""),
    ],
)
def test_a_line_is_read_as_shells_read_it(line, words, start, quote):
    typed = read_line(line, "=:")
    assert (typed.words, typed.start, typed.quote) == (words, start, quote)


@given(st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1), min_size=1))
def test_what_python_quotes_is_read_back(words):
    assert read_line(shlex.join(words)).words == tuple(words)


# -- started as shells start it


def answer(place, kind: str, line: str = "", **more: str) -> subprocess.CompletedProcess:
    env = {**os.environ, COMPLETION: kind, "COMP_LINE": line, **more}
    command = [str(Path(sys.executable).with_name("gradverify"))]
    return subprocess.run(command, env=env, cwd=place.path, capture_output=True, text=True, timeout=60, check=False)


def test_a_name_with_blanks_and_signs_is_quoted_for_bash(place):
    done = answer(place, "bash_complete", "gradverify run spec.yaml --case m", COMP_BREAKS=" =:")
    assert (done.stdout, done.stderr) == ("plain\tmy\\ case:\\ a=b,\\ \\$HOME\\ \\'x\\'\n", "")
    quoted = answer(place, "bash_complete", 'gradverify run spec.yaml --case "m', COMP_BREAKS=" =:")
    assert quoted.stdout == "plain\tmy case: a=b, \\$HOME 'x'\n"


def test_meanings_stand_behind_values_where_shells_show_them(place):
    assert answer(place, "zsh_complete", "gradverify sch").stdout.startswith("plain\tschema\tPrint the JSON Schema")
    assert answer(place, "fish_complete", "gradverify sch").stdout.startswith("schema\tPrint the JSON Schema")


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("bash_complete", "gradverify run broken.yaml --case "),
        ("zsh_complete", "gradverify nothing --what "),
        ("fish_complete", ""),
        ("fish_complete", "'"),
        ("tcsh_source", "gradverify "),
        ("bash_nothing", "gradverify "),
        ("", "gradverify "),
    ],
)
def test_nothing_is_ever_said_into_a_line(kind, line, place):
    done = answer(place, kind, line)
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
    assert "Error" not in done.stdout


def test_an_error_of_completion_itself_is_silent(monkeypatch, capsys):
    monkeypatch.setenv(COMPLETION, "bash_complete")
    monkeypatch.setattr(shells, "read_line", lambda *_: 1 / 0)
    assert shells.complete(commands, COMPLETION) == 1
    assert capsys.readouterr() == ("", "")


# -- the real shells

# What is typed in front of the tab, what behind it, and the last word that comes of it.
TYPED = [
    ("gradverify sche", "", "schema"),
    ("gradverify run spec.yaml --case conv/stride=2", "", IDS[1]),
    ("gradverify run spec.yaml --case=conv/stride=2", "", f"--case={IDS[1]}"),
    ("gradverify run spec.yaml --case my", "", HOSTILE),
    ('gradverify run spec.yaml --case "my c', "", HOSTILE),
    (r"gradverify run spec.yaml --case my\ c", "", HOSTILE),
    ("gradverify sweep spec.yaml --set stri", "1:2", "stride=1:2"),
    ("gradverify run --format json=sub/no", "", "json=sub/notes.txt"),
    ("gradverify run su", "oth", "sub/oth"),
    ("gradverify run sub/oth", "", "sub/other spec.yml"),
    ("gradverify explain padding-un", "", "padding-unread"),
    ("gradverify run broken.yaml --case con", "", "con"),
]
# How each starts without settings, what loads the completion, and what writes down the last word of a command.
SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        'eval "$(_GRADVERIFY_COMPLETE=bash_source gradverify)"',
        "args() { printf '%s\\n' \"${@: -1}\" >> out; }",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        'bindkey -e; autoload -Uz compinit; compinit -u -D; eval "$(_GRADVERIFY_COMPLETE=zsh_source gradverify)"',
        'args() { print -r -- "${@[-1]}" >> out; }',
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "_GRADVERIFY_COMPLETE=fish_source gradverify | source",
        "function args; printf '%s\\n' $argv[-1] >> out; end",
    ),
}


def typed_into(command: list[str], text: str, folder: Path) -> str:
    """Type into a shell on a terminal of its own, and return what it showed."""
    ours, theirs = pty.openpty()
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
    }
    # fish takes a terminal for one only where it controls the session.
    command = ["setsid", "--ctty", "--wait", *command]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, process_group=0
    )
    os.close(theirs)
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(ours, 4096):
                shown.append(data)
        except OSError:  # the shell has ended
            return

    reader = threading.Thread(target=read)
    reader.start()
    os.write(ours, text.encode())
    try:
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        reader.join(5)
        os.close(ours)
    return b"".join(shown).decode(errors="replace")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_typed_into_a_real_shell(shell, place):
    command, *setup = SHELLS[shell]
    missing = [name for name in (command[0], "setsid") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    lines = [f"{front}\t{behind}\x01args " for front, behind, _ in TYPED]
    shown = typed_into(command, "\n".join((*setup, *lines, "exit\n")), place.path)
    words = (place.path / "out").read_text(encoding="utf-8").splitlines()
    assert words == [word for _, _, word in TYPED], shown
    assert "Traceback" not in shown
