"""JSON objects, named once: their values are of any kind until ``fitting`` or a reader checks them.

A value that is only passed on, compared or printed is an ``object``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]  # an object that is only read
JsonDict = dict[str, Any]  # one that is being built, or whose reader may change it
