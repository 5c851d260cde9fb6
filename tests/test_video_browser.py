"""What is cut out and drawn, in a real browser. Skipped where there is no Chromium."""

from __future__ import annotations

import base64
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video.clip import write_clip, write_crop
from cospal_cli.video.copy_clip import write_copy
from cospal_cli.video.writer import Overlay, write_annotated
from tests import media
from tests.chromium import Chromium, executable
from tests.test_video_clip import UNEVEN, moment, with_clicks

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")

# Shows the video at some times and reads the eight blocks of the number; plays it to the end;
# decodes the sound and finds the loud places.
PLAY = """(async () => {
  const bytes = Uint8Array.from(atob("%s"), one => one.charCodeAt(0));
  const video = document.createElement("video");
  const until = name => new Promise((done, fail) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener("error", () => fail(new Error(video.error.message)), {once: true});
  });
  const ready = until("canplaythrough");
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
  await ready;
  const [width, height] = [video.videoWidth, video.videoHeight];
  const pen = new OffscreenCanvas(width, height).getContext("2d");
  const numbers = [];
  for (const time of %s) {
    const there = until("seeked"), late = new Promise(done => setTimeout(done, 600));
    const painted = new Promise(done => video.requestVideoFrameCallback(done));
    video.currentTime = time;
    await there;
    await Promise.race([painted, late]);  // the frame that is shown already is not painted again
    pen.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < 8; bit++) {
      const pixel = pen.getImageData((bit + 0.5) * width / 8, height / 4, 1, 1).data;
      number += (pixel[0] + pixel[1] + pixel[2] > 384) << bit;
    }
    numbers.push(number);
  }
  const back = until("seeked"), ended = until("ended");
  video.currentTime = 0;
  await back;
  video.playbackRate = 4;
  await video.play();
  await ended;
  const loud = [];
  try {
    const context = new OfflineAudioContext(1, 44100, 44100);
    const sound = (await context.decodeAudioData(bytes.buffer)).getChannelData(0);
    for (let at = 0, last = -9999; at < sound.length; at++)
      if (Math.abs(sound[at]) > 0.3) { if (at - last > 4410) loud.push(at / 44100); last = at; }
  } catch (error) { }
  return {width, height, numbers, loud, duration: video.duration, end: video.currentTime};
})()"""


def played(path: Path, times: list[float]) -> dict[str, Any]:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    with Chromium() as browser:
        reply = browser.send(
            "Runtime.evaluate", expression=PLAY % (data, times), awaitPromise=True,
            returnByValue=True,
        )  # fmt: skip
    assert "exceptionDetails" not in reply, reply["exceptionDetails"]
    found: dict[str, Any] = reply["result"]["value"]
    return found


def test_a_clip_plays_from_its_first_frame_to_its_last_with_its_sound(tmp_path: Path) -> None:
    bare = media.make(tmp_path / "bare.mp4", 100, fps=25, size=(320, 240))
    source = with_clicks(bare, tmp_path / "v.mkv", "pcm_s16le")
    write_clip(moment(source, 25, 73), tmp_path / "clip.mp4")
    seen = played(tmp_path / "clip.mp4", [0.0, 0.02, 0.42, 1.7, 1.9])
    assert seen["numbers"] == [25, 25, 35, 67, 72]
    assert seen["duration"] == pytest.approx(1.92, abs=0.025)
    assert seen["end"] == pytest.approx(1.92, abs=0.05)
    assert seen["loud"] == pytest.approx([0.3, 1.0, 1.75], abs=0.025)


def test_uneven_frames_are_shown_as_long_as_in_the_source(tmp_path: Path) -> None:
    source = media.make(tmp_path / "v.mp4", len(UNEVEN), pts=UNEVEN, time_base=Fraction(1, 100))
    write_clip(moment(source, 6, 15), tmp_path / "clip.mp4")  # 3.3 to 7.0 s
    seen = played(tmp_path / "clip.mp4", [0.05, 0.6, 3.05, 3.2, 3.6])
    assert seen["numbers"] == [6, 8, 13, 14, 14]
    assert seen["duration"] == pytest.approx(3.7, abs=0.01)


def test_a_copy_and_a_crop_play_too(tmp_path: Path) -> None:
    source = media.make(
        tmp_path / "v.mp4", 60, size=(320, 240), options={"g": "20"}, audio="aac", lossless=False
    )
    wanted = moment(source, 25, 50, box=(100, 60, 160, 200))
    copied = write_copy(wanted, tmp_path / "copy.mp4")
    first = round(copied.span_s[0] * 10)
    assert 0 < first <= 25
    seen = played(tmp_path / "copy.mp4", [0.05, 2.45])
    assert seen["numbers"] == [first, first + 24]
    assert seen["duration"] == pytest.approx(copied.span_s[1] - copied.span_s[0], abs=0.05)
    write_crop(wanted, tmp_path / "crop.mp4")
    seen = played(tmp_path / "crop.mp4", [1.0])
    assert 64 <= seen["width"] < 320
    assert seen["duration"] == pytest.approx(2.5, abs=0.05)


def test_the_annotated_video_plays(tmp_path: Path) -> None:
    source = media.make(tmp_path / "v.mp4", 30, size=(320, 240), audio="aac")
    shown = Overlay([moment(source, 5, 20).tube], "the red thing")
    write_annotated(source, tmp_path / "out.mp4", shown, VideoConfig(), OutputConfig())
    seen = played(tmp_path / "out.mp4", [0.05, 1.05, 2.95])
    assert seen["numbers"] == [0, 10, 29]
    assert seen["duration"] == pytest.approx(3.0, abs=0.05)
