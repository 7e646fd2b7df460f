"""What is left when the demo is over: the verdict, a file for programs, and what to try next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tests.demo import palette
from tests.demo.manifests import FIRST, NAME, SECOND
from tests.demo.snapshot import StepView
from tests.ledger import rendering
from tests.ledger.report import Report

SWITCHES = 2
PORT = 18080
BODY = '{"texts": ["I love this product"]}'
MISSING = '{"spec": {"version": "3", "source": {"uri": "s3://models/sentiment/3"}}}'


def complaints(report: Report) -> list[str]:
    """What keeps the run from being a success, a sentence each; none when it is one."""
    said = []
    if not report.requests:
        said.append("No request was made.")
    if report.failed:
        said.append(f"{report.failed:,} of {report.requests:,} requests failed.")
    if report.findings and not report.failed:
        said.append("The records are not whole, so that nothing is proved.")
    if len(report.switches) < SWITCHES:
        said.append(f"The clients saw {len(report.switches)} switches of version, not {SWITCHES}.")
    return said


def document(report: Report, steps: Sequence[StepView], seconds: float) -> dict[str, object]:
    """The run as a JSON object."""
    return {
        "requests": report.requests,
        "failed": report.failed,
        "unaccounted": report.unaccounted,
        "switches": len(report.switches),
        "versions": sorted({version for part in report.classes for version in part.versions}),
        "passed": not complaints(report),
        "seconds": round(seconds, 1),
        "trafficSeconds": round(report.seconds, 1),
        "classes": {
            part.client_class: {
                "requests": part.requests,
                "failed": part.failed,
                "versions": dict(part.versions),
            }
            for part in report.classes
        },
        "steps": [{"title": step.title, "seconds": round(step.seconds, 1)} for step in steps],
    }


def render(report: Report) -> RenderableType:
    """The ledger's tables, and the verdict under them."""
    return Padding(Group(rendering.render(report), Text(), _verdict(report)), (1, 1, 0, 1))


def _verdict(report: Report) -> Text:
    said = complaints(report)
    if said:
        return Text(" ".join(said), style=f"bold {palette.FAILED}")
    proof = "No request failed while the model went from one version to the other and back."
    return Text(proof, style=f"bold {palette.GOOD}")


def suggestions(setting_up: Sequence[str], *, description: str) -> str:
    """What a person can try now, to be copied line by line."""
    groups = {
        "": setting_up,
        "watch the model": ["kubectl get imodel -w"],
        "ask it, in another terminal": [
            f"kubectl port-forward service/{NAME} {PORT}:80",
            f"curl -s localhost:{PORT}/v1/predict -H 'content-type: application/json' -d '{BODY}'",
        ],
        "roll it by hand, and back": [
            f"kubectl apply -f examples/inferencemodels/{NAME}-v{SECOND}.yaml",
            f"kubectl apply -f examples/inferencemodels/{NAME}-v{FIRST}.yaml",
        ],
        "ask for a version that does not exist: the live one stays": [
            f"kubectl patch imodel {NAME} --type merge -p '{MISSING}'",
            f"kubectl describe imodel {NAME}",
        ],
        "remove all of it": ["make down"],
    }
    lines = [f"The cluster stays up ({description}). To try, from this folder:"]
    for title, commands in groups.items():
        lines += ["", *([f"  # {title}"] if title else []), *(f"  {command}" for command in commands)]
    return "\n".join(lines)
