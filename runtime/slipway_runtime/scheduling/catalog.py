"""The versions that this process serves, and which one a request gets.

Knows nothing of how they are loaded.
"""

from slipway_runtime.scheduling.predictor import Predictor


class NotReadyError(Exception):
    """No version has been verified yet."""


class UnknownVersionError(Exception):
    """The request names a version that is not served here."""

    def __init__(self, wanted: str, served: list[str]) -> None:
        super().__init__(f"version {wanted!r} is not served here; served: {', '.join(map(repr, served))}")


class Catalog:
    """Filled once a version has been verified, and not before."""

    def __init__(self) -> None:
        self._served: dict[str, Predictor] = {}
        self._default: Predictor | None = None

    @property
    def versions(self) -> list[str]:
        return sorted(self._served)

    def add(self, predictor: Predictor) -> None:
        """Serve this version, and from now on by default."""
        self._served[predictor.version] = predictor
        self._default = predictor

    def resolve(self, version: str | None) -> Predictor:
        """The named version, or the default one for None. Raises NotReadyError or UnknownVersionError."""
        if self._default is None:
            raise NotReadyError("the model is still being loaded and verified")
        if version is None:
            return self._default
        if version not in self._served:
            raise UnknownVersionError(version, self.versions)
        return self._served[version]

    async def close(self) -> None:
        for predictor in self._served.values():
            await predictor.stop()
