"""A column a moment: the shares are right, the whole height is filled, and no failure is rounded away."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.demo import chart, palette
from tests.demo.snapshot import Moment

counts = st.integers(0, 1000)
moments = st.builds(
    Moment,
    answers=st.dictionaries(st.sampled_from(["1", "2", "3"]), counts, max_size=3),
    failed=st.integers(0, 1000),
    seconds=st.just(1.0),
)
VERSIONS = ["1", "2", "3"]
THREE_IN_ONE = Moment({"1": 300, "2": 450, "3": 200}, 50, 1.0)


@given(moments, st.integers(1, 12))
def test_a_column_is_filled_from_the_bottom_to_the_top(moment: Moment, height: int) -> None:
    tops = [top for top, _ in chart.stack(moment, VERSIONS, height * 8)]
    assert tops == sorted(tops)
    assert tops[0] >= 0
    assert tops[-1] == height * 8


@given(moments, st.integers(1, 12), st.booleans())
@example(moment=THREE_IN_ONE, height=1, solid=False).via("three colours in one character")
def test_a_failure_is_always_seen(moment: Moment, height: int, solid: bool) -> None:  # noqa: FBT001
    lines = chart.rows([moment], VERSIONS, width=60, height=height, solid=solid)
    styles = [str(span.style) for line in lines for span in line.spans]
    assert any(palette.FAILED in style for style in styles) == (moment.failed > 0)


@given(st.lists(moments, max_size=80), st.integers(20, 200), st.integers(1, 12), st.booleans())
def test_the_lines_have_the_size_that_was_asked_for(
    told: list[Moment],
    width: int,
    height: int,
    solid: bool,  # noqa: FBT001
) -> None:
    lines = chart.rows(told, VERSIONS, width=width, height=height, solid=solid)
    assert [len(line.plain) for line in lines] == [width] * height


def test_a_quarter_of_the_answers_is_a_quarter_of_the_column() -> None:
    moment = Moment({"1": 75, "2": 25}, 0, 1.0)
    assert chart.stack(moment, ["1", "2"], 32)[0] == (24, palette.VERSIONS[0])


def test_the_latest_moment_stands_at_the_right_edge() -> None:
    told = [Moment({"1": 10}, 0, 1.0)] * 9 + [Moment({"2": 10}, 0, 1.0)]
    (line,) = chart.rows(told, ["1", "2"], width=60, height=1)
    assert [(span.start, span.end, str(span.style)) for span in line.spans] == [
        (0, 50, f"on {palette.EMPTY}"),
        (50, 59, f"on {palette.VERSIONS[0]}"),
        (59, 60, f"on {palette.VERSIONS[1]}"),
    ]
