"""Rules about positions: jumps that no ship makes, positions that are missing or far from the navigation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eventlog.naming import metres
from eventlog.redpen.finding import Finding, Row, revise, span

KNOT_MPS = 1852 / 3600
FASTEST_MPS = 25 * KNOT_MPS
# What rounding a typed position and a typed minute may add to a distance.
SLACK_M = 1000.0
# A typed position may be that of the gear, or of the ship a few minutes before.
FAR_M = 1852.0
SHOWN = 50


def jumps(rows: Sequence[Row]) -> Iterator[Finding]:
    """Pairs of consecutive positions that ask for more than 25 knots; `rows` are in the order of their times.

    Of three positions of which the middle one is out, that one is named.
    """
    known = [row for row in rows if row.place is not None]
    index = 1
    while index < len(known):
        before, row = known[index - 1], known[index]
        if not too_fast(before, row):
            index += 1
            continue
        after = known[index + 1] if index + 1 < len(known) else None
        if after is not None and not too_fast(before, after):
            # The middle one alone is out: it is taken from the track.
            yield jump(before, row, row)
            del known[index]
            continue
        earlier = known[index - 2] if index > 1 else None
        if earlier is not None and too_fast(earlier, before) and not too_fast(earlier, row):
            yield jump(before, row, before)
        else:
            yield jump(before, row, row)
        index += 1


def too_fast(one: Row, other: Row) -> bool:
    """Whether the ship would have had to make more than 25 knots from one position to the other."""
    if one.place is None or other.place is None:
        return False
    distance = metres(one.place, other.place) - SLACK_M
    return distance > FASTEST_MPS * abs((other.at - one.at).total_seconds())


def jump(before: Row, row: Row, culprit: Row) -> Finding:
    """The finding about a jump; its fixes are those that bring the position back into reach."""
    assert before.place is not None and row.place is not None  # noqa: PT018 - both are given by the caller
    distance, seconds = metres(before.place, row.place), (row.at - before.at).total_seconds()
    knots = f"{distance / seconds / KNOT_MPS:,.0f} kn" if seconds else "no time at all"
    far = f"{distance / 1852:,.1f} nm in {span(seconds)}"
    sentence = f"From {before} to {row} the ship jumps {far} ({knots})."
    other = row if culprit is before else before
    fixes = []
    if culprit.latitude is not None and culprit.nav_latitude is not None:
        fixes.append(revise(culprit, "Take the position from the navigation", latitude=None, longitude=None))
    for latitude, longitude, label in _slips(culprit):
        moved = Row("", "", culprit.at, latitude=latitude, longitude=longitude)
        if not too_fast(other, moved):
            fixes.append(revise(culprit, label, latitude=latitude, longitude=longitude))
    return Finding("jump", "error", sentence, [before.uuid, row.uuid], fixes=fixes)


def _slips(row: Row) -> list[tuple[float, float, str]]:
    if row.latitude is None or row.longitude is None:
        return []
    return [
        (row.latitude, -row.longitude, f"The other side of Greenwich: {-row.longitude:.5f}"),
        (-row.latitude, row.longitude, f"The other side of the equator: {-row.latitude:.5f}"),
    ]


def missing(rows: Sequence[Row]) -> Iterator[Finding]:
    """Events without any position, as one finding."""
    without = [row for row in rows if row.place is None]
    if without:
        count = f"{len(without):,} event{'s have' if len(without) > 1 else ' has'}"
        sentence = f"{count} no position. It fills by itself when navigation of that time comes in."
        yield Finding("no-position", "hint", sentence, [row.uuid for row in without[:SHOWN]], about="all")


def far_from_navigation(row: Row) -> Iterator[Finding]:
    """A typed position that the navigation contradicts."""
    if row.latitude is None or row.longitude is None or row.nav_latitude is None or row.nav_longitude is None:
        return
    apart = metres((row.latitude, row.longitude), (row.nav_latitude, row.nav_longitude))
    if apart > FAR_M + (row.nav_uncertainty_m or 0.0):
        fix = revise(row, "Take the position from the navigation", latitude=None, longitude=None)
        sentence = f"The position typed for {row} is {apart / 1852:,.1f} nm from that of the navigation."
        yield Finding("far-position", "warning", sentence, [row.uuid], fixes=[fix])
