"""The locale that onnxruntime's StringNormalizer asks for, in images that do not have it.

It lower-cases text by en_US.UTF-8, and so needs it for nearly every text pipeline of skl2onnx. Slim
images have C.UTF-8 alone, whose rules for letters are the same ones (glibc's i18n_ctype); for the
moment of a load the one is found under the name of the other.
"""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import TypeVar

_MISSING = "Failed to construct locale"
_WANTED = "en_US.UTF-8"
_PLAIN = pathlib.Path("/usr/lib/locale/C.utf8")

T = TypeVar("T")


def with_english(load: Callable[[], T], *, scratch: pathlib.Path) -> T:
    """What `load` returns; tried again with the locale if it failed for want of it.

    `scratch` is a folder that may be written to. Raises what `load` raises.
    """
    try:
        return load()
    except Exception as error:  # onnxruntime's exceptions share no base but this
        if _MISSING not in str(error) or not _PLAIN.is_dir():
            raise
    with _renamed(scratch):
        return load()


@contextlib.contextmanager
def _renamed(scratch: pathlib.Path) -> Iterator[None]:
    before = os.environ.get("LOCPATH")
    with tempfile.TemporaryDirectory(prefix="locale-", dir=scratch) as folder:
        (pathlib.Path(folder) / _WANTED).symlink_to(_PLAIN)
        os.environ["LOCPATH"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["LOCPATH"]
            else:
                os.environ["LOCPATH"] = before
