"""The chart carries the CRD that is the contract, to the byte."""

from tests.contract import crd


def test_the_charts_crd_is_the_contract() -> None:
    copy = crd.ROOT / "charts" / "slipway" / "files" / "crds" / crd.FILE.name
    assert copy.read_bytes() == crd.FILE.read_bytes(), f"copy {crd.FILE.name} from crds/ to the chart"
