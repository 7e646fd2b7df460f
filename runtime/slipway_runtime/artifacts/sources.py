"""The Source for a Location."""

from slipway_runtime.artifacts.folder import Folder
from slipway_runtime.artifacts.location import FolderLocation, Location, MlflowLocation, S3Location
from slipway_runtime.artifacts.source import Source


def at(location: Location, *, deadline: float) -> Source:
    """Blocks while it reads credentials: use it in a thread. `deadline` is in time.monotonic()."""
    match location:
        case FolderLocation(path):
            return Folder(path)
        case S3Location():
            from slipway_runtime.artifacts import s3  # boto3 takes its time to import: only where needed

            return s3.S3Folder(location, deadline=deadline)
        case MlflowLocation():
            from slipway_runtime.artifacts import mlflow  # which asks here for the folder behind the model

            return mlflow.MlflowModel(location, deadline=deadline)
