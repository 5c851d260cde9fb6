"""How large a page of many answers is, how long it takes to make, and to open in Chromium.

    python -m benchmarks.report_page TUBES... [--count 500] [--output PAGE.html]

TUBES as ``cospal report`` takes them; they are repeated until there are enough.
"""

from __future__ import annotations

import argparse
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from cospal_cli.report.collect import AnswersPage
from cospal_cli.report.sources import read_answers
from tests.chromium import Chromium, executable

RUNS = 5


def main() -> None:
    """Make the page, and open it where there is a browser."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tubes", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("page.html"))
    args = parser.parse_args()
    given = read_answers(args.tubes)
    page = AnswersPage(args.output, answers=list(islice(cycle(given.answers), args.count)))
    start = time.perf_counter()
    page.write()
    print(f"{len(given.answers)} different answers, {args.count} on the page")
    print(f"made in {time.perf_counter() - start:.1f} s, pictures included")
    print(f"{args.output.stat().st_size / 1e6:.1f} MB")
    if executable() is None:
        print("no Chromium on this machine")
        return
    for width in (400, 1400):
        times, busy = [], []
        for _ in range(RUNS):
            with Chromium(width, watched=False) as browser:
                times.append(browser.open(args.output))
                busy.append(browser.processor_s())
        with Chromium(width) as browser:
            browser.open(args.output)
            began = time.perf_counter()
            browser.value("sort.value = 'text'; sort.dispatchEvent(new Event('change'))")
            sorted_s = time.perf_counter() - began
            requested, complaints = browser.requests(), browser.complaints()
        print(
            f"{width} px: opens in {median(times):.2f} s ({min(times):.2f} to {max(times):.2f}), "
            f"{median(busy):.2f} s of the processor, sorts in {sorted_s:.2f} s; "
            f"{len(requested)} request, {len(complaints)} complaints"
        )


if __name__ == "__main__":
    main()
