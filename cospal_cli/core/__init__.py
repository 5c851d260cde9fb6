"""The ground floor: types, errors, files, and helpers that know nothing of grounding."""
