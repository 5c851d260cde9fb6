"""The former home of the records that pass from stage to stage; it goes with the next version."""

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.clips import Clips
from cospal_cli.core.frames import FrameBatch, Timeline, TimeRule, VideoInfo
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.phrases import Phrase, Phrases, WordVectors
from cospal_cli.core.query import Action, Attribute, Excluded, Query, Relation
from cospal_cli.core.tube import Tube
from cospal_cli.core.tubelets import BoxColours, Detections, Tubelet

__all__ = [
    "Action", "Attribute", "BoxColours", "Clips", "Detections", "Excluded", "FloatArray",
    "FrameBatch", "GroundingInputs", "GroundingScores", "IntArray", "Phrase", "Phrases", "Query",
    "Relation", "TimeRule", "Timeline", "Tube", "Tubelet", "VideoInfo", "WordVectors",
]  # fmt: skip
