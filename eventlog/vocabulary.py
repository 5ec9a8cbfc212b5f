"""The words of a log for instruments and actions: accepted ones, aliases, and proposals that can be used at once."""

from __future__ import annotations

import uuid as uuids
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from eventlog import ledger, machines, naming
from eventlog.models import Log, Term
from eventlog.terms import ACCEPTED
from portal import access
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotYou

KINDS = ("instrument", "action")
LONGEST_NAME, LONGEST_MEANING, MOST_ALIASES, SHOWN = 120, 300, 50, 8
MOST_EVENTS = 20_000
CONTENT = ("kind", "name", "meaning", "uri", "aliases", "is_proposed")


def stock() -> None:
    """Puts the words that every log accepts into the database, where they are not there yet."""
    Term.objects.bulk_create(
        [
            Term(uuid=w.uuid, kind=w.kind, name=w.name, meaning=w.meaning, uri=w.uri, aliases=list(w.aliases))
            for w in ACCEPTED
        ],
        ignore_conflicts=True,
    )


def terms_of(log: Log) -> Any:
    """The terms of a log and those of all logs, as a QuerySet."""
    return Term.objects.filter(Q(log=log) | Q(log__isnull=True)).select_related("replaced_by")


def known(log: Log, kind: str) -> dict[str, str]:
    """Every word of a kind that the log knows, and the word to be used for it.

    Besides the terms, those of the buttons: who made a button meant its words.
    """
    found: dict[str, str] = {}
    terms = [*terms_of(log).filter(kind=kind)]
    for term in terms:
        name = term.replaced_by.name if term.replaced_by else term.name
        for word in (*term.aliases, term.name):
            found[word] = name
    found |= {word: word for word in log.templates.values_list(kind, flat=True)}
    return found | {term.name: term.name for term in terms if term.replaced_by is None}


def near(log: Log, text: str, kind: str, most: int = SHOWN) -> list[dict[str, Any]]:
    """Words that `text` may mean, the likeliest first: [{name, score, why}]; the word itself comes first if known."""
    return nearest(known(log, kind), text, most)


def nearest(words: dict[str, str], text: str, most: int = SHOWN) -> list[dict[str, Any]]:
    """As `near`, among words that are at hand."""
    best: dict[str, dict[str, Any]] = {}
    for word, name in words.items():
        if word == text:
            score, why = (1.0, "is the word") if word == name else (0.95, f"is the word used for {word}")
        else:
            likeness = naming.word_alike(text, word)
            score, why = likeness.score * 0.9, likeness.why
            if not score and len(text) > 1 and word.casefold().startswith(text.casefold()):
                score, why = 0.4, "begins so"
        if score and score > best.get(name, {"score": 0.0})["score"]:
            best[name] = {"name": name, "score": round(score, 2), "why": why}
    return sorted(best.values(), key=lambda row: (-row["score"], row["name"]))[:most]


def spellings(log: Log, kind: str) -> list[dict[str, Any]]:
    """Words in the log that differ in capitals or signs alone: [{words: {word: events}, name: the one to be used}]."""
    rows = log.events.standing().exclude(**{kind: ""}).values_list(kind).annotate(n=Count("pk")).order_by(kind)
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for word, count in rows:
        groups[machines.key(word)][word] = count
    words = known(log, kind)
    found = []
    for group in groups.values():
        if len(group) > 1:
            name = max(group, key=lambda word: (words.get(word) == word, group[word]))
            found.append({"words": group, "name": name})
    return found


@transaction.atomic
def propose(
    *,
    log: Log,
    by: Actor,
    kind: str,
    name: str,
    meaning: str = "",
    aliases: Iterable[str] = (),
    uri: str = "",
    uuid: uuids.UUID | None = None,
    reason: str = "",
    device: str = "",
) -> tuple[Term, bool]:
    """Proposes a word, which can be used at once; says whether it is new.

    The same `uuid`, or a word that is known, answers what there is. Raises NotYou; NotLikeThis with the faults.
    """
    log = _open_to(log, by, "eventlog.record", reason)
    name, meaning, uri = name.strip(), meaning.strip(), uri.strip()
    given = list(dict.fromkeys(str(alias).strip() for alias in aliases if str(alias).strip()))
    faults = [Fault("kind", "is instrument or action")] if kind not in KINDS else []
    if not name or len(name) > LONGEST_NAME or "\0" in name + meaning + uri + "".join(given):
        faults.append(Fault("name", f"is needed, with at most {LONGEST_NAME} characters"))
    if len(meaning) > LONGEST_MEANING or len(uri) > 200:
        faults.append(Fault("meaning", f"has more than {LONGEST_MEANING} characters, or the identifier more than 200"))
    if len(given) > MOST_ALIASES or any(len(alias) > LONGEST_NAME for alias in given):
        faults.append(Fault("aliases", f"are more than {MOST_ALIASES}, or one has more than {LONGEST_NAME} characters"))
    if uri and not uri.startswith(("http://", "https://", "urn:")):
        faults.append(Fault("uri", "is the address of a term, beginning with http or urn"))
    if faults:
        raise NotLikeThis("The word is not accepted.", faults)
    same = Q(uuid=uuid) if uuid else Q(pk__in=[])
    there = terms_of(log).filter(same | Q(kind=kind, name=name)).first()
    if there is not None:
        return there, False
    term = Term.objects.create(
        uuid=uuid or uuids.uuid4(),
        log=log,
        kind=kind,
        name=name,
        meaning=meaning,
        uri=uri,
        aliases=given,
        is_proposed=True,
    )
    told = {n: [None, getattr(term, n)] for n in CONTENT if getattr(term, n) not in ("", [])}
    ledger.append(
        log, [ledger.Entry("term", ledger.Numbered(term.uuid), "propose", told, reason)], by=by, device=device
    )
    return term, True


