"""How much memory there is, and who takes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradverify.execution import memory
from gradverify.execution.memory import share, usage

MIB = 2**20


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make up a machine of 10 000 MiB, with control groups."""

    def make(groups="", **limits):
        for name, text in limits.items():
            file = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (tmp_path / "cgroup").write_text(groups)
        monkeypatch.setattr(memory, "_physical", lambda: 10_000 * MIB)
        monkeypatch.setattr(memory, "_GROUPS", tmp_path)
        monkeypatch.setattr(memory, "_MEMBERSHIP", tmp_path / "cgroup")

    return make


def test_without_groups_it_is_the_machine(machine):
    machine()
    assert (share(1), share(4)) == (8000, 2000)


@pytest.mark.parametrize("where", ["a__b__memory_dot_max", "a__memory_dot_max", "memory_dot_max"])
def test_the_lowest_limit_of_a_group_or_those_around_it_counts(machine, where):
    machine("0::/a/b\n", **{"a__b__memory_dot_max": "max\n"} | {where: f"{1000 * MIB}\n"})
    assert share(2) == 400


def test_groups_of_the_first_version(machine):
    machine(
        "9:name=systemd:/\n4:memory,cpu:/a\n0::/\n",
        memory__a__memory_dot_limit_in_bytes=f"{500 * MIB}\n",
        memory__memory_dot_limit_in_bytes="9223372036854771712\n",
    )
    assert share(1) == 400


def test_a_group_above_the_machine_changes_nothing(machine):
    machine("0::/\n", memory_dot_max="9223372036854771712\n")
    assert share(1) == 8000


def test_where_nothing_is_known_there_is_no_limit(machine, monkeypatch):
    machine()
    monkeypatch.setattr(memory, "_physical", lambda: 0)
    monkeypatch.setattr(memory, "_MEMBERSHIP", Path("/nowhere"))
    assert share(1) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_family_is_counted_with_what_it_shares_once():
    source = (
        "import os, sys, time\n"
        "kept = bytearray(os.urandom(1)) * (200 * 2**20)\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(60)\n"
        "print(flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        assert usage(process.pid, 10_000) > 600
        assert 190 < usage(process.pid, 100) < 300
        os.killpg(process.pid, 9)
    assert usage(process.pid, 1) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no limit on data")
@pytest.mark.parametrize("lowered", [False, True])
def test_a_limit_ends_with_its_job_even_where_the_job_lowered_it(lowered):
    source = (
        "import resource\n"
        "from gradverify.execution.limit import limited\n"
        "data = resource.RLIMIT_DATA\n"
        "with limited(500):\n"
        "    print(resource.getrlimit(data)[0])\n"
        f"    if {lowered}: resource.setrlimit(data, (2**28, 2**29))\n"
        "print(*resource.getrlimit(data))\n"
    )
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    after = f"{2**28} {2**29}" if lowered else "-1 -1"
    assert ran.stdout.splitlines() == [str(500 * MIB), after]
