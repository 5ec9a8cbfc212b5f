"""Distribution profiles: made and changed in versions, read from and written to JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inventory.models import Profile, Rule
from inventory.rules import BadPattern, Matcher
from inventory.states import DEVICE_CLASSES
from portal import access, journal
from portal.access import Actor
from portal.models import Vessel
from portal.refusals import Fault, NotLikeThis, NotYou

MOST_RULES = 1000


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as it is written in a file or a form."""

    directory: str
    name: str = "*"
    exclude: bool = False
    device_class: str = ""
    make: str = ""
    model: str = ""
    label: str = ""
    file_format: str = ""
    navigation_rank: int | None = None


@transaction.atomic
def save(*, vessel: Vessel, rules: Iterable[RuleText], by: Actor, note: str = "") -> tuple[Profile, bool]:
    """The rules as the next version of the vessel's profile, now in force; says whether it is new.

    The same rules again change nothing. Raises NotYou, NotLikeThis naming each faulty rule.
    """
    if not access.is_office(by):
        raise NotYou("Profiles are looked after by data managers.")
    wanted = list(rules)
    _check(wanted)
    vessel = Vessel.objects.select_for_update().get(pk=vessel.pk)
    before = active(vessel)
    if before is not None and texts(before) == wanted:
        return before, False
    Profile.objects.filter(vessel=vessel, active=True).update(active=False)
    version = (Profile.objects.filter(vessel=vessel).aggregate(Max("version"))["version__max"] or 0) + 1
    profile = Profile.objects.create(
        vessel=vessel, version=version, note=note[:300], made_at=timezone.now(), made_by=str(by)
    )
    Rule.objects.bulk_create(Rule(profile=profile, order=order, **asdict(rule)) for order, rule in enumerate(wanted, 1))
    journal.record(by, "profile.edit", profile, note=note, changes={"rules": [None, len(wanted)]})
    return profile, True


def active(vessel: Vessel) -> Profile | None:
    """The profile in force for a vessel."""
    return Profile.objects.filter(vessel=vessel, active=True).prefetch_related("rules").first()


def texts(profile: Profile) -> list[RuleText]:
    """The rules of a profile as texts, in order."""
    names = [part.name for part in fields(RuleText)]
    return [RuleText(**{name: getattr(rule, name) for name in names}) for rule in profile.rules.all()]


def from_json(data: bytes | str) -> list[RuleText]:
    """Rules of a JSON document {"rules": [{"directory": …, "device_class": …}, …]}.

    Raises NotLikeThis with the number of each rule that cannot be read.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise NotLikeThis("The profile is not JSON.", [Fault("", str(error), line)]) from error
    entries = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise NotLikeThis("The profile has no list of rules.", [Fault("rules", "is missing")])
    known = {part.name: part.type for part in fields(RuleText)}
    rules, faults = [], []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping) or "directory" not in entry:
            faults.append(Fault(f"rule {number}", "needs a directory"))
            continue
        if unknown := set(entry) - set(known):
            faults.append(Fault(f"rule {number}", f"has unknown fields: {', '.join(sorted(unknown))}"))
            continue
        wrong = [name for name, value in entry.items() if not _fits(value, str(known[name]))]
        if wrong:
            faults.append(Fault(f"rule {number}", f"has the wrong kind of value in {', '.join(wrong)}"))
            continue
        rules.append(RuleText(**entry))
    if faults:
        raise NotLikeThis("The profile is not accepted.", faults)
    return rules


def to_json(profile: Profile) -> str:
    """The profile as JSON that `from_json` reads; fields that say nothing are left out."""
    rules = [{k: v for k, v in asdict(rule).items() if v not in ("", None, False)} for rule in texts(profile)]
    body = {"vessel": profile.vessel_id, "version": profile.version, "note": profile.note, "rules": rules}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _fits(value: Any, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, str)
    if kind == "bool":
        return isinstance(value, bool)
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100)


def _check(rules: list[RuleText]) -> None:
    """Raises NotLikeThis naming each rule that has no device, an unknown class, or a pattern that is none."""
    faults = []
    if not rules:
        faults.append(Fault("rules", "are missing; a profile without rules sorts nothing"))
    if len(rules) > MOST_RULES:
        faults.append(Fault("rules", f"are {len(rules)}; at most {MOST_RULES}"))
    for number, rule in enumerate(rules[:MOST_RULES], 1):
        place = f"rule {number}"
        if not rule.exclude and rule.device_class not in DEVICE_CLASSES:
            known = ", ".join(DEVICE_CLASSES)
            faults.append(Fault(place, f"device class {rule.device_class!r} is unknown; known: {known}"))
        for name, most in (("make", 80), ("model", 80), ("label", 60), ("file_format", 60)):
            if len(getattr(rule, name)) > most:
                faults.append(Fault(place, f"{name} has more than {most} characters"))
        try:
            Matcher.of([rule])
        except BadPattern as error:
            faults.append(Fault(place, str(error).partition(": ")[2]))
    if faults:
        raise NotLikeThis("The profile is not accepted.", faults)
