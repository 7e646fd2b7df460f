"""The terms on which a request is answered: until when, and how urgently.

The same words on every wire: `priority` is "interactive" or "bulk" (or Triton's numbers: 0 is the
default, 1 the highest, any other one is less urgent), `timeout` is in microseconds. Pure.
"""

from slipway_runtime.scheduling.calls import Call, Lane
from slipway_runtime.transport.oip import errors
from slipway_runtime.transport.oip.values import Parameter, Parameters

_SEQUENCES = "sequences are not offered here: every request stands for itself"


def of(parameters: Parameters, *, received: float, usual: Call) -> Call:
    """`usual` with what the parameters say, which can only bring the deadline nearer.

    `received` is when the request came, in monotonic seconds. Raises OipError.
    """
    if parameters.get("sequence_id"):
        raise errors.unsupported(_SEQUENCES)
    lane, deadline = usual.lane, usual.deadline
    if "priority" in parameters:
        lane = _lane(parameters["priority"], usual.lane)
    if "timeout" in parameters:
        wanted = _seconds(parameters["timeout"])
        if wanted:
            deadline = received + wanted if deadline is None else min(deadline, received + wanted)
    return Call(deadline=deadline, lane=lane)


def _lane(priority: Parameter, usual: Lane) -> Lane:
    match priority:
        case bool():
            pass
        case 0 | "0":
            return usual
        case 1 | "1" | Lane.INTERACTIVE:
            return Lane.INTERACTIVE
        case int() if priority > 1:
            return Lane.BULK
        case Lane.BULK:
            return Lane.BULK
    raise errors.invalid('priority: it is "interactive" (or 1), "bulk" (or 2), or 0 for the default')


def _seconds(timeout: Parameter) -> float:
    """0 is no limit of the client's own."""
    if isinstance(timeout, bool) or not isinstance(timeout, int) or timeout < 0:
        raise errors.invalid("timeout: it is a number of microseconds, 0 or more, without a fraction")
    return min(timeout, 10**15) / 1e6
