"""What each family of actions looks like: signature -> log odds at every time of a tubelet.

The signatures are those of the parser's verb list. Signs are added as they are found: a bend seen
from the side is wide, one seen from the front is not, so width speaks for it but is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.middle import quantile
from cospal_cli.ranking.body import Body
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.odds import RATE, Curve, highest, mean, odds, usual_step
from cospal_cli.ranking.order import best_stretch
from cospal_cli.ranking.pair import Pair, pairs
from cospal_cli.ranking.terms import MOVING

_CLEAR = 2.0  # nats: less is no more than noise
_STATE = 0.2  # shares that differ less over a life are one state
# Seconds before and after the instant that an action of the hands takes.
_WIND_UP_S, _FOLLOW_S = 0.7, 0.5
_REACH_S = 0.4
_REST_S = 0.8  # a thing that rests does so for that long
_STEP_S = 0.75
_APART_S = 0.5  # between two instants


def curve(signature: str, subject: Candidate, things: Sequence[Candidate] = ()) -> Curve | None:
    """Log odds (T,), nats per second, of the action; None where nothing rises above noise.

    ``things`` are what the sentence names beside the subject: the one that shows most counts, and
    where none does, the subject's own body.
    """
    if len(subject.tubelet) < 5:
        return None
    if signature in WITH:
        found = _clearest([WITH[signature](pair) for pair in pairs(subject, things)], subject)
        if found is not None:
            return found
    return _clearest([ALONE[signature](Body(subject))], subject) if signature in ALONE else None


def _clearest(curves: Sequence[Curve], subject: Candidate) -> Curve | None:
    """The curve whose best stretch holds most nats; None if those are few."""
    step = usual_step(subject.tubelet.times_s)
    best, most = None, _CLEAR
    for one in curves:
        low, high = best_stretch(one)
        if (nats := float(one[low:high].sum()) * step) >= most:
            best, most = one, nats
    return best


def _lower(body: Body) -> Curve:
    """Sits down, kneels, crouches: low, and no wider than before."""
    return odds(body.low, 0.06, 0.12) + np.minimum(odds(body.wide, 0.4, 0.2), 0)


def _bend(body: Body) -> Curve:
    """Bends, picks up: low, wider where seen from the side, not lying."""
    slim = np.minimum(odds(body.wide, 0.9, 0.75), 0)
    return odds(body.low, 0.06, 0.12) + 0.33 * odds(body.wide, 0.15, 0.3) + slim


def _fall(body: Body) -> Curve:
    """Low, wide where lying, and not getting up."""
    getting_up = np.minimum(odds(body.rising, 0.25, 0.15), 0)
    return odds(body.low, 0.12, 0.24) + 0.33 * odds(body.wide, 0.4, 0.7) + 2 * getting_up


def _rise(body: Body) -> Curve:
    return odds(highest(body.rising, *[body.samples(0.2)] * 2), 0.2, 0.4)


def _jump(body: Body) -> Curve:
    """About as fast up and down as gravity makes it."""
    return odds(body.thrust, 2.0, 4.0)


def _turn(body: Body) -> Curve:
    """The upper body's pixels change, on the spot."""
    return odds(body.stir(0, 1), 1.15, 1.4) + body.busy


def _gesture(body: Body) -> Curve:
    """Arms held out, on the spot."""
    return odds(body.wide, 0.1, 0.2) + body.busy


def _event(pair: Pair, instant: Curve, back: float, ahead: float) -> Curve:
    """Of log odds that the action's instant is now, those that it is going on."""
    return highest(instant, pair.samples(ahead), pair.samples(back))


def _peaks(pair: Pair, strength: Curve, even: float, plain: float) -> Curve:
    """Log odds of the instants at which ``strength`` is largest nearby: a step, not its slopes."""
    reach = pair.samples(_APART_S)
    top = strength >= highest(strength, reach, reach)
    return np.where(top, odds(strength, even, plain), -RATE)


def _at_hand(pair: Pair) -> Curve:
    return np.where(pair.together, odds(pair.gap, 0.4, 0.2), -RATE)


def _touches(pair: Pair) -> NDArray[np.bool_]:
    return np.asarray(pair.together & (pair.gap < 0.2))


def _launch(pair: Pair) -> Curve:
    """The thing leaves fast from where the subject is."""
    if not pair.small:
        return _strike(pair)
    leaves = np.maximum(_peaks(pair, pair.parting, 0.6, 1.2), _peaks(pair, pair.starting, 0.6, 1.2))
    instant = np.minimum(leaves, _at_hand(pair))
    if pair.lost_at is not None and _touches(pair)[pair.lost_at]:  # too fast to be found again
        instant[pair.lost_at] = max(instant[pair.lost_at], 0.6 * RATE)
    return _event(pair, instant, _WIND_UP_S, _FOLLOW_S)


def _strike(pair: Pair) -> Curve:
    """Someone is hit: near, and suddenly moved."""
    instant = np.minimum(_peaks(pair, pair.starting, 0.25, 0.5), _at_hand(pair))
    return _event(pair, instant, _FOLLOW_S, _WIND_UP_S)


def _catch(pair: Pair) -> Curve:
    """The thing comes fast, and stays."""
    touched = _peaks(pair, np.where(_touches(pair), pair.before(pair.gap), -1.0), 0.08, 0.2)
    fast = odds(highest(-pair.parting, pair.samples(_REACH_S), 0), 0.3, 0.8)
    return _event(pair, np.minimum(touched, fast), _REACH_S, _WIND_UP_S)


