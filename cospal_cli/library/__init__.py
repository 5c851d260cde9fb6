"""Many videos: what is to be done (inputs, manifest, jobs, shards), who does it (engines), and what
is kept of it (stored observations, their catalogue, search)."""
