"""Models that are fetched, not shipped: known ones, download, proof, and opening them."""
