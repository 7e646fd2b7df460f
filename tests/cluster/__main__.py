"""`python -m tests.cluster up | down | status`: the cluster from the command line."""

import argparse
import sys
from collections.abc import Sequence

from tests.cluster import selection
from tests.cluster.errors import ClusterError
from tests.cluster.interface import Cluster


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 an expected failure that was explained, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        _run(selection.choose(), options)
    except ClusterError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; `python -m tests.cluster down` removes what has been started.", file=sys.stderr)
        return 130
    return 0


def _run(cluster: Cluster, options: argparse.Namespace) -> None:
    match options.command:
        case "up":
            _up(cluster, nodes=options.nodes, gpus=options.gpus)
        case "down":
            cluster.down()
        case "status":
            print(cluster.status())


def _up(cluster: Cluster, *, nodes: int, gpus: int | None) -> None:
    cluster.up(nodes)
    if gpus is not None:
        for node in cluster.nodes():
            cluster.set_gpus(node, gpus)
    print(cluster.status())
    print(f"export KUBECONFIG={cluster.kubeconfig}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description="The cluster of this clone.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring the cluster up, or leave it alone if it is up and healthy")
    up.add_argument("--nodes", type=int, default=2, help="how many nodes (2)")
    up.add_argument("--gpus", type=int, help="how many nvidia.com/gpu each node shows (as they are)")
    commands.add_parser("down", help="remove everything that `up` made")
    commands.add_parser("status", help="say what is up")
    return parser


if __name__ == "__main__":
    sys.exit(main())
