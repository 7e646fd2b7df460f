"""What to point at, unload and load next, as a table; and that any sequence of wishes is survived."""

import pathlib
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway_runtime.artifacts.location import FolderLocation
from slipway_runtime.failures import Reason
from slipway_runtime.versions import plan
from slipway_runtime.versions.plan import Failure, Situation
from slipway_runtime.versions.wanted import Wanted

NOW = 1000.0


def _versions(words: str) -> tuple[Wanted, ...]:
    """`a1 a2 b1`: name, version; a `'` behind it is the same version with other bytes."""
    return tuple(
        Wanted(
            name=word[0],
            version=word[1],
            location=FolderLocation(pathlib.Path("/bundles") / word[:2]),
            digest="f" * 64 if word.endswith("'") else None,
        )
        for word in words.split()
    )


def _words(versions: tuple[Wanted, ...]) -> str:
    return " ".join(
        f"{one.name}{one.version}{'*' if one.digest else ''}".replace("*", "'") for one in versions
    )


def _failed(*, ago: float, attempts: int = 1) -> Failure:
    return Failure(attempts, NOW - ago, Reason.DIGEST_MISMATCH, "other bytes", "model.onnx")


@dataclass(frozen=True, slots=True)
class Case:
    wanted: str
    loaded: str = ""
    latest: str = ""
    failed: dict[str, Failure] = field(default_factory=dict)
    pinned: str | None = None
    default: str = "a"
    then_latest: str = ""
    then_default: str = "a"
    unload: str = ""
    kept: str = ""
    load: str = ""
    wake_in: float | None = None


