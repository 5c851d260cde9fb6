"""Grounding DINO-T at full size on a CPU: seconds per frame, memory, and what the pipeline adds.

    python benchmarks/grounding_dino_cpu.py examples/bikes.mp4 [--frames 12] [--rounds 3]

The weights are random, of the released tiny model's sizes: time and memory do not depend on their
values, boxes do, so the threshold is set where a handful a frame pass. In every round the forward
passes alone and cospal's whole first pass see the same frames; the ratio is the median over the
rounds. Prints one JSON object. Needs the extra cospal[torch], no download.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cospal_cli import weights
from cospal_cli.bench import timing
from cospal_cli.core.frames import FrameBatch
from cospal_cli.core.registry import require
from cospal_cli.detect import Detector, detect, open_detector
from cospal_cli.grounder import Grounder
from cospal_cli.language.parser.parse import parse
from cospal_cli.settings import Config, DetectorConfig, VideoConfig
from cospal_cli.video.reader import VideoReader

BOXES = 5  # a frame
RELEASED = {  # the sizes of the released tiny model; the defaults of transformers must be these
    "d_model": 256,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_ffn_dim": 2048,
    "decoder_ffn_dim": 2048,
    "encoder_attention_heads": 8,
    "num_queries": 900,
    "num_feature_levels": 4,
    "max_text_len": 256,
}
ONE = (np.zeros(1, np.int64), np.zeros(1))  # index and time of a single frame
BACKBONE = {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24], "window_size": 7}


def save_random(folder: Path) -> int:
    """Write the model to ``folder``; the number of its weights."""
    torch: Any = require("torch", "torch")
    transformers: Any = require("transformers", "torch")
    config = transformers.GroundingDinoConfig()
    found = {name: getattr(config, name) for name in RELEASED}
    backbone = {name: list_of(getattr(config.backbone_config, name)) for name in BACKBONE}
    assert found == RELEASED, found
    assert backbone == BACKBONE, backbone
    assert (config.text_config.hidden_size, config.text_config.num_hidden_layers) == (768, 12)
    torch.manual_seed(0)
    model = transformers.AutoModelForZeroShotObjectDetection.from_config(config)
    model.model.decoder.layer_norm.weight.data *= 0.1  # else nearly all scores are exactly 1
    model.save_pretrained(folder)
    shutil.copy(weights.path("bert_vocab"), folder / "vocab.txt")
    tokenizer = transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=512)
    tokenizer.save_pretrained(folder)
    return sum(weight.numel() for weight in model.parameters())


def list_of(value: Any) -> Any:
    """Tuples as lists, for the comparison with a configuration."""
    return list(value) if isinstance(value, tuple) else value


def read(video: Path, config: VideoConfig, detector: Detector) -> list[FrameBatch]:
    """The frames that the pipeline samples."""
    side = max(config.work_side, detector.image_side)
    with VideoReader(video, replace(config, work_side=side)) as reader:
        return list(reader.batches(detector.batch))


def threshold(detector: Detector, batches: list[FrameBatch]) -> float:
    """The score that BOXES boxes a frame reach on the first frames."""
    found = [one for batch in batches[:3] for one in detect(detector, batch)]
    return float(np.mean([np.sort(one.scores)[-min(BOXES, len(one))] for one in found]))


def measure(video: Path, text: str, frames: int, rounds: int, threads: int) -> dict[str, Any]:
    """All figures."""
    query = parse(text)
    with tempfile.TemporaryDirectory() as folder:
        count = save_random(Path(folder))
        settings = DetectorConfig("grounding-dino", device="cpu", model=folder, threads=threads)
        seen = VideoConfig(duration=f"{frames / VideoConfig.fps}s")
        loose = open_detector(replace(settings, threshold=0.0)).prompt(query)
        batches = read(video, seen, loose)
        least = threshold(loose, batches)
        del loose
        detector = open_detector(replace(settings, threshold=least)).prompt(query)
    full = FrameBatch(np.zeros((1, 800, 1333, 3), np.uint8), *ONE, size=(1333, 800))
    largest = [timing.seconds(lambda: detect(detector, full)) for _ in range(rounds + 1)][1:]
    config = Config(video=seen, detector=detector.config)
    inputs = [detector.prepare(batch) for batch in batches]
    boxes = sum(len(one) for batch in batches for one in detect(detector, batch))
    works: dict[str, timing.Work] = {
        "forward": lambda: [detector.run(pixels) for pixels in inputs],
        "pipeline": lambda: Grounder(config, detector).observe(video),
    }
    busy: dict[str, list[float]] = {name: [] for name in works}
    counted = {name: partial(processor_seconds, work, busy[name]) for name, work in works.items()}
    spent = timing.alternate(counted, rounds)
    sampled = sum(map(len, batches))
    return {
        "weights_millions": round(count / 1e6, 1),
        "s_a_frame_800x1333": round(statistics.median(largest), 3),
        "input": list(inputs[0].shape[1:3]),
        "frames": sampled,
        "threads": require("torch", "torch").get_num_threads(),
        "boxes_a_frame": round(boxes / sampled, 1),
        "forward_s_a_frame": round(statistics.median(spent["forward"]) / sampled, 3),
        "pipeline_s_a_frame": round(statistics.median(spent["pipeline"]) / sampled, 3),
        "pipeline_over_forward": round(timing.ratio(spent["pipeline"], spent["forward"]), 4),
        "pipeline_over_forward_processor_time": round(
            timing.ratio(busy["pipeline"], busy["forward"]), 4
        ),
        "each_round": [
            round(a / b, 4) for a, b in zip(spent["pipeline"], spent["forward"], strict=True)
        ],
        "peak_mb": round(timing.peak_mb()),
    }


def processor_seconds(work: timing.Work, spent: list[float]) -> None:
    """Do ``work`` and note what all threads of this process used: other programs do not matter."""
    start = time.process_time()
    work()
    spent.append(time.process_time() - start)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--query", default="the man in white clothes rides a bike down the street")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0: all processors but one")
    arguments = parser.parse_args()
    figures = measure(
        arguments.video, arguments.query, arguments.frames, arguments.rounds, arguments.threads
    )
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
