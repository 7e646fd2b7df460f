"""The operator's view of an InferenceModel, parsed at the edge from what the API server gives.

It checks what the CRD checks, with the same sentences, since an object may be older than a rule. What
takes more than the object itself (is the image allowed? is the name free?) is not known here.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from slipway_operator.api import labels
from slipway_operator.api.part import Part, matching, must
from slipway_operator.api.spec import Spec
from slipway_operator.api.status import Status

GROUP: Final = "slipway.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "InferenceModel"
PLURAL: Final = "inferencemodels"

_PROBLEMS_NAMED: Final = 5

Name = Annotated[
    str,
    must(
        matching(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?"),
        "metadata.name must be 1 to 40 lower-case letters, digits and '-', beginning with a letter and "
        "not ending with '-': a Service of that name is created",
    ),
]


class InvalidModel(Exception):  # noqa: N818 - it reads as what it says of the object
    """The object breaks a rule. The message names the field and the rule, and is fit for the status."""


class Metadata(Part):
    """The little of the metadata that matters to the operator."""

    name: Name
    namespace: str
    uid: str
    generation: Annotated[int, Field(ge=0)] = 0
    resource_version: str = ""
    deletion_timestamp: datetime | None = None
    annotations: Mapping[str, str] = {}


class InferenceModel(Part):
    """One model, as it stands in the cluster."""

    metadata: Metadata
    spec: Spec
    status: Status = Status()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> "InferenceModel":
        """The view of an object's body. Raises InvalidModel.

        A status that cannot be read counts as empty: it is output, and is about to be written anew.
        """
        wanted = {key: body.get(key) for key in ("metadata", "spec")}
        try:
            model = cls.model_validate_json(json.dumps(wanted))
        except ValidationError as error:
            raise InvalidModel(_sentence(error)) from None
        return model.model_copy(update={"status": Status.read(body.get("status"))})

    @property
    def name(self) -> str:
        """The model's name, which is the stable Service's too."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Where the model and all of its children live."""
        return self.metadata.namespace

    @property
    def approved(self) -> str:
        """The revision that the user has promoted by hand, or ''."""
        return self.metadata.annotations.get(labels.PROMOTE, "")

    @property
    def hands_off(self) -> bool:
        """Whether the user mends it by hand."""
        return self.metadata.annotations.get(labels.HANDS_OFF, "") == "true"

    @property
    def deleted(self) -> bool:
        """Whether its deletion has begun: the garbage collector takes the children, and nothing is made."""
        return self.metadata.deletion_timestamp is not None


def _sentence(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    named = [_problem(problem) for problem in problems[:_PROBLEMS_NAMED]]
    more = len(problems) - len(named)
    return "; ".join([*named, f"and {more} more"] if more else named)


def _problem(problem: ErrorDetails) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return f"{_path(problem['loc'])}: {problem['msg']}"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")