@transaction.atomic
def accept(*, log: Log, term: Term, by: Actor, everywhere: bool = False, reason: str = "", device: str = "") -> Term:
    """Accepts a proposed word; `everywhere`: for all cruises, which only the office may. Said twice it is done once."""
    log = _open_to(log, by, "eventlog.arrange", reason)
    term = _of(log, term)
    changes: dict[str, Any] = {}
    if term.is_proposed:
        term.is_proposed = False
        changes["is_proposed"] = [True, False]
        term.save()
        _append(log, term, "accept", changes, reason, by, device)
    if everywhere:
        if not access.is_office(by):
            raise NotYou("A word for all cruises is accepted by a data manager.")
        Term.objects.get_or_create(
            log=None,
            kind=term.kind,
            name=term.name,
            defaults={"meaning": term.meaning, "uri": term.uri, "aliases": term.aliases},
        )
    return term


@transaction.atomic
def replace(
    *, log: Log, term: Term, with_term: Term, by: Actor, events: bool = False, reason: str = "", device: str = ""
) -> Term:
    """Maps a proposed word to the one to be used for it; with `events`, those that say it get that one, with a reason.

    Raises NotYou, NotLikeThis for words that cannot stand for each other.
    """
    log = _open_to(log, by, "eventlog.arrange", reason)
    term = _of(log, term)
    target = with_term.replaced_by or with_term
    faults = []
    if target.kind != term.kind:
        faults.append(Fault("with", f"names an {target.kind}, not an {term.kind}"))
    if target.pk == term.pk:
        faults.append(Fault("with", "is the word itself"))
    if target.log_id not in (None, log.pk):
        faults.append(Fault("with", "is a word of another log"))
    if faults:
        raise NotLikeThis("The word is not replaced.", faults)
    if term.replaced_by_id != target.pk:
        before = str(term.replaced_by.uuid) if term.replaced_by else None
        changes: dict[str, Any] = {"replaced_by": [before, str(target.uuid)]}
        if term.is_proposed:
            changes["is_proposed"] = [True, False]
        term.replaced_by, term.is_proposed = target, False
        term.save()
        _append(log, term, "replace", changes, reason, by, device)
    if events:
        respell(log=log, kind=term.kind, words=[term.name], name=target.name, by=by, reason=reason, device=device)
    return term


@transaction.atomic
def respell(
    *, log: Log, kind: str, words: Iterable[str], name: str, by: Actor, reason: str = "", device: str = ""
) -> int:
    """Gives the events that say one of `words` the word `name` instead, a revision each; says how many.

    Raises NotYou, NotLikeThis.
    """
    from eventlog import logbook

    log = _open_to(log, by, "eventlog.revise", reason)
    wanted = [word for word in words if word != name]
    if kind not in KINDS or not name.strip():
        raise NotLikeThis("The events are not changed.", [Fault("kind", "instrument or action, and a word for it")])
    events = log.events.standing().filter(**{f"{kind}__in": wanted}).in_order()[: MOST_EVENTS + 1]
    if len(events) > MOST_EVENTS:
        raise NotLikeThis("The events are not changed.", [Fault("words", f"are in more than {MOST_EVENTS:,} events")])
    for event in events:
        says = reason or f"{getattr(event, kind)} is {name}"
        logbook.revise(event=event, by=by, fields={kind: name}, reason=says, device=device)
    return len(events)


def _open_to(log: Log, by: Actor, verb: str, reason: str) -> Log:
    log = ledger.locked(log)
    late = log.state == "closed"
    access.require(by, "eventlog.correct" if late else verb, log)
    if late and not reason.strip():
        raise NotLikeThis("The log is closed.", [Fault("reason", "say why this late correction is made")])
    return log


def _of(log: Log, term: Term) -> Term:
    found = Term.objects.select_for_update(of=("self",)).select_related("replaced_by").get(pk=term.pk)
    if found.log_id != log.pk:
        raise NotLikeThis("The word is not changed.", [Fault("term", "holds for all logs, or is of another one")])
    return found


def _append(log: Log, term: Term, verb: str, changes: Any, reason: str, by: Actor, device: str) -> None:
    entry = ledger.Entry("term", ledger.numbered(term.uuid), verb, changes, reason)
    ledger.append(log, [entry], by=by, device=device)
