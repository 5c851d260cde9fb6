"""The files of one video: the MP4, what a simulated detector finds in it, and the facts."""

from __future__ import annotations

import json
from pathlib import Path

from cospal_cli.core.files import replacing, write_text
from cospal_cli.core.json_types import JsonDict
from cospal_cli.datasets.synthetic import render, simulate
from cospal_cli.datasets.synthetic.recipe import Recipe
from cospal_cli.datasets.synthetic.scene import Scene, compose
from cospal_cli.detect import from_file

VIDEOS, DETECTIONS, FACTS = "videos", "detections", "scenes"


def place(folder: Path, kind: str, name: str) -> Path:
    """Where a video's file of one kind is; ``name`` has no ending."""
    return folder / kind / (name + {VIDEOS: ".mp4", DETECTIONS: ".jsonl", FACTS: ".json"}[kind])


def write_video(recipe: Recipe, folder: Path, number: int) -> int:
    """Write one video with its detections and facts; the number of frames."""
    scene = compose(recipe, number)
    encode(scene, place(folder, VIDEOS, scene.name))
    boxes = simulate.detections(scene)
    from_file.write(place(folder, DETECTIONS, scene.name), boxes, simulate.CLASSES)
    write_text(place(folder, FACTS, scene.name), json.dumps(facts_of(scene), indent=1) + "\n")
    return scene.frames


def encode(scene: Scene, target: Path) -> None:
    """Write the scene's frames as H.264 in MP4; one thread, so that the bytes are the same."""
    import av

    recipe = scene.recipe
    # Without "cpu-independent" the same frames make other bytes now and then.
    options = {
        "crf": str(recipe.crf), "preset": "veryfast", "threads": "1",
        "x264-params": "cpu-independent=1",
    }  # fmt: skip
    with replacing(target) as part, av.open(f"file:{part}", "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=recipe.fps, options=options)
        stream.width, stream.height = recipe.size
        stream.pix_fmt = "yuv420p"
        for image in render.frames(scene):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))


def facts_of(scene: Scene) -> JsonDict:
    """All that is true of a scene; ``record`` is what HC-STVG would say of it."""
    recipe, (start, end) = scene.recipe, scene.span
    corners = scene.boxes()[start:end].astype(float).round(1)
    width, height = recipe.size
    record = {
        "bbox": [[x, y, round(x2 - x, 1), round(y2 - y, 1)] for x, y, x2, y2 in corners.tolist()],
        "st_time": round(start / recipe.fps, 3),
        "ed_time": round(end / recipe.fps, 3),
        "img_num": scene.frames,
        "caption": scene.sentence,
        "width": width,
        "height": height,
        "st_frame": start + 1,
        "fps": recipe.fps,
    }
    return {
        "synthetic": True,
        "video": f"{scene.name}.mp4",
        "test": recipe.is_test(scene.number),
        "clothes": dict(scene.meaning.clothes),
        "actions": list(scene.meaning.kinds),
        **({"background": scene.background} if scene.background else {}),
        "actors": [
            {
                "role": actor.role,
                "kind": actor.outfit.kind,
                "wears": {p: f"{w.colour} {w.cut}" for p, w in actor.outfit.pieces.items()},
                "acts": [[act.kind, act.start, act.end] for act in actor.acts],
            }
            for actor in scene.actors
        ],
        "record": record,
    }
