"""The trained heads: spatial, temporal, both together, and their checkpoints."""
