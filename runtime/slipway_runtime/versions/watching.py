"""A small file whose content may change at any moment, by being swapped or by being written over.

A mounted ConfigMap changes by a symbolic link that is put in the place of another, of which inotify
tells nothing for the file itself: so it is read again and again. Knows nothing of what is in it.
"""

import asyncio
import pathlib
from collections.abc import AsyncIterator

# A file that is written over in place is half a file for a moment, and half a list is a valid list.
_SETTLED_SECONDS = 0.1


async def contents(path: pathlib.Path, *, interval: float, most: int) -> AsyncIterator[bytes | str]:
    """Every content that differs from the one before it, beginning with the first.

    A string says why the file cannot be read. No more than `most` bytes and one are read.
    """
    known: bytes | str | None = None
    while True:
        found = await asyncio.to_thread(_read, path, most)
        if found != known:
            await asyncio.sleep(_SETTLED_SECONDS)
            if await asyncio.to_thread(_read, path, most) == found:
                known = found
                yield found
            continue
        await asyncio.sleep(interval)


def _read(path: pathlib.Path, most: int) -> bytes | str:
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
