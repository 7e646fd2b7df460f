"""No byte of a model is ever unpickled: watched from inside the interpreter, by its own audit events."""

import os
import pathlib

from tests.runtime import processes

# Python runs a module of this name at its start, before anything of the runtime.
_WATCH = """
import sys

def watch(event, arguments):
    if event == "pickle.find_class":
        print("audit", event, flush=True)

sys.addaudithook(watch)
"""


def test_serving_a_model_unpickles_nothing(tmp_path: pathlib.Path, bundle: pathlib.Path) -> None:
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(_WATCH)
    runtime = processes.ROOT / "runtime"
    path = os.pathsep.join(map(str, (tmp_path / "watch", runtime)))

    with processes.running(tmp_path / "run", bundle, PYTHONPATH=path) as process:
        assert process.predict("good", "bad").status_code == 200
        process.terminate()
        process.wait_for_end()

    assert [entry for entry in process.log if entry["message"].startswith("audit")] == []


def test_the_watch_sees_what_it_should(tmp_path: pathlib.Path) -> None:
    unpickle = "\nimport pickle; pickle.loads(b'cposix\\ngetpid\\n.')\n"
    (tmp_path / "sitecustomize.py").write_text(_WATCH + unpickle)

    with processes.starting(
        tmp_path / "run", PYTHONPATH=f"{tmp_path}{os.pathsep}{processes.ROOT / 'runtime'}"
    ) as process:
        process.wait_for_end()

    assert "audit pickle.find_class" in [entry["message"] for entry in process.log]
