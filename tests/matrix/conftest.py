"""What several kinds of cases need."""

from collections.abc import Iterator, Mapping

import pytest

from tests.cluster.stack import Installed
from tests.rollout.wrong_bundles import Uploaded


@pytest.fixture(scope="session")
def bad_bundles(
    stack: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Uploaded]]:
    """In S3, by what is bad with them."""
    from tests.matrix import bundles

    with bundles.uploaded(stack, tmp_path_factory.mktemp("bad-bundles")) as uploaded:
        yield uploaded
