"""The benchmark's own machinery, with real servers for two seconds; never how fast anything is."""

import json
import math
import os
import pathlib
import subprocess
import sys

import pytest

from bench.runtime import comparing, encoder, plan, plot, servers, texts
from bench.runtime.records import Key, Kind, Records
from bench.runtime.servers import Server
from tests.cluster import toolchain

ROOT = pathlib.Path(__file__).parents[2]
TINY = encoder.Shape(layers=1, hidden=8, heads=2, inner=16, vocabulary=32, positions=16)


@pytest.mark.skipif(toolchain.go() is None, reason="Go builds the load generator")
def test_both_servers_answer_and_nothing_is_left_behind(tmp_path: pathlib.Path) -> None:
    found = tmp_path / "found.json"

    done = subprocess.run(
        [sys.executable, "-m", "bench.runtime", "--quick", "--json", str(found)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    loads = {row["server"]: row for row in json.loads(found.read_text()) if row["kind"] == "load"}
    assert loads.keys() == {"slipway", "fastapi"}
    for row in loads.values():
        assert row["failed"] == 0
        assert row["rate"] > 1
        assert 0 < row["p50"] <= row["p99"] < 30_000
    assert _left_behind() == []


def _left_behind() -> list[str]:
    """The processes that were told of a model in the benchmark's own folder."""
    found = []
    for environ in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            words = environ.read_bytes()
        except OSError:
            continue
        if str(ROOT / ".bench" / "models").encode() in words and environ.parent.name != str(os.getpid()):
            found.append(environ.parent.name)
    return found


def test_the_texts_are_as_ragged_as_they_are_said_to_be() -> None:
    tokenizer = texts.tokenizer()
    lengths = sorted(len(tokenizer.encode(text).ids) for text in texts.texts())

    assert len(lengths) == texts.COUNT
    assert 37 <= sum(lengths) / len(lengths) <= 41
    assert 30 <= lengths[len(lengths) // 2] <= 34
    assert max(lengths) <= texts.MAX_TOKENS


def test_a_model_is_the_same_every_time_it_is_built() -> None:
    assert encoder.build(TINY).SerializeToString() == encoder.build(TINY).SerializeToString()


def test_equal_pairs_have_a_ratio_of_one() -> None:
    rates = {1: 100.0, 2: 50.0, 3: 80.0}

    assert comparing.ratio(rates, rates) == comparing.Interval(1.0, 1.0, 1.0, 3)


def test_only_rounds_in_which_both_were_measured_are_pairs() -> None:
    assert comparing.ratio({1: 30.0, 2: 99.0}, {1: 10.0, 3: 1.0}).median == 3.0


@pytest.mark.parametrize(
    ("low", "reached"),
    [(1.0, True), (0.98, True), (0.96, False)],
    ids=["certain", "within the slack", "too unsure"],
)
def test_a_goal_needs_the_median_and_most_of_the_interval(low: float, *, reached: bool) -> None:
    assert comparing.Interval(1.01, low, 1.1, 5).reaches(1.0) is reached


def test_after_the_first_round_the_fastest_configuration_of_each_kind_goes_on(
    tmp_path: pathlib.Path,
) -> None:
    records = Records(tmp_path / "records.jsonl")
    whole = plan.full(2)
    for point in whole.points:
        for server in whole.servers:
            rate = 200.0 if server.name in ("kserve-oip", "fastapi-inline") else 100.0 + server.default
            key = Key(Kind.LOAD, 1, point.model, server.name, point.connections)
            records.add(key, {"rate": rate, "p50": 1.0, "p99": 2.0, "failed": 0})

    names = {server.name for server in whole.servers_of(2, records)}

    assert names == {"slipway", "fastapi", "naive", "mlserver", "kserve-oip", "litserve", "bentoml"}


def test_a_run_that_was_cut_short_knows_what_it_has(tmp_path: pathlib.Path) -> None:
    file, key = tmp_path / "records.jsonl", Key(Kind.LOAD, 1, "base", "slipway", 8)
    Records(file).add(key, {"rate": 3.0})

    assert key in Records(file)
    assert Records(file).rates("base", "slipway", 8) == {1: 3.0}


@pytest.mark.parametrize("server", servers.SERVERS, ids=lambda server: server.name)
def test_every_server_has_a_lock_file_and_a_body_of_one_text(server: Server) -> None:
    assert server.lock().is_file()
    assert "--hash=sha256:" in server.lock().read_text()
    assert '"a text"' in server.body("a text")


@pytest.mark.parametrize("logarithmic", [False, True], ids=["linear", "logarithmic"])
def test_a_chart_stays_within_its_frame(*, logarithmic: bool) -> None:
    lines = {"ours": [10.0, 200.0], "theirs & others": [3.0, math.nan]}
    drawn = plot.draw(plot.Chart("Speed", "a second", [1, 64], lines, logarithmic=logarithmic))

    assert drawn.count("<circle") == 3
    assert "theirs &amp; others" in drawn
    assert "nan" not in drawn
