"""``cospal data check``: a data set held against its own files, every fault named and counted."""

from __future__ import annotations
