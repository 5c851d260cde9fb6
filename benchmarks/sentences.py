"""How many sentences after VidSTG's pattern the parser reads right, by kind.

    python benchmarks/sentences.py [--seed 11] [--count 2000] [--wrong 10]

Two sets of patterns (``tests/vidstg_like.py``, and ``tests/vidstg_held_out.py``, written after the
parser): questions and declaratives. Right: subject, class, the other noun and the colours.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import LanguageConfig
from tests import vidstg_held_out, vidstg_like
from tests.test_language_turned import read_right


def main() -> None:
    """Parse and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--wrong", type=int, default=0, help="how many wrong ones to print")
    arguments = parser.parse_args()
    config = LanguageConfig(similarity=False)
    for patterns in (vidstg_like, vidstg_held_out):
        for questions in (True, False):
            right: Counter[str] = Counter()
            seen: Counter[str] = Counter()
            wrong = []
            for one in patterns.sentences(arguments.seed, arguments.count, questions):
                seen[one.kind] += 1
                if read_right(parse(one.text, config), one):
                    right[one.kind] += 1
                else:
                    wrong.append(one.text)
            name = f"{patterns.__name__.split('_', 1)[1]}, {'ask' if questions else 'tell'}"
            share = right.total() / seen.total()
            print(f"{name:16s} {share:.4f}  ", {k: f"{right[k]}/{seen[k]}" for k in seen})
            print(*wrong[: arguments.wrong], sep="\n", end="\n" if arguments.wrong else "")


if __name__ == "__main__":
    main()
