"""Make ``cospal_cli/weights/word_vectors.npz``: MiniLM vectors of every word the lexicon knows.

Run it after a change of the word lists, from the repository's root:

    python tools/build_word_vectors.py

It writes the file and its entry in ``weights/manifest.json``; nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cospal_cli import weights  # noqa: E402
from cospal_cli.core.files import replacing, write_text  # noqa: E402
from cospal_cli.language.encoders import similar  # noqa: E402
from cospal_cli.language.encoders.minilm import MiniLM  # noqa: E402
from cospal_cli.language.lexicon import person as words_person  # noqa: E402
from cospal_cli.language.lexicon import verbs as words_verbs  # noqa: E402
from cospal_cli.language.lexicon import words as lexicon  # noqa: E402
from cospal_cli.weights import imagenet  # noqa: E402

TARGET = "word_vectors.npz"


def known_nouns() -> list[str]:
    """Nouns to compare with: all but those that only count or stand for others."""
    empty = words_person.GENERIC | words_person.PARTITIVE
    return sorted(noun for noun in lexicon.nouns() - empty if len(noun) > 1)


def imagenet_names() -> list[str]:
    """The first name of each of the 1,000 classes."""
    return [name.split(",")[0].lower() for name in imagenet.names()]


def tables() -> dict[str, np.ndarray]:
    """The words of each table and their unit vectors (N, 384) float16."""
    model = MiniLM()
    found: dict[str, np.ndarray] = {}
    listed = {
        "nouns": (known_nouns(), similar.NOUN),
        "imagenet": (imagenet_names(), similar.NOUN),
        "verbs": (sorted(words_verbs.kinds()), similar.VERB),
    }
    for name, (words, wrap) in listed.items():
        found[name] = np.array(words)
        vectors = model.sentence([wrap.format(word) for word in words])
        found[f"{name}_vectors"] = vectors.astype(np.float16)
    return found


def main() -> None:
    """Compute, write, and enter the file in the manifest."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **tables())
    data = buffer.getvalue()
    with replacing(weights.HERE / TARGET) as part:
        part.write_bytes(data)
    manifest = weights.HERE / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    entry = {
        "id": "word_vectors",
        "file": TARGET,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "source": "tools/build_word_vectors.py: the minilm weights applied to cospal's word lists "
        "and the ImageNet class names",
        "copyright": "(c) the cospal authors; model (c) sentence-transformers authors",
        "licence": "Apache-2.0",
    }
    content["weights"] = [w for w in content["weights"] if w["id"] != entry["id"]] + [entry]
    write_text(manifest, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    print(f"{TARGET}: {len(data)} bytes")


if __name__ == "__main__":
    main()
