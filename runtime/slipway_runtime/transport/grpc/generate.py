"""Writes open_inference_pb2.py and its type stub from open_inference.proto: `python -m` this module.

The result is committed, so that neither an image nor a checkout needs a compiler; a test makes it
again and compares. Needs grpcio-tools, which only developers have.
"""

import pathlib
import sys

from grpc_tools import protoc

_HERE = pathlib.Path(__file__).parent
_ROOT = _HERE.parents[2]
_PROTO = (_HERE / "open_inference.proto").relative_to(_ROOT)


def write(root: pathlib.Path) -> None:
    """Write the generated modules below `root`, in the folders of their package."""
    arguments = ["protoc", f"-I{_ROOT}", f"--python_out={root}", f"--pyi_out={root}", str(_PROTO)]
    if protoc.main(arguments) != 0:
        sys.exit("protoc could not compile the protocol; it has said why above")


if __name__ == "__main__":
    write(_ROOT)
