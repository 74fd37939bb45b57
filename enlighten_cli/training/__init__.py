"""Making a model: the only package here that may import torch and onnx."""
