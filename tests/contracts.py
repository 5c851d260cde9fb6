"""What every back end of a stage keeps to, whatever it is: one check for each Protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.progress import silent
from cospal_cli.core.query import Query
from cospal_cli.core.tubelets import BoxColours, Detections
from cospal_cli.datasets.format import Format
from cospal_cli.datasets.tree import Tree
from cospal_cli.detect import Detector, detect
from cospal_cli.features.clips import VideoEncoder
from cospal_cli.language.encoders.text import TextEncoder
from cospal_cli.language.parser.tokens import spans
from cospal_cli.library.engines import Failure, JobEngine
from cospal_cli.outputs import OutputFormat
from cospal_cli.outputs.stored import by_video
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.evidence import Evidence
from cospal_cli.ranking.method import Method
from cospal_cli.runtime import Runtime
from cospal_cli.settings import GroundConfig
from cospal_cli.track import Tracker
from tests import stored_documents

TEXTS = ("", "the man in the red hat", "naïve café ☕ 走る", "a" * 3000, "?!", "the man's 2 dogs")


def expect_same(found: Any, again: Any) -> None:
    """Two records of arrays hold the same numbers."""
    for name, one in vars(found).items():
        np.testing.assert_array_equal(one, vars(again)[name], err_msg=name)


def check_detector(detector: Detector, batch: FrameBatch) -> None:
    """``batch``: a few frames, best with something to find on them."""
    found = detect(detector, batch)
    assert [one.frame_index for one in found] == batch.indices.tolist()
    assert detector.model_id
    assert detector.batch >= 1
    assert detector.image_side >= 0
    width, height = batch.size
    for one, again in zip(found, detect(detector, batch), strict=True):
        assert one.boxes_xyxy.shape == (len(one), 4)
        left, top, right, bottom = one.boxes_xyxy.T
        assert (left >= 0).all()
        assert (left < right).all()
        assert (right <= width).all()
        assert (top >= 0).all()
        assert (top < bottom).all()
        assert (bottom <= height).all()
        assert one.label_scores.shape == (len(one), len(detector.classes))
        assert ((one.scores >= 0) & (one.scores <= 1)).all()
        assert (np.diff(one.scores) <= 0).all(), "best first"
        assert set(one.labels.tolist()) <= set(range(len(detector.classes)))
        expect_same(one, again)


def check_tracker(
    tracker: Tracker, frames: Sequence[tuple[Detections, float, BoxColours, np.ndarray]]
) -> None:
    """``frames``: detections, time, looks and picture of each."""
    for detections, time_s, colours, image in frames:
        ids = tracker.update(detections, time_s, colours, image)
        assert ids.shape == (len(detections),)
        assert (ids >= -1).all()
    tubelets = tracker.finish()
    assert tubelets, "nobody was followed"
    assert {one.became for one in tracker.moved} <= {
        number for tubelet in tubelets for number in tubelet.track_ids
    }
    assert len({one.id for one in tubelets}) == len(tubelets)
    sampled = {found.frame_index for found, *_ in frames}
    for one in tubelets:
        assert set(one.frame_indices.tolist()) <= sampled
        assert (np.diff(one.frame_indices) > 0).all()
        assert (np.diff(one.times_s) > 0).all()
        assert np.isfinite(one.boxes_xyxy).all()
        assert ((one.scores >= 0) & (one.scores <= 1)).all()


def check_video_encoder(encoder: VideoEncoder, batch: FrameBatch) -> None:
    """``batch``: some seconds of video at the encoder's own rate."""
    with pytest.raises(InputError):
        encoder.finish()
    encoder.reset()
    encoder.update(batch)
    whole = encoder.finish()
    assert encoder.model_id
    assert encoder.fps > 0
    assert whole.features.shape == (len(whole), encoder.dim)
    assert np.isfinite(whole.features).all()
    assert (whole.spans_s[:, 0] < whole.spans_s[:, 1]).all()
    assert (np.diff(whole.spans_s[:, 0]) > 0).all()
    for at in range(len(batch)):
        part = slice(at, at + 1)
        rows = {name: getattr(batch, name)[part] for name in ("images", "indices", "times_s")}
        encoder.update(replace(batch, **rows))
    again = encoder.finish()
    np.testing.assert_allclose(again.features, whole.features, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(again.spans_s, whole.spans_s)


def check_text_encoder(encoder: TextEncoder) -> None:
    """Words of ordinary, empty, long and strange texts."""
    assert encoder.model_id
    for text, many in zip(TEXTS, encoder.words_of(TEXTS), strict=True):
        one = encoder.words(text)
        assert set(one.spans) <= set(spans(text))
        assert list(one.spans) == sorted(one.spans)
        assert one.vectors.shape == (len(one), encoder.dim)
        assert np.isfinite(one.vectors).all()
        assert one.spans == many.spans
        np.testing.assert_allclose(one.vectors, many.vectors, atol=1e-4)
    assert len(encoder.words("the man in the red hat")) == 6


def check_method(
    method: Method,
    candidates: Sequence[Candidate],
    query: Query,
    evidence: Evidence,
    config: GroundConfig,
) -> None:
    """``evidence`` holds the heads' prediction where the method needs one."""
    nothing = method((), query, evidence, config)
    assert (len(nothing.candidates), len(nothing.scores)) == (0, 0)
    ranked = method(candidates, query, evidence, config)
    again = method(candidates, query, evidence, config)
    assert ranked.candidates, "nobody may be meant"
    assert {one.tubelet.id for one in ranked.candidates} <= {one.tubelet.id for one in candidates}
    assert ranked.scores.shape == (len(ranked.candidates),)
    assert ((ranked.scores >= 0) & (ranked.scores <= 1)).all()
    np.testing.assert_array_equal(ranked.scores, again.scores)
    for values in ([] if ranked.logs is None else [ranked.logs], *[list(ranked.why.values())]):
        assert all(np.shape(one) == ranked.scores.shape for one in values)
    for one in ranked.candidates:
        start, end = ranked.span_of(one)
        assert evidence.timeline.times_s[0] <= start < end <= evidence.timeline.end_s


def check_runtime(runtime: Runtime, inputs: Callable[[int], GroundingInputs]) -> None:
    """``inputs`` makes those of a video of so many tubelets, in the sizes of the metadata."""
    for count in (1, 2, 5):
        made = inputs(count)
        found = runtime.run(made)
        assert found.tubelet_scores.shape == (count,)
        for scores in (found.tubelet_scores, found.proposal_scores):
            assert (scores >= 0).all()
            assert scores.sum() == pytest.approx(1, abs=1e-4)
        assert ((found.proposals >= 0) & (found.proposals <= 1)).all()
        assert (found.proposals[:, 0] <= found.proposals[:, 1]).all()
        expect_same(found, runtime.run(made))


def check_output(form: OutputFormat) -> None:
    """Documents of every kind: written, whole, and under the names that were announced."""
    assert form.endings
    for documents in stored_documents.KINDS.values():
        for group in [documents] if form.joint else [some for _, some in by_video(documents)]:
            found = form.files(group)
            for name, text in found.items():
                assert any(
                    name == one or (one[-1] == "/" and name.startswith(one)) for one in form.endings
                )
                assert ".." not in name.split("/")
                if name.endswith(".json"):
                    json.loads(text, parse_constant=lambda what: pytest.fail(what))
                if name.endswith(".xml"):
                    ElementTree.fromstring(text.encode("utf-8", "replace"))
            for one in form.endings:
                assert any(name.startswith(one) for name in found), one
            assert form.files(group) == found


def check_format(form: Format, root: Path, path: Path, split: str, bad: int) -> None:
    """``path``: an annotation file of ``split`` below ``root``; ``bad`` of its records are that."""
    assert path.name in form.files[split]
    assert form.is_own(path)
    tree = Tree(root)
    blind = form.read(tree, path, split, False, silent).dataset("tested")
    seen = form.read(tree, path, split, True, silent).dataset("tested")
    assert not blind.truths
    assert blind.records
    assert [asdict(one) for one in blind.records] == [asdict(one) for one in seen.records]
    assert blind.skipped == seen.skipped == bad
    assert len({one.id for one in blind.records}) == len(blind.records)
    for one in blind.records:
        assert one.text
        assert one.video.resolve().is_relative_to(root.resolve())
        assert one.source in blind.sources


def doubled(job: int) -> int:
    """The work of ``check_engine``: 3 cannot be read, 5 is a fault of the work's own."""
    if job == 3:
        raise InputError("three is bad", "leave it out")
    if job == 5:
        raise ZeroDivisionError("by five")
    return 2 * job


def check_engine(engine: JobEngine) -> None:
    """Every job once, bad ones as failures of their own; closing it ends it."""
    assert engine.workers >= 1
    found = list(engine.run(iter(range(9)), doubled))
    assert sorted(job for job, _ in found) == list(range(9))
    bad = {job: result.reason for job, result in found if isinstance(result, Failure)}
    assert bad[3] == "three is bad"
    assert set(bad) == {3, 5}
    assert all(result == 2 * job for job, result in found if job not in bad)
    assert list(engine.run([], doubled)) == []
    results = engine.run(range(200), doubled)
    next(results)
    results.close()
