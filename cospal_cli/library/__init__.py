"""Many videos: what is to be done (inputs, manifest, jobs, shards) and who does it (engines)."""
