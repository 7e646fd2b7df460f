"""A process is known by its id and its start; it ends when told, and is killed when it does not."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.local import processes
from tests.cluster.local.processes import Process
from tests.cluster.local.waiting import until


def test_a_program_with_a_confusing_name_is_observed(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        observed = processes.observe("sleep", child.pid)
        assert observed is not None
        assert observed.alive
        child.kill()


def test_one_that_ended_without_being_waited_for_is_gone() -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.observe("true", child.pid) is None
    child.wait()


def test_a_spawned_program_leads_its_own_session_and_writes_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log" / "one.log"
    process = processes.spawn("one", ["sh", "-c", "echo out; echo err >&2; sleep 60"], log)
    until(lambda: log.read_text() == "out\nerr\n", 5, "it has written", [process], tmp_path)
    assert os.getsid(process.pid) == process.pid
    processes.end([process], grace=1)
    assert not process.alive


def test_a_spawned_program_does_not_inherit_the_callers_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
    log = tmp_path / "env.log"
    process = processes.spawn("env", ["sh", "-c", "env; echo END; sleep 60"], log)
    until(lambda: "END" in log.read_text(), 5, "it has written", [process], tmp_path)
    processes.end([process], grace=0)
    assert "PROXY" not in log.read_text()


def test_one_that_ignores_the_request_is_killed_after_the_grace(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"
    deaf = processes.spawn("deaf", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], log)
    until(lambda: "ready" in log.read_text(), 5, "it is ready", [deaf], tmp_path)
    began = time.monotonic()
    processes.end([deaf], grace=0.3)
    assert 0.3 <= time.monotonic() - began < 5
    assert not deaf.alive


def test_one_that_has_ended_already_is_left_in_peace(tmp_path: Path) -> None:
    process = processes.spawn("brief", ["sleep", "60"], tmp_path / "brief.log")
    os.kill(process.pid, signal.SIGKILL)
    processes.end([process], grace=5)
    processes.end([process], grace=5)


def test_waiting_ends_early_with_the_last_words_of_a_program_that_ended(tmp_path: Path) -> None:
    process = processes.spawn(
        "talker", ["sh", "-c", "echo the port is taken; sleep 0.3; exit 1"], tmp_path / "talker.log"
    )
    with pytest.raises(ClusterError, match=r"talker has ended by itself(.|\n)*the port is taken"):
        until(lambda: False, 30, "never", [process], tmp_path)


def test_waiting_gives_up_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"Waited 0\.1 s in vain until pigs fly\."):
        until(lambda: False, 0.1, "pigs fly", [], tmp_path)


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = [Process("kubelet", 12, 3456, "boot"), Process("etcd", 13, 3457, "boot")]
    processes.save(tmp_path / "record.json", processes.dump(saved))
    assert processes.load(tmp_path / "record.json") == saved


@pytest.mark.parametrize("content", ["", "[", "{}", '[{"pid": 1}]', "[1]"])
def test_a_torn_or_foreign_record_is_empty(tmp_path: Path, content: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(content)
    assert processes.load(file) == []
