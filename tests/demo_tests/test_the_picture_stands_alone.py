"""The recorded picture: the moment that tells most, in a file that fetches nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from tests.demo import picture
from tests.demo.snapshot import Facts, Snapshot
from tests.demo_tests import scenes


def test_it_names_no_host_and_no_font_to_fetch() -> None:
    drawn = picture.draw(scenes.rollout())
    assert set(re.findall(r"https?://[^\"' )]*", drawn)) == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in drawn
    assert "url(" not in drawn.replace("url(#", "")


def test_it_is_an_image_with_the_text_of_the_view() -> None:
    root = ElementTree.fromstring(picture.draw(scenes.rollout()))  # noqa: S314 - drawn here
    text = " ".join("".join(root.itertext()).replace("\xa0", " ").split())
    assert "0 FAILED" in text
    assert "version 1 drains and leaves" in text


def test_the_moment_kept_is_the_latest_at_which_both_versions_answer(tmp_path: Path) -> None:
    alone = Snapshot(scenes.steps(8), Facts(traffic=scenes.traffic({"1": 10})))
    early, late = scenes.rollout(), replace(scenes.rollout(), steps=scenes.steps(6))
    shown = iter([early, late, alone])
    film = picture.Film(lambda: next(shown))
    for _ in range(3):
        film.show()
    film.save(tmp_path / "new" / "demo.svg")
    assert (tmp_path / "new" / "demo.svg").read_text() == picture.draw(late)
