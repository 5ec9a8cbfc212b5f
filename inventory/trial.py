"""What edited rules would make of a distribution, against the rules in force; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory import assignment
from inventory.classify import BATCH, Device, device
from inventory.models import Dataset, Distribution
from inventory.rules import Matcher
from inventory.suggestions import Group, Suggestion, suggest

MOST_TRIED = 200_000
MOST_LOOKS = 2_000
MOST_GROUPS = 40


@dataclass(slots=True)
class Change:
    """A data set that would gain or lose files: how many it has by the rules in force, and comes, goes, has then."""

    name: str
    before: int
    gained: int
    lost: int
    after: int


@dataclass(slots=True)
class Trial:
    """The outcome: files of each rule by its place, of each data set, and those that no rule catches."""

    tried: int = 0
    whole: bool = True
    rules: list[int] = field(default_factory=list)
    excluded: int = 0
    matched: int = 0
    unmatched: int = 0
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    groups: list[Group] = field(default_factory=list)
    more_groups: int = 0
    suggestions: list[Suggestion] = field(default_factory=list)


def name_of(wanted: Device) -> str:
    """What the data set of a device would be called."""
    device_class, make, model, label, location = wanted
    return Dataset(device_class=device_class, make=make, model=model, label=label, location=location).name


def attempt(distribution: Distribution, rules: Sequence[Any], in_force: Sequence[Any]) -> Trial:
    """Tries rules on the first MOST_TRIED files, looking into at most MOST_LOOKS of them for signatures."""
    now, then = Matcher.of(rules), Matcher.of(in_force)
    peek = assignment.peeker(distribution.root, MOST_LOOKS)
    place = {id(rule): number for number, rule in enumerate(now.rules)}
    found = Trial(rules=[0] * len(rules))
    moves: Counter[tuple[Device | None, Device | None]] = Counter()
    alike: dict[tuple[str, str], list[Any]] = {}
    paths = distribution.files.order_by("pk").values_list("path", flat=True)[: MOST_TRIED + 1]
    for path in paths.iterator(chunk_size=BATCH):
        if found.tried == MOST_TRIED:
            found.whole = False
            break
        found.tried += 1
        rule, old = now.rule_for(path, peek), then.rule_for(path, peek)
        if rule is None:
            found.unmatched += 1
            directory, _, name = path.rpartition("/")
            stem, dot, extension = name.rpartition(".")
            group = alike.setdefault((directory, dot + extension if stem else ""), [0, name])
            group[0] += 1
        else:
            found.rules[place[id(rule)]] += 1
            if rule.exclude:
                found.excluded += 1
            else:
                found.matched += 1
        moves[_kept(old), _kept(rule)] += 1
    found.changes, found.same = _changes(moves)
    groups = [Group(directory, extension, n, name) for (directory, extension), (n, name) in alike.items()]
    groups.sort(key=lambda group: (-group.files, group.directory, group.extension))
    found.groups, found.more_groups = groups[:MOST_GROUPS], max(0, len(groups) - MOST_GROUPS)
    found.suggestions = suggest(groups)
    return found


def _kept(rule: Any) -> Device | None:
    return None if rule is None or rule.exclude else device(rule)


def _changes(moves: Counter[tuple[Device | None, Device | None]]) -> tuple[list[Change], int]:
    """Data sets that change, by name, and how many stay as they are."""
    rows: dict[Device, Change] = {}
    for (old, new), files in moves.items():
        for wanted in {old, new} - {None}:
            assert wanted is not None
            row = rows.setdefault(wanted, Change(name_of(wanted), 0, 0, 0, 0))
            row.before += files * (wanted == old)
            row.after += files * (wanted == new)
            row.gained += files * (wanted == new != old)
            row.lost += files * (wanted == old != new)
    changed = sorted((row for row in rows.values() if row.gained or row.lost), key=lambda row: row.name)
    return changed, len(rows) - len(changed)
