"""What went wrong at S3, in the runtime's own words.

The one place that knows which of botocore's errors means what.
"""

import botocore.exceptions
import urllib3.exceptions

from slipway_runtime.artifacts import ranges
from slipway_runtime.artifacts.deadline import DeadlineExceededError
from slipway_runtime.artifacts.location import S3Location
from slipway_runtime.failures import Reason, StartupError

BROKEN = (
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.IncompleteReadError,
    botocore.exceptions.ResponseStreamingError,
    OSError,
)
"""A connection that breaks off inside a body: botocore itself tries again only before one."""

_FORBIDDEN = frozenset(
    {
        "403",
        "AccessDenied",
        "AllAccessDisabled",
        "ExpiredToken",
        "ExpiredTokenException",
        "IDPRejectedClaim",
        "InvalidAccessKeyId",
        "InvalidIdentityToken",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "XAdminUserNotFound",  # versitygw, for an unknown key
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
_NOT_FOUND = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_READ = "GetObject"
_ELSEWHERE = frozenset(
    {"301", "307", "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect"}
)
ERRORS: tuple[type[Exception], ...] = (
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    DeadlineExceededError,
    ranges.CutShortError,
    ValueError,
    OSError,
)
"""What `translate` understands."""


def translate(error: Exception, location: S3Location, name: str) -> StartupError:
    """The failure that `error` means, for the file `name` of the folder ("" for the folder itself)."""
    subject = f"{location}/{name}" if name else str(location)
    match error:
        case botocore.exceptions.ClientError():
            return _refused(error, location, subject)
        case botocore.exceptions.NoCredentialsError() | botocore.exceptions.PartialCredentialsError():
            what = "no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role"
            return _failure(Reason.SOURCE_FORBIDDEN, subject, what)
        case DeadlineExceededError():
            what = "it was not downloaded within SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS"
            return _failure(Reason.SOURCE_UNAVAILABLE, subject, what)
        case ranges.CutShortError():
            return _failure(Reason.SOURCE_UNAVAILABLE, subject, "its downloads end before its end")
        case botocore.exceptions.SSLError():
            what = f"the storage's certificate is not trusted (AWS_CA_BUNDLE names the one that is): {error}"
            return _failure(Reason.SOURCE_UNAVAILABLE, subject, what)
        case FileNotFoundError() if error.filename:
            what = (
                f"{error.filename} does not exist, and AWS_WEB_IDENTITY_TOKEN_FILE or AWS_CA_BUNDLE names it"
            )
            return _failure(Reason.CONFIGURATION_INVALID, subject, what)
        case botocore.exceptions.HTTPClientError(kwargs={"error": urllib3.exceptions.LocationValueError()}):
            message = f"HTTPS_PROXY or HTTP_PROXY: {error.kwargs['error']} (in a password / is %2F, @ is %40)"
            return StartupError(Reason.CONFIGURATION_INVALID, message, subject="HTTPS_PROXY")
        case botocore.exceptions.InvalidRegionError() | ValueError():
            message = f"AWS_ENDPOINT_URL or AWS_REGION: {error}"
            return StartupError(Reason.CONFIGURATION_INVALID, message, subject="AWS_ENDPOINT_URL")
    return _failure(Reason.SOURCE_UNAVAILABLE, subject, str(error))


def _refused(error: botocore.exceptions.ClientError, location: S3Location, subject: str) -> StartupError:
    code = str(error.response["Error"].get("Code", ""))
    status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0))
    if error.operation_name == "AssumeRoleWithWebIdentity":
        return _no_role(error, code, status, subject)
    if code == "NoSuchBucket":
        bucket = f"s3://{location.bucket}"
        return StartupError(Reason.SOURCE_NOT_FOUND, f"there is no bucket {bucket}", subject=bucket)
    if code in _ELSEWHERE or status in (301, 302, 307, 308):
        what = f"S3 points elsewhere ({status} {code}): check AWS_REGION and AWS_ENDPOINT_URL"
        return _failure(Reason.SOURCE_UNAVAILABLE, subject, what)
    if code in _CHANGED or status == 412:
        return changed(subject)
    if code in _FORBIDDEN or status in (401, 403):
        what = _refusal(code, reading=error.operation_name == _READ)
        return _failure(Reason.SOURCE_FORBIDDEN, subject, what)
    if code in _NOT_FOUND or status == 404:
        gone = "it was deleted after the folder was listed" if error.operation_name == _READ else ""
        return _failure(Reason.SOURCE_NOT_FOUND, subject, gone or "it does not exist")
    return _failure(Reason.SOURCE_UNAVAILABLE, subject, f"S3 answered {status}: {code}")


def _refusal(code: str, *, reading: bool) -> str:
    """`reading`: the folder has been listed, with the same credentials."""
    if code in _EXPIRED:
        return f"these S3 credentials have expired ({code}): the pod needs new ones"
    if reading:
        return f"S3 refused to give it to these credentials ({code}), which could list it: allow s3:GetObject"
    return f"S3 refused these credentials ({code}): it must allow list and get"


def _no_role(error: botocore.exceptions.ClientError, code: str, status: int, subject: str) -> StartupError:
    said = error.response["Error"].get("Message", "")
    reason = Reason.SOURCE_FORBIDDEN if 400 <= status < 500 else Reason.SOURCE_UNAVAILABLE
    return _failure(reason, subject, f"STS did not give the role AWS_ROLE_ARN ({code}): {said}")


def changed(subject: str) -> StartupError:
    """An object was replaced after it was listed: its bytes must not be mixed with those read before."""
    what = "it was replaced while it was downloaded: the next try reads the new one"
    return _failure(Reason.SOURCE_UNAVAILABLE, subject, what)


def _failure(reason: Reason, subject: str, what: str) -> StartupError:
    return StartupError(reason, f"{subject}: {what}", subject=subject)