def _obtain(pair: Pair, bent: float = 0.5) -> Curve:
    """The thing lay still, and is raised or drawn to the subject."""
    reach = pair.samples(_REST_S)
    lay = mean(np.hypot(*pair.thing_velocity.T), reach, 0)
    return _hands(pair, -pair.handled[:, 1], -pair.parting, lay, bent)


def _lay(pair: Pair, bent: float = 0.5) -> Curve:
    """The thing is lowered or moved away, to where it stays."""
    reach = pair.samples(_REST_S)
    stays = mean(np.hypot(*pair.thing_velocity.T), 0, reach)
    return _hands(pair, pair.handled[:, 1], pair.parting, stays, bent)


def _hands(pair: Pair, upright: Curve, across: Curve, resting: Curve, bent: float) -> Curve:
    """The thing moves at hand, and rests shortly before or after; a bend speaks for it as well."""
    pace = np.minimum(np.hypot(*pair.handled.T), across)
    moved = np.minimum(odds(np.maximum(upright, pace), 0.12, 0.3), _at_hand(pair))
    rest = highest(odds(resting, 0.25, 0.12), *[pair.samples(_REACH_S)] * 2)
    going_on = _event(pair, np.minimum(moved, rest), _REACH_S, _REACH_S)
    return going_on + bent * np.clip(_bend(Body(pair.subject)), -RATE, RATE)


def _release(pair: Pair) -> Curve:
    """Touching before, not after."""
    instant = _peaks(pair, np.where(_touches(pair), pair.after(pair.gap), -1.0), 0.08, 0.2)
    return _event(pair, instant, _WIND_UP_S, _FOLLOW_S)


def _touch(pair: Pair) -> Curve:
    """The boxes overlap more than at other times."""
    low, high = quantile(pair.shared, 0.1), quantile(pair.shared, 0.95)
    if high - low < _STATE:
        return np.full(len(pair.times_s), -RATE)
    middle = max((low + high) / 2, 0.15)
    return odds(pair.shared, middle, middle + 0.1)


def _shove(pair: Pair) -> Curve:
    """Both move the same way, touching; or the thing is set in motion."""
    pace = np.minimum(np.hypot(*pair.thing_velocity.T), pair.subject.motion.speed)
    joint = np.minimum.reduce(
        [odds(pace, MOVING / 2, MOVING), odds(pair.alike, 0.3, 0.7), _at_hand(pair)]
    )
    return np.maximum(joint, _strike(pair))


def _follow(pair: Pair) -> Curve:
    """Both move the same way, the thing ahead."""
    pace = np.minimum(np.hypot(*pair.thing_velocity.T), pair.subject.motion.speed)
    signs = [odds(pace, MOVING / 2, MOVING), odds(pair.alike, 0.3, 0.7)]
    return np.minimum.reduce([*signs, odds(pair.ahead, 0.0, 0.4)])


def _mount(pair: Pair) -> Curve:
    """The boxes come to overlap, and stay so; or the subject is lost there."""
    return _boarding(pair, pair.change(pair.shared), -1, pair.subject.leaves)


def _dismount(pair: Pair) -> Curve:
    return _boarding(pair, -pair.change(pair.shared), 0, pair.subject.enters)


def _boarding(pair: Pair, change: Curve, end: int, lost: bool) -> Curve:
    instant = _peaks(pair, change, 0.15, 0.35)
    if lost and pair.shared[end] > 0.5:  # inside the car
        instant = np.full(len(change), -RATE)
        instant[end] = RATE
    return _event(pair, instant, _STEP_S, _STEP_S)


def _stop(body: Body) -> Curve:
    """Moving before, at rest after: the last steps, and a moment of rest."""
    pace, reach = body.candidate.motion.pace.astype(np.float64), body.samples(_STEP_S)
    slowed = mean(pace, reach, 0) - mean(pace, 0, reach)
    top = slowed >= highest(slowed, reach, reach)
    at_rest = odds(mean(pace, 0, reach), MOVING, MOVING / 2)
    instant = np.where(top, np.minimum(odds(slowed, MOVING / 2, MOVING), at_rest), -RATE)
    return highest(instant, reach, reach)


def _lost(body: Body) -> Curve:
    """The end of who is not seen any more: inside the car."""
    return _edge(body, body.candidate.leaves, body.times_s[-1])


def _found(body: Body) -> Curve:
    return _edge(body, body.candidate.enters, body.times_s[0])


def _edge(body: Body, there: bool, time: float) -> Curve:
    near = np.abs(body.times_s - time) <= 2 * _STEP_S
    return np.where(near & there, RATE, -RATE)


ALONE: Mapping[str, Callable[[Body], Curve]] = {
    "lower": _lower, "bend": _bend, "fall": _fall, "rise": _rise, "jump": _jump, "turn": _turn,
    "gesture": _gesture, "pick": _bend, "put": _bend, "stop": _stop, "mount": _lost,
    "dismount": _found,
}  # fmt: skip
WITH: Mapping[str, Callable[[Pair], Curve]] = {
    "touch": _touch, "launch": _launch, "catch": _catch, "release": _release, "shove": _shove,
    "follow": _follow, "mount": _mount, "dismount": _dismount, "obtain": _obtain, "lay": _lay,
    "pick": partial(_obtain, bent=1.0), "put": partial(_lay, bent=1.0),
}  # fmt: skip
