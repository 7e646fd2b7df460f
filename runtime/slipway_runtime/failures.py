"""Why a pod cannot serve: the closed list of reasons, and the exception that carries one.

Knows no layer of the runtime, since every one of them raises it.
"""

import enum


class Reason(enum.StrEnum):
    """What the operator reads in the termination message. Renaming one breaks its planner."""

    SOURCE_NOT_FOUND = "SourceNotFound"  # the bucket, the folder or an object in it does not exist
    SOURCE_FORBIDDEN = "SourceForbidden"  # it may exist, but these credentials may not read it
    SOURCE_UNAVAILABLE = "SourceUnavailable"  # no answer, or only part of one: worth another try
    DIGEST_MISMATCH = "DigestMismatch"  # the bytes are not those that were asked for
    BUNDLE_INVALID = "BundleInvalid"  # the folder is not a bundle
    UNSAFE_MODEL = (
        "UnsafeModel"  # loading it would run its own code (a pickle), or take what it must not have
    )
    MODEL_LOAD_FAILED = "ModelLoadFailed"  # onnxruntime or tokenizers refused the file
    GOLDEN_MISMATCH = "GoldenMismatch"  # it loads, and answers wrongly
    CONFIGURATION_INVALID = "ConfigurationInvalid"  # the environment makes no sense
    DISK_FULL = "DiskFull"  # the bundle does not fit where it is to be written: worth another try elsewhere
    MEMORY_SHORT = "MemoryShort"  # it would not fit beside what is served: said of a further version only
    PROVIDER_UNAVAILABLE = "ProviderUnavailable"  # a GPU was asked for, and there is none to use


class StartupError(Exception):
    """This pod will never serve. `subject` is the object to look at: a URI, a variable, an example."""

    def __init__(self, reason: Reason, message: str, *, subject: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.subject = subject
