"""A build is lent the machine's ways to packages, and no other setting of a person's pip."""

import configparser

import pytest

from tests.cluster import pip_settings


@pytest.mark.parametrize(
    ("listing", "settings"),
    [
        pytest.param("", {}, id="nothing is set"),
        pytest.param(
            "global.index-url='https://packages.test/'", {"index-url": "https://packages.test/"}, id="a file"
        ),
        pytest.param(":env:.cert='/c.pem'", {"cert": "/c.pem"}, id="the environment"),
        pytest.param(
            ":env:.cert='/env.pem'\nglobal.cert='/file.pem'", {"cert": "/env.pem"}, id="the environment wins"
        ),
        pytest.param(
            "install.user='true'\nglobal.cache-dir='/c'", {}, id="settings that would misplace packages"
        ),
        pytest.param("Configuration file: none\n\n", {}, id="lines that set nothing"),
    ],
)
def test_only_where_packages_come_from_is_lent(listing: str, settings: dict[str, str]) -> None:
    assert pip_settings.parse(listing) == settings


def test_a_value_of_several_lines_survives() -> None:
    text = pip_settings.render({"find-links": "/one\n/two", "timeout": "9"})
    read = configparser.RawConfigParser()
    read.read_string(text)
    assert read["global"]["find-links"].split() == ["/one", "/two"]
    assert read["global"]["timeout"] == "9"
