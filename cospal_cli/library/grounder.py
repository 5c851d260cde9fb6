"""A grounder with a memory: it takes stored observations of a library, and adds what it lacks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cospal_cli import detect, weights
from cospal_cli.core.clips import Clips
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import HeadFeatures, Observation
from cospal_cli.core.phrases import Phrases
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.query import Query
from cospal_cli.features.appearance import WEIGHTS as CLASSIFIER
from cospal_cli.features.spec import clips_part
from cospal_cli.grounder import Grounder
from cospal_cli.library.keys import ObservationKey, key_of, recipe_of
from cospal_cli.library.stored import Extras, same
from cospal_cli.settings import Config, DetectorConfig, changed

if TYPE_CHECKING:
    from cospal_cli.library.store import Store
    from cospal_cli.ranking.heads import Heads
    from cospal_cli.result import Result

_KEPT = 4  # observations in memory


@dataclass(frozen=True)
class Kept:
    """An observation in memory, and where it is stored."""

    observation: Observation
    key: ObservationKey
    config: Config  # with the settings that it was made with
    known: frozenset[int] = frozenset()  # tubelets whose appearance is stored
    clips: JsonDict | None = None  # how its clips were encoded, for heads that are not asked now


def _open_late(config: DetectorConfig) -> detect.Detector:
    if config.name != "nanodet":
        return detect.open_detector(config)
    from cospal_cli.detect.nanodet import NanoDet

    late: detect.Detector = cast(detect.Detector, NanoDet(config, late=True))
    return late


class LibraryGrounder(Grounder):
    """A ``Grounder`` that watches no video a second time.

    The embedded models are opened when they are needed, so that a question about stored videos
    opens none. What the classifier sees is stored too.
    """

    def __init__(
        self,
        store: Store,
        config: Config,
        detector: detect.Detector | None = None,
        heads: Heads | None = None,
        describes: bool = False,
    ) -> None:
        """``describes``: what is watched is classified before it is stored, so that no question
        needs to."""
        chosen, _ = detect.resolve(config.detector)
        own = detector or _open_late(chosen)
        super().__init__(config, own, heads)
        self.store, self.describes = store, describes
        self._recipe = recipe_of(self.config, own.model_sha256)
        self._memory: OrderedDict[str, Kept] = OrderedDict()

    @classmethod
    def over(
        cls,
        store: Store,
        config: Config,
        checkpoint: Path | None = None,
        stated: AbstractSet[str] = frozenset(),
        describes: bool = False,
    ) -> LibraryGrounder:
        """As ``Grounder.open``, over the observations in ``store``."""
        if checkpoint is None:
            return cls(store, config, describes=describes)
        from cospal_cli.ranking.heads import completed, open_heads

        config = completed(config, changed(config) | stated, checkpoint)
        detector = detect.open_detector(config.detector)
        heads = open_heads(checkpoint, config, detector)
        return cls(store, config, detector, heads, describes)

    def within(self, start: str | None, end: str | None) -> Grounder:
        """See ``Grounder.within``."""
        part = super().within(start, end)
        if part is self:
            return self
        return LibraryGrounder(self.store, part.config, self.detector, self.heads)

    def key(self, video: Path | str, prompt: Query | None = None) -> ObservationKey:
        """What the observation of ``video`` depends on, as the video is now. InputError."""
        said = prompt.text if prompt is not None and self._prompted else ""
        return key_of(Path(video), self._recipe, said)

    def has(self, key: ObservationKey) -> bool:
        """Whether the observation of ``key`` is stored, with all that questions will need."""
        file = self.store.read(key)
        if file is None:
            return False
        extras = self._extras()
        shown = not self.config.appearance.enabled or file.shows_all(extras.appearance)
        return shown and (self._encoder is None or same(file.extras.clips, extras.clips))

    def observe(
        self,
        video: Path | str,
        prompt: Query | None = None,
        progress: Progress = silent,
        stopped: Callable[[], bool] = never,
        clips: Clips | None = None,
    ) -> Observation:
        """See ``Grounder.observe``: the stored observation, if there is one of this very video,
        settings and models; else a new one, which is stored."""
        key = self.key(video, prompt)
        kept = self._remembered(key, Path(video))
        if kept is None:
            observation = super().observe(video, prompt, progress, stopped, clips)
            if observation.interrupted:
                return observation
            kept = self._store(Kept(observation, key, self.config))
        elif self._encoder is not None and kept.observation.clips is None:
            encoded = self._encoded(kept.observation, video, self.config.video, self._encoder)
            kept = self._store(replace(kept, observation=encoded))
        return kept.observation

    def answer(
        self,
        observation: Observation,
        query: Query | str,
        features: HeadFeatures | None = None,
        phrases: Phrases | None = None,
    ) -> Result:
        """See ``Grounder.answer``; what the classifier saw for it is stored."""
        result = super().answer(observation, query, features, phrases)
        kept = next((k for k in self._memory.values() if k.observation is observation), None)
        if kept is not None:
            self._store_appearance(kept)
        return result

    def complete(self, observation: Observation) -> None:
        """Describe one that was stored undescribed."""
        for kept in list(self._memory.values()):
            undescribed = {one.id for one in observation.tubelets} - kept.known
            if kept.observation is observation and undescribed:
                self._store(kept)

    @property
    def _prompted(self) -> bool:
        return self.detector is not None and self.detector.prompted

    def _remembered(self, key: ObservationKey, video: Path) -> Kept | None:
        """The observation of ``key`` from memory or its file; None where there is none of today."""
        kept = self._memory.get(key.name)
        if kept is not None and kept.key == key and kept.observation.info.path == str(video):
            self._memory.move_to_end(key.name)
            return kept
        file = self.store.read(key)
        if file is None:
            return None
        observation = file.observation(video)
        if self.config.video.strict and observation.timeline.damaged:
            return None  # watching says what is wrong
        if self._encoder is not None and not same(file.extras.clips, self._extras().clips):
            observation = observation.without_clips()
        if not same(file.extras.appearance, self._extras().appearance):
            observation = replace(observation, appearance={})
        known = frozenset(observation.appearance)
        return self._keep(
            Kept(observation, key, file.config(self.config), known, file.extras.clips)
        )

    def _keep(self, kept: Kept) -> Kept:
        self._memory[kept.key.name] = kept
        while len(self._memory) > _KEPT:
            self._memory.popitem(last=False)
        return kept

    def _store(self, kept: Kept) -> Kept:
        """Into the library, unless another process is about the same video just now."""
        shared, shown = self._of(kept.observation), kept.observation.appearance
        if self.describes and shared.appearance_of is not None:
            for candidate in shared.candidates:
                shared.appearance_of(candidate)
            shown = shared.appearance.found()
        whole = replace(kept.observation, appearance=shown)
        self.store.add(kept.key, whole, kept.config, self._extras(kept.clips), shared.candidates)
        return self._keep(replace(kept, known=frozenset(shown)))

    def _store_appearance(self, kept: Kept) -> None:
        shared = self._of(kept.observation)
        shown = shared.appearance.found()
        if shown.keys() - kept.known:
            described = replace(kept.observation, appearance=shown)
            self.store.add(
                kept.key, described, kept.config, self._extras(kept.clips), shared.candidates
            )
            self._keep(replace(kept, known=frozenset(shown)))

    def _extras(self, clips: JsonDict | None = None) -> Extras:
        """Of what is stored now; ``clips``: how those are encoded that are only kept."""
        crops = self.config.appearance.crops
        appearance = {"sha256": weights.sha256(CLASSIFIER), "crops": crops}
        encoder = self._encoder
        return Extras(clips if encoder is None else clips_part(encoder.config, encoder), appearance)
