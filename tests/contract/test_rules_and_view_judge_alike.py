"""The CRD's rules and the operator's view come to one verdict on texts that nobody thought of."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway_operator.api import model
from tests.contract import cel

_NASTY = st.text(alphabet="azAZ09-_.:/@?#%\\ \n\t\x00=+()*!'é。", max_size=24)
_BUCKETS = st.one_of(st.sampled_from(["models", "10.0.0.1", "localhost", "metadata.a.internal"]), _NASTY)
_URIS = st.builds("{}{}/{}".format, st.sampled_from(["s3://", "S3://", "", "s3:/"]), _BUCKETS, _NASTY)
_KEYS = st.builds("{}{}{}".format, _NASTY, st.sampled_from(["", "/", "kubernetes.io/"]), _NASTY)

_FIELDS = [
    pytest.param("metadata", "name", _NASTY, id="the name"),
    pytest.param("spec", "version", _NASTY.filter(bool), id="the version"),
    pytest.param("spec", "source", st.builds(dict, uri=_URIS), id="the source's URI"),
    pytest.param(
        "spec",
        "source",
        st.builds(dict, uri=st.just("s3://models/a"), credentialsSecretName=_NASTY.filter(bool)),
        id="the Secret's name",
    ),
    pytest.param("spec", "runtime", st.builds(dict, image=_NASTY.filter(bool)), id="the image"),
    pytest.param("spec", "nodeSelector", st.dictionaries(_KEYS, st.just("x")), id="the labels of nodes"),
    pytest.param(
        "spec",
        "resources",
        st.dictionaries(
            st.sampled_from(["limits", "requests"]),
            st.dictionaries(
                _KEYS | st.sampled_from(["cpu", "nvidia.com/gpu"]), st.integers(0, 2), max_size=4
            ),
        ),
        id="the resources",
    ),
]

_BODY: dict[str, Any] = {
    "metadata": {"name": "sentiment", "namespace": "default", "uid": "5f0c"},
    "spec": {"version": "1", "source": {"uri": "s3://models/sentiment/1"}},
}


@pytest.mark.parametrize(("part", "field", "values"), _FIELDS)
@settings(deadline=None)  # the first evaluation of a rule compiles it
@given(data=st.data())
def test_a_text_is_taken_by_both_or_by_neither(
    data: st.DataObject, part: str, field: str, values: st.SearchStrategy[Any]
) -> None:
    body = copy.deepcopy(_BODY)
    body[part][field] = data.draw(values)
    assert _taken_by_view(body) == (cel.broken(body) == [])


def _taken_by_view(body: dict[str, Any]) -> bool:
    try:
        model.InferenceModel.parse(body)
    except model.InvalidModel:
        return False
    return True
