"""The models file: what it may say, and how it says what is wrong."""

import asyncio
import pathlib

import pytest

from slipway_runtime.artifacts.location import S3Location
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.versions import models_file, watching
from tests.runtime.models_files import ModelsFile

ONE = "{name: sentiment, version: '1', uri: 's3://models/sentiment/1'"

CASES = {
    "not YAML": ("models: [", "it is not YAML: while parsing"),
    "a tag that would make an object": ("!!python/object/apply:os.system [id]", "it is not YAML"),
    "an empty file": ("", "Input should be a valid dictionary"),
    "no list": ("model: []", "models: Field required"),
    "a list of nothing known": ("models: [sentiment]", "models.0: Input should be a valid dictionary"),
    "a key that is not known": (
        f"models: [{ONE}, digest: abc}}]",
        "models.0.digest: Extra inputs are not permitted",
    ),
    "a version without quotes": (
        "models: [{name: sentiment, version: 1.10, uri: 's3://models/a'}]",
        "models.0.version: Input should be a valid string (it is '1.1'): write it in quotes",
    ),
    "a name that would not fit into a path": (
        "models: [{name: a/b, version: '1', uri: 's3://models/a'}]",
        "models.0.name: String should match pattern",
    ),
    "half a digest": (f"models: [{ONE}, sha256: abc}}]", "models.0.sha256: String should match pattern"),
    "a scheme that is not known": (
        "models: [{name: a, version: '1', uri: 'http://models/a'}]",
        "models.0.uri: 'http://models/a' is neither s3://",
    ),
    "the same version twice": (f"models: [{ONE}}}, {ONE}}}]", "version '1' of 'sentiment' is listed 2 times"),
    "more models than anybody has": (f"models: [{', '.join([ONE + '}'] * 65)}]", "at most 64 items"),
    "lists in lists without an end": ("[" * 5000, "SLIPWAY_MODELS_FILE: it is not YAML"),
}


@pytest.mark.parametrize(("text", "says"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_said_with_its_place(text: str, says: str) -> None:
    with pytest.raises(StartupError) as caught:
        models_file.parse(text.encode())

    assert caught.value.reason is Reason.CONFIGURATION_INVALID
    assert caught.value.message.startswith("SLIPWAY_MODELS_FILE: ")
    assert says in caught.value.message


def test_what_it_lists_is_wanted_in_its_order() -> None:
    first, second = models_file.parse(
        b"""
        models:
          - {name: sentiment, version: "2", uri: s3://models/sentiment/2, sha256: %b}
          - name: sentiment
            version: "1"
            uri: s3://models/sentiment/1
            verificationExamples: [{text: good, label: positive, minScore: 0.9}]
        """
        % (b"a" * 64)
    )

    assert (str(first), first.digest) == ("version '2' of 'sentiment'", "a" * 64)
    assert first.location == S3Location(bucket="models", prefix="sentiment/2")
    assert [(one.text, one.label, one.least) for one in second.expectations] == [("good", "positive", 0.9)]


def test_every_content_is_seen_once_however_it_changes(tmp_path: pathlib.Path) -> None:
    file = ModelsFile(tmp_path / "mounted")

    async def see() -> list[bytes | str]:
        contents = watching.contents(file.path, interval=0.01, most=100)
        seen = [await anext(contents)]
        for text in ("one", "two", "one"):
            file.write_text(text)
            seen.append(await anext(contents))
        file.path.unlink()
        file.path.write_text("three, in place")
        seen.append(await anext(contents))
        file.path.write_text("x" * 1000)
        seen.append(await anext(contents))
        return seen

    missing, *seen, cut = asyncio.run(see())

    assert "cannot be read: No such file" in str(missing)
    assert seen == [b"one", b"two", b"one", b"three, in place"]
    assert len(cut) == 101