CASES = {
    "nothing wanted, nothing loaded": Case(wanted=""),
    "the first one of all is loaded": Case(wanted="a1", load="a1"),
    "the latest of each model first, in the order of the models": Case(wanted="a1 a2 b1", load="a2"),
    "then the latest of the next": Case(
        wanted="a1 a2 b1", loaded="a2", latest="a2", then_latest="a2", load="b1"
    ),
    "then the others": Case(
        wanted="a1 a2 b1", loaded="a2 b1", latest="a2 b1", then_latest="a2 b1", load="a1"
    ),
    "a successor is loaded beside the one that serves": Case(
        wanted="a2", loaded="a1", latest="a1", then_latest="a1", kept="a1", load="a2"
    ),
    "when it is loaded it takes over and the old one goes": Case(
        wanted="a2", loaded="a1 a2", latest="a1", then_latest="a2", unload="a1"
    ),
    "while it cannot be loaded the old one serves on": Case(
        wanted="a2",
        loaded="a1",
        latest="a1",
        failed={"a2": _failed(ago=1)},
        then_latest="a1",
        kept="a1",
        wake_in=4,
    ),
    "the old one does not give way to an older one that is still listed": Case(
        wanted="a1 a3", loaded="a1 a2", latest="a2", then_latest="a2", kept="a2", load="a3"
    ),
    "a version in between serves while the last one fails": Case(
        wanted="a1 a2 a3",
        loaded="a1 a2",
        latest="a1",
        failed={"a3": _failed(ago=1)},
        then_latest="a2",
        wake_in=4,
    ),
    "back to an older one that is still loaded: at once": Case(
        wanted="a2 a1", loaded="a1 a2", latest="a2", then_latest="a1"
    ),
    "a version that is not listed and does not serve last goes at once": Case(
        wanted="a3", loaded="a1 a2", latest="a2", then_latest="a2", unload="a1", kept="a2", load="a3"
    ),
    "other bytes under the same version are another one": Case(
        wanted="a1'", loaded="a1", latest="a1", then_latest="a1", kept="a1", load="a1'"
    ),
    "a model that is not listed any more goes": Case(
        wanted="a1", loaded="a1 b1", latest="a1 b1", then_latest="a1", unload="b1"
    ),
    "the last model stays": Case(wanted="", loaded="a1", latest="a1", then_latest="a1", kept="a1"),
    "of the last model its latest stays": Case(
        wanted="", loaded="a1 a2", latest="a2", then_latest="a2", unload="a1", kept="a2"
    ),
    "the default model stays until the next one serves": Case(
        wanted="b1", loaded="a1", latest="a1", then_latest="a1", kept="a1", load="b1"
    ),
    "then the next one is the default": Case(
        wanted="b1", loaded="a1 b1", latest="a1 b1", then_latest="b1", then_default="b", unload="a1"
    ),
    "a default model that is named stays the default and stays": Case(
        wanted="b1", loaded="a1 b1", latest="a1 b1", pinned="a", then_latest="a1 b1", kept="a1"
    ),
    "a failure whose time has come is tried again": Case(
        wanted="a1", failed={"a1": _failed(ago=5)}, load="a1"
    ),
    "its wait doubles": Case(wanted="a1", failed={"a1": _failed(ago=5, attempts=2)}, wake_in=5),
    "up to five minutes": Case(wanted="a1", failed={"a1": _failed(ago=0, attempts=1000)}, wake_in=300),
    "a failure does not hold up another version": Case(
        wanted="a1 a2", failed={"a2": _failed(ago=1)}, load="a1"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_done_next(case: Case) -> None:
    decided = plan.decide(
        Situation(
            wanted=_versions(case.wanted),
            loaded=_versions(case.loaded),
            failures={_versions(word)[0]: failure for word, failure in case.failed.items()},
            pinned=case.pinned,
            default=case.default,
            latest={one.name: one for one in _versions(case.latest)},
        ),
        NOW,
    )

    assert _words(tuple(decided.latest[name] for name in sorted(decided.latest))) == case.then_latest
    assert decided.default == case.then_default
    assert _words(decided.unload) == case.unload
    assert _words(decided.kept) == case.kept
    assert _words((decided.load,) if decided.load else ()) == case.load
    assert decided.wake_at == (None if case.wake_in is None else NOW + case.wake_in)


_WISHES = st.lists(st.sampled_from(["a1", "a2", "a3", "a1'", "b1", "b2", "c1"]), unique=True, max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    wishes=st.lists(_WISHES, min_size=1, max_size=5),
    broken=st.sets(st.sampled_from(["a2", "a3", "a1'", "b1", "c1"])),
)
def test_whatever_is_wished_and_whatever_is_broken_what_served_is_served_until_its_successor_serves(
    wishes: list[list[str]], broken: set[str]
) -> None:
    situation = Situation(wanted=_versions("a1"), loaded=(), default="a")
    situation = _settled(situation, broken)
    for wish in wishes:
        before = situation
        situation = _settled(replace(situation, wanted=_versions(" ".join(wish)), failures={}), broken)
        assert situation.default in situation.latest, "requests that name nothing must be answered"
        for name in {one.name for one in situation.wanted} & before.latest.keys():
            assert name in situation.latest, "a model that is still wanted must not vanish"
        good = [one for one in situation.wanted if _words((one,)) not in broken]
        assert set(good) <= set(situation.loaded)
        assert len(set(situation.loaded) - set(good)) <= len({one.name for one in situation.loaded})


def _settled(situation: Situation, broken: set[str]) -> Situation:
    """Carry plans out, one load at a time, until there is nothing left to do but to wait."""
    for _ in range(50):
        decided = plan.decide(situation, NOW)
        for name, one in decided.latest.items():
            assert one in situation.loaded
            assert one.name == name
        loaded = tuple(one for one in situation.loaded if one not in decided.unload)
        assert not set(decided.unload) & set(decided.latest.values()), "what requests get is not unloaded"
        failures = dict(situation.failures)
        if decided.load is not None and _words((decided.load,)) in broken:
            failures[decided.load] = _failed(ago=0)
        elif decided.load is not None:
            loaded = (*loaded, decided.load)
        after = replace(
            situation, loaded=loaded, failures=failures, default=decided.default, latest=decided.latest
        )
        if after == situation:
            return situation
        situation = after
    raise AssertionError("it never comes to rest")
