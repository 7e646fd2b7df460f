"""What MLflow lays beside a model and no runtime needs: recipes to rebuild Python environments, examples.

Knows names only.
"""

from collections.abc import Sequence

from slipway_runtime.artifacts.source import Item

_MARK = "MLmodel"
_NAMES = frozenset(
    {
        _MARK,
        "conda.yaml",
        "environment_variables.txt",
        "input_example.json",
        "python_env.yaml",
        "registered_model_meta",
        "requirements.txt",
        "serving_input_example.json",
    }
)
_FOLDER = "metadata/"  # copies of the same, written by MLflow 2


def without(items: Sequence[Item]) -> list[Item]:
    """The files of the bundle. In a folder that MLflow did not write, all of them are."""
    if _MARK not in {item.name for item in items}:
        return list(items)
    return [item for item in items if item.name not in _NAMES and not item.name.startswith(_FOLDER)]
