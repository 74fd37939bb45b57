"""Training and export of models; the only subpackage that may import torch and onnx."""
