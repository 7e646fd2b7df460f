"""Where models come from: locations, sources, and the checks between a bucket and a model in memory.

The only package that knows boto3. Knows nothing of onnxruntime or HTTP.
"""
