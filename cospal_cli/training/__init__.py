"""Weakly supervised training: losses, curriculum, the loop; and features prepared for it."""
