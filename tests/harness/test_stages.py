"""Every step is shown with its time and logged, so that a second run can be shown to build nothing."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster import stages
from tests.cluster.stages import stage


def test_a_stage_is_shown_and_logged_with_its_kind_and_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "new" / "stages.jsonl"
    with stage("build [everything]", kind="build", log=log):
        pass
    (entry,) = _entries(log)
    assert (entry["name"], entry["kind"], entry["failed"]) == ("build [everything]", "build", False)
    assert isinstance(entry["seconds"], float)
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "… build [everything]"
    assert shown[1].startswith("✓ build [everything] 0.0 s")


def test_a_stage_that_fails_says_so_and_lets_the_failure_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "stages.jsonl"
    with pytest.raises(ValueError, match="broken"), stage("start", log=log):
        raise ValueError("broken")
    assert [entry["failed"] for entry in _entries(log)] == [True]
    assert "✗ start" in capsys.readouterr().err


def test_a_long_stage_says_how_far_it_is_once_in_a_while(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage("watch", log=tmp_path / "stages.jsonl") as tell:
        tell("1 of 3 [min]")
        tell("2 of 3 [min]")
        monkeypatch.setattr(stages, "EVERY", 0.0)
        tell("3 of 3 [min]")
    shown = capsys.readouterr().err.splitlines()
    assert shown[:-1] == ["… watch", "  watch: 1 of 3 [min]", "  watch: 3 of 3 [min]"]


def test_nested_and_parallel_stages_are_each_one_whole_line(tmp_path: Path) -> None:
    log = tmp_path / "stages.jsonl"

    def work(number: int) -> None:
        with stage(f"outer {number}", log=log), stage(f"inner {number}", log=log):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert len(_entries(log)) == 80


def _entries(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]
