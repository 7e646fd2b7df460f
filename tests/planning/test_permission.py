"""Only from the administrator's lists: the image of the pods, and their service account."""

import pytest

from slipway_operator.api import reasons
from slipway_operator.planning import permission

REASON = reasons.ConditionReason
LISTS = permission.Lists(
    frozenset({"r/gpu:1", "r/cpu:1"}), frozenset({"reader", "team-a/writer", "team-b/x"})
)


def _why(
    *, image: str | None = None, account: str | None = None, lists: permission.Lists = LISTS
) -> tuple[reasons.ConditionReason, str] | None:
    found = permission.obstacle(lists, image=image, service_account=account, namespace="team-a")
    return (found.reason, found.message) if found else None


@pytest.mark.parametrize(
    ("image", "account"),
    [
        pytest.param(None, None, id="what is not named"),
        pytest.param("r/gpu:1", None, id="an image on the list"),
        pytest.param(None, "reader", id="a service account for every namespace"),
        pytest.param("r/cpu:1", "writer", id="a service account for this namespace"),
    ],
)
def test_is_allowed(image: str | None, account: str | None) -> None:
    assert _why(image=image, account=account) is None


@pytest.mark.parametrize("account", ["x", "default", "team-a/writer", "admin"])
def test_a_service_account_that_is_not_listed_for_the_namespace_is_refused(account: str) -> None:
    message = f"spec.serviceAccountName {account} is not on the administrator's list: reader, team-a/writer"
    assert _why(account=account) == (REASON.SERVICE_ACCOUNT_NOT_ALLOWED, message)


def test_an_image_that_is_not_listed_is_refused() -> None:
    message = "spec.runtime.image r/gpu is not on the administrator's list: r/cpu:1, r/gpu:1"
    assert _why(image="r/gpu", account="x") == (REASON.IMAGE_NOT_ALLOWED, message)


def test_an_empty_list_is_said_to_be_so() -> None:
    nothing = permission.Lists(frozenset())
    message = "spec.serviceAccountName reader is not on the administrator's list: it is empty"
    assert _why(account="reader", lists=nothing) == (REASON.SERVICE_ACCOUNT_NOT_ALLOWED, message)
