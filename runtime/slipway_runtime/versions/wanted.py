"""One version that somebody asks this process to serve. Knows nothing of how it is loaded."""

from dataclasses import dataclass

from slipway_runtime.artifacts.location import Location
from slipway_runtime.scheduling.catalog import Key
from slipway_runtime.scheduling.verification import Expectation
from slipway_runtime.settings import Settings, expectations


@dataclass(frozen=True, slots=True)
class Wanted:
    """Two that are equal are the same bytes under the same name: what is loaded need not be loaded again.

    `digest` is the sha256 that the bundle's slipway.yaml must have.
    """

    name: str
    version: str
    location: Location
    digest: str | None = None
    expectations: tuple[Expectation, ...] = ()

    @property
    def key(self) -> Key:
        return Key(self.name, self.version)

    def __str__(self) -> str:
        return f"version {self.version!r} of {self.name!r}"


def from_environment(settings: Settings) -> Wanted | None:
    """The model of MODEL_URI; None when only a models file says what to serve.

    Raises StartupError(ConfigurationInvalid) when neither does.
    """
    place = settings.optional_location()
    if place is None:
        return None
    return Wanted(
        name=settings.model_name,
        version=settings.model_version or place.last_segment,
        location=place,
        digest=settings.bundle_sha256,
        expectations=expectations(settings.verification_examples),
    )
