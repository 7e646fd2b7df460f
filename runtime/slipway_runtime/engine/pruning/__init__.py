"""What a classifier reads of the first position alone is computed for the first position alone.

Encoders put what they found into the first token, and the head reads that one alone; still an exported
graph computes everything behind the last attention for each token: three quarters of a layer, so a fifth
of a model of four layers and a sixteenth of one of twelve. What works on each position by itself gives
the same there when it is given that position only, so the choice of the position is moved up in front of
it. onnxruntime does so for training only (its UpStreamGather). Answers stay the same, but for the order
in which a library may add up the products of a matrix of another shape.

`graph` reads, `ranks` and `positions` decide, `rewriting` writes, `streaming` loads.
"""

from slipway_runtime.engine.pruning.loading import load as load
