"""Rules about words: instruments and actions that nobody declared, and words that differ in capitals alone. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set

from eventlog import machines, naming
from eventlog.redpen.finding import Finding

SHOWN = 50
Uses = Mapping[str, list[str]]  # ids of the events that say a word


def unknown(kind: str, uses: Uses, known: Mapping[str, str], understood: Set[str] = frozenset()) -> Iterator[Finding]:
    """Words that the log does not know, each with the nearest one that it knows.

    `known` gives for every known word the one to be used; `understood` words need no declaration, since a machine
    reads them. Spellings of a known word are told by `spellings`.
    """
    keys = {machines.key(word) for word in known}
    names = sorted(set(known.values()))
    for word, events in sorted(uses.items()):
        if word in known:
            if known[word] != word:
                yield _alias(kind, word, known[word], events)
            continue
        if machines.key(word) in keys or word in understood:
            continue
        fixes = []
        nearest = max(names, key=lambda name: naming.word_alike(word, name).score, default="")
        likeness = naming.word_alike(word, nearest)
        if likeness.score:
            fixes.append(_respell(kind, [word], nearest))
        fixes.append({"label": f"Propose {word}", "verb": "propose", "kind": kind, "name": word})
        mean = f" Did you mean {nearest}?" if likeness.score else ""
        sentence = f"{word[:80]} is no known {kind} ({_count(events)}).{mean}"
        yield Finding(f"unknown-{kind}", "hint", sentence, events[:SHOWN], fixes=fixes, about=word)


def spellings(kind: str, uses: Uses, known: Mapping[str, str]) -> Iterator[Finding]:
    """Words that differ in capitals or signs alone, from each other or from a known one."""
    groups: dict[str, set[str]] = defaultdict(set)
    for word in uses:
        groups[machines.key(word)].add(word)
    declared: dict[str, str] = {}
    for word, name in known.items():
        declared.setdefault(machines.key(word), name)
    for key, words in sorted(groups.items()):
        name = declared.get(key) or max(sorted(words), key=lambda word: len(uses[word]))
        others = sorted(word for word in words if word != name and known.get(word, word) == word)
        others = [word for word in others if machines.key(word) == machines.key(name)]
        if not others:
            continue
        events = [event for word in others for event in uses[word]]
        said = ", ".join(f"{word} ({_count(uses[word])})" for word in others)
        sentence = f"{said} and {name} differ in capitals or signs alone."
        fix = _respell(kind, others, name)
        yield Finding("spelling", "warning", sentence, events[:SHOWN], fixes=[fix], about=f"{kind} {' '.join(others)}")


def _alias(kind: str, word: str, name: str, events: list[str]) -> Finding:
    sentence = f"{word} is another word for {name} ({_count(events)})."
    return Finding(
        "alias", "hint", sentence, events[:SHOWN], fixes=[_respell(kind, [word], name)], about=f"{kind} {word}"
    )


def _respell(kind: str, words: Iterable[str], name: str) -> dict[str, object]:
    return {"label": f"It is {name}", "verb": "respell", "kind": kind, "words": list(words), "name": name}


def _count(events: list[str]) -> str:
    return f"{len(events):,} event{'s' * (len(events) != 1)}"
