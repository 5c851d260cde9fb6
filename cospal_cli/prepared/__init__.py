"""A prepared folder: the heads' inputs of a data set, read lazily."""
