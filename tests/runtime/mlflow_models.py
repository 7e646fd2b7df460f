"""Run by the python of MLflow's own environment: registers models the way people do.

    python mlflow_models.py <tracking URI> <name> [<folder of a bundle>]

Makes <name>-onnx (version 1, alias champion), <name>-sklearn and <name>-bundle.
"""

import pathlib
import sys

import mlflow
import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression


def main() -> None:
    mlflow.set_tracking_uri(sys.argv[1])
    name, folder = sys.argv[2], pathlib.Path(sys.argv[3])
    client = mlflow.MlflowClient()
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        mlflow.onnx.log_model(
            _doubler(),
            name="onnx",
            registered_model_name=f"{name}-onnx",
            input_example=np.zeros((1, 2), dtype=np.float32),
            pip_requirements=[],
        )
        mlflow.sklearn.log_model(
            LogisticRegression().fit([[0], [1]], [0, 1]),
            name="sklearn",
            registered_model_name=f"{name}-sklearn",
            serialization_format="cloudpickle",
            pip_requirements=[],
        )
        mlflow.log_artifacts(str(folder), "bundle")
        client.create_registered_model(f"{name}-bundle")
        client.create_model_version(f"{name}-bundle", f"{run.info.artifact_uri}/bundle", run.info.run_id)
    client.set_registered_model_alias(f"{name}-onnx", "champion", "1")


def _doubler() -> onnx.ModelProto:
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    graph = helper.make_graph(nodes, "doubler", tensors[:1], tensors[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


if __name__ == "__main__":
    main()
