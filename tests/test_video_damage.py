"""Files that are missing, damaged, or no video at all: survived, and told in plain words."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.settings import VideoConfig
from cospal_cli.video import probe
from cospal_cli.video.reader import VideoReader
from tests import media


def read(path: Path, **settings: object) -> tuple[VideoReader, list[int]]:
    with VideoReader(path, VideoConfig(**settings)) as reader:
        return reader, [media.number_of(frame.image) for frame in reader.frames()]


def refused(path: Path) -> InputError:
    """The error of opening ``path``, which names it and says what to do."""
    with pytest.raises(InputError) as caught:
        VideoReader(path, VideoConfig())
    assert path.name in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 4
    return caught.value


def test_missing_file(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.mp4")
    assert "no such file" in error.message
    assert ".mkv" in error.hint


def test_no_read_permission(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(clip))

    monkeypatch.setattr(probe, "open_regular", forbidden)  # root may read everything
    assert "no permission" in refused(clip).message


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    error = refused(tmp_path)
    assert "is a folder, with 0 video files" in error.message
    assert ".mp4 " in error.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"just some words\n" * 200, bytes(100_000), b"ID3\x04"],
    ids=["empty", "text", "zeros", "id3 head"],
)
@pytest.mark.parametrize("suffix", ["mp4", "txt", "bin"])
def test_not_a_video(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    assert "not a video" in refused(path).message


def test_mp4_without_its_index(clip: Path, tmp_path: Path) -> None:
    assert clip.read_bytes().index(b"mdat") < clip.read_bytes().index(b"moov")
    error = refused(media.cut(clip, tmp_path / "cut.mp4", 0.5))
    assert "index" in error.message
    assert "rebuild" in error.hint


NOISE = np.random.default_rng(0).integers(0, 60, (40, 120, 160, 3), np.uint8)


def noisy(number: int, size: tuple[int, int]) -> np.ndarray:
    """A numbered frame that does not compress away, so that cuts hit pictures."""
    return np.minimum(media.numbered(number, size), 195) + NOISE[number]


@pytest.mark.parametrize(
    ("suffix", "container_options"),
    [
        ("mkv", {}),
        ("mp4", {"movflags": "+faststart"}),
        ("mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("ts", {}),
        ("avi", {}),
    ],
    ids=["mkv", "mp4", "fragmented", "ts", "avi"],
)
def test_cut_in_the_middle(tmp_path: Path, suffix: str, container_options: dict[str, str]) -> None:
    whole = media.make(
        tmp_path / f"whole.{suffix}",
        40,
        size=(160, 120),
        picture=noisy,
        codec="mpeg4" if suffix == "avi" else "libx264",
        options={"g": "10"},
        container_options=container_options,
    )
    path = media.cut(whole, tmp_path / f"cut.{suffix}", 0.6, odd=1)
    reader, numbers = read(path)
    assert 5 < len(numbers) < 40
    assert numbers[:5] == list(range(5))
    told = " ".join(reader.warnings)
    assert f"decoded {len(numbers)} " in told
    if suffix in ("mkv", "avi") or "+faststart" in container_options.values():
        assert "40" in told  # the number that was promised
    with pytest.raises(InputError, match="damaged"):
        read(path, strict=True)
    assert read(whole, strict=True)[1] == list(range(40))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_in_the_middle(tmp_path: Path, suffix: str, seed: int) -> None:
    whole = media.make(
        tmp_path / f"whole.{suffix}",
        40,
        size=(160, 120),
        picture=noisy,
        options={"g": "10"},
        container_options={"movflags": "+faststart"} if suffix == "mp4" else {},
    )
    path = media.scrambled(whole, tmp_path / f"bad.{suffix}", 0.4, 3000, seed)
    reader, numbers = read(path)
    assert len(numbers) >= 20
    assert numbers[:5] == list(range(5))
    assert (np.diff(reader.timeline.times_s) > 0).all()
    assert any("damaged" in text or "decoded" in text for text in reader.warnings)
    with pytest.raises(InputError, match="damaged"):
        read(path, strict=True)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("m4a", "aac"), ("wav", "pcm_s16le"), ("mp4", "aac")]
)
def test_sound_only(tmp_path: Path, suffix: str, codec: str) -> None:
    path = media.make_sound(tmp_path / f"song.{suffix}", codec=codec)
    assert "no video stream" in refused(path).message


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("libmp3lame", rate=44100, layout="mono")
        art = out.add_stream("mjpeg", rate=1)
        art.width, art.height, art.pix_fmt = 64, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(media.numbered(1), "rgb24").reformat(format="yuvj420p")
        frame.pts = 0
        out.mux(art.encode(frame))
        out.mux(art.encode(None))
        media._write_sound(out, sound, 1.0)
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    error = refused(path)
    assert "no video stream" in error.message
    assert "cover art" in error.message


def test_no_frame_can_be_decoded(tmp_path: Path) -> None:
    whole = media.make(tmp_path / "w.mkv", 10, size=(160, 120), picture=noisy)
    data = bytearray(whole.read_bytes())
    start = data.index(b"\x1f\x43\xb6\x75") + 16  # the first cluster
    data[start:] = bytes(len(data) - start)
    path = tmp_path / "none.mkv"
    path.write_bytes(data)
    assert "can be decoded" in refused(path).message


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
    "hls with a byte order mark": "\ufeff#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "dash": '<?xml version="1.0"?><MPD><Period><BaseURL>{target}</BaseURL></Period></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "plain list": "file '{target}'\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.txt", "list.mpd", "list.sdp"])
@pytest.mark.parametrize("local", [True, False])
def test_playlists_are_not_followed(
    clip: Path, tmp_path: Path, kind: str, name: str, local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = str(clip) if local else "http://127.0.0.1:9/secret.mp4"
    path = tmp_path / name
    path.write_text(PLAYLISTS[kind].format(target=target))
    assert "not a video" in refused(path).message
    # Nor without the look at the first bytes: the demuxers themselves are shut out.
    monkeypatch.setattr(probe, "_PLAYLISTS", ())
    assert "not a video" in refused(path).message


def test_a_size_that_no_file_has_is_damage_not_a_small_machine(tmp_path: Path) -> None:
    whole = media.make(tmp_path / "a.ivf", 10, codec="libvpx")
    data = bytearray(whole.read_bytes())
    at = 32  # of the file's header; then a frame: its size in 4 bytes, its time in 8
    for _ in range(5):
        at += 12 + int.from_bytes(data[at : at + 4], "little")
    data[at : at + 4] = (0x80000000).to_bytes(4, "little")
    whole.write_bytes(data)
    with VideoReader(whole, VideoConfig()) as reader:
        assert len(list(reader.frames())) == 5
    assert reader.timeline.damaged
    assert "reading stopped" in reader.warnings[0]
