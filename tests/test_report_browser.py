"""The page in a real browser. Skipped where there is no Chromium (``apt-get install chromium``)."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tests.chromium import SCHEMES, WIDTHS, Chromium, executable
from tests.pages import HOSTILE, document, page_of

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")
MANY = 500


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four answers; the first is hostile."""
    from tests import media

    folder = tmp_path_factory.mktemp("page")
    clip = media.make(folder / "clip.mp4")
    heads = {"curves": [{"text": "waves", "times": [0.5, 1.5], "log_odds": [-1, 2]}]}
    page_of(
        folder / "page.html",
        document(clip, HOSTILE),
        document(clip, "a woman in blue", heads=heads),
        document(clip, "a dog", tubes=[]),
        document(folder / "gone.mp4", "the man " + "far_away" * 40),
    )
    return folder / "page.html"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_opens_without_a_complaint_and_requests_nothing(
    page: Path, width: int, scheme: str
) -> None:
    with Chromium(width, scheme) as browser:
        browser.open(page)
        assert browser.complaints() == []
        assert browser.requests() == [page.as_uri()]
        assert browser.value("document.documentElement.scrollWidth") == width
        assert browser.value("[...document.images].every(one => one.naturalWidth > 0)")
        assert browser.value("document.title") == "4 answers – cospal"
        ground = browser.value("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark")


def test_it_sorts_and_filters_by_keyboard(page: Path) -> None:
    shown = "[...document.querySelectorAll('.card')].filter(c => !c.hidden).map(c => c.id).join()"
    with Chromium() as browser:
        browser.open(page)
        assert browser.value(shown) == "a1,a2,a3,a4"
        browser.press("Tab", 9)
        assert browser.value("document.activeElement.className") == "skip"
        browser.press("Tab", 9)
        assert browser.value("document.activeElement.id") == "filter"
        browser.type("WOMAN blue")
        assert browser.value(shown) == "a2"
        assert browser.value("document.getElementById('count').textContent") == "1 of 4 shown"
        browser.value("filter.select()")
        browser.press("Backspace", 8)
        assert browser.value(shown) == "a1,a2,a3,a4"
        browser.press("Tab", 9)
        assert browser.value("document.activeElement.id") == "sort"
        browser.value("sort.value = 'text'; sort.dispatchEvent(new Event('change'))")
        assert browser.value(shown).startswith("a1,a3,a2") or "a3,a2" in browser.value(shown)
        assert browser.complaints() == []


def test_every_summary_and_link_can_be_reached(page: Path) -> None:
    with Chromium() as browser:
        browser.open(page)
        wanted = browser.value("document.querySelectorAll('a, input, select, summary').length")
        hidden = browser.value("document.querySelectorAll('details:not([open]) a').length")
        seen = set()
        for _ in range(wanted + 2):
            browser.press("Tab", 9)
            seen.add(
                browser.value(
                    "[...document.querySelectorAll('a, input, select, summary')]"
                    ".indexOf(document.activeElement)"
                )
            )
        assert len(seen - {-1}) == wanted - hidden


def test_a_reader_of_screens_meets_names(page: Path) -> None:
    with Chromium() as browser:
        browser.open(page)
        names = browser.names()
    by_role: dict[str, list[str]] = {}
    for role, name in names:
        by_role.setdefault(role, []).append(name)
    for role in ("heading", "link", "article", "image", "searchbox", "combobox"):
        assert by_role[role], role
        assert all(by_role[role]), role
    assert by_role["searchbox"] == ["Filter"]
    assert by_role["combobox"] == ["Sort"]
    assert "a woman in blue" in by_role["article"]
    assert any("Time line: 1. man, 0.50 s to 1.50 s" in name for name in by_role["image"])
    assert any(name.startswith("video of clip.mp4, 0.50 s") for name in by_role["link"])


def test_hostile_text_runs_nothing(page: Path) -> None:
    with Chromium() as browser:
        browser.open(page)
        assert browser.value("document.querySelectorAll('img[src=x], b').length") == 0
        assert "caught" not in browser.value("document.title")
        assert "onerror" in browser.value("document.querySelector('#h1').textContent")


def test_many_answers_open_quickly(tmp_path: Path) -> None:
    """Without pictures; benchmarks/report_page.py measures with them."""
    one = document("gone.mp4")
    many = [copy.deepcopy(one) for _ in range(MANY)]
    page_of(tmp_path / "page.html", *many)
    with Chromium() as browser:
        browser.open(tmp_path / "page.html")
        assert browser.processor_s() < 2  # the machine may have other work
        assert browser.value("document.getElementById('count').textContent") == f"{MANY} shown"
