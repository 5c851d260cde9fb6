"""Grounding DINO: by transformers, from its original checkpoints, and as ONNX."""
