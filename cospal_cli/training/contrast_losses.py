"""The losses of the contrast as pure functions of tensors (docs/method.md).

Axes: S sentences and their S videos, in the same order; K tubelets per video; Q sub-phrases in all.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NEVER = -1e4  # logit of what is no alternative


def both_ways(scores: Tensor, same_video: Tensor) -> Tensor:
    """CE2: each sentence must find its video, each video its sentence. A scalar.

    ``scores`` (S, S), sentence by video; ``same_video`` (S, S): pairs that are no negatives.
    """
    own = torch.arange(len(scores), device=scores.device)
    others = same_video & ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(others, NEVER)
    return functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)


def joint_scores(who: Tensor, when: Tensor, own: Tensor) -> Tensor:
    """A + sum_j V_j (S, S, K): ``who`` (S, S, K), ``when`` (Q, S, K), ``own`` (Q,) sentences."""
    return who.index_add(0, own, when)


def subject_chances(joint: Tensor, there: Tensor) -> Tensor:
    """log pi (S, K): how likely each tubelet is its own sentence's subject. Without gradient."""
    own = torch.arange(len(joint), device=joint.device)
    return joint[own, own].detach().masked_fill(~there, NEVER).log_softmax(dim=-1)


def phrase_loss(
    when: Tensor, chances: Tensor, own: Tensor, verbs: Tensor, same_video: Tensor
) -> Tensor:
    """L_phrase: each sub-phrase among the videos' likely subjects, and among all sub-phrases.

    ``when`` V (Q, S, K); ``chances`` log pi (S, K); ``own`` (Q,): the sub-phrase's sentence;
    ``verbs`` (Q,): equal numbers begin with the same verb; ``same_video`` (S, S).

    A video whose sentence has the same verb is no negative; nor is, for a video, another
    sub-phrase of its sentence, or one with a verb of it.
    """
    scores = (when + chances).logsumexp(dim=-1)  # (Q, S)
    alike = verbs.unsqueeze(1) == verbs.unsqueeze(0)  # (Q, Q)
    # (Q, S): the sentence of the video has this verb, or the video is the sub-phrase's own
    known = torch.zeros(scores.shape, dtype=torch.long, device=scores.device)
    known = known.index_add(1, own, alike.long()) > 0
    known = known | same_video[own]
    mine = functional.one_hot(own, scores.shape[1]).bool()
    among_videos = functional.cross_entropy(scores.masked_fill(known & ~mine, NEVER), own)

    at = torch.arange(len(own), device=own.device)
    itself = torch.eye(len(own), dtype=torch.bool, device=own.device)
    by_video = scores[:, own].T  # (Q, Q): the video of the row, the sub-phrase of the column
    described = known[:, own].T
    among_phrases = functional.cross_entropy(by_video.masked_fill(described & ~itself, NEVER), at)
    return among_videos + among_phrases
