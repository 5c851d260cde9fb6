"""A prepared folder: what the heads see of a data set, read lazily."""
