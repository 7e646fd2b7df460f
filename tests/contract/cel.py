"""The CRD's rules, evaluated without a cluster.

cel-python has CEL's own functions only; of Kubernetes' libraries, what the rules use is added here. That
the rules mean the same to an API server is shown by test_refusals_by_apiserver.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import celpy

from tests.contract import crd

_ENVIRONMENT = celpy.Environment()


def broken(document: dict[str, Any]) -> list[str]:
    """The messages of the rules that a document breaks, defaults applied as the API server does."""
    whole = crd.schema()
    stored = crd.defaulted(whole, document)
    return [
        rule["message"]
        for node, value in crd.met(whole, stored)
        for rule in node.get("x-kubernetes-validations", [])
        if not _program(rule["rule"]).evaluate({"self": celpy.json_to_cel(value)})
    ]


@cache
def _program(expression: str) -> celpy.Runner:
    return _ENVIRONMENT.program(_ENVIRONMENT.compile(expression), functions={"sum": _sum})


def _sum(numbers: Iterable[int]) -> celpy.celtypes.IntType:
    return celpy.celtypes.IntType(sum(numbers))
