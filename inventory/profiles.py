"""Distribution profiles: made and changed in versions, read from and written to JSON and YAML."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import yaml
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inventory.models import Profile, Rule
from inventory.rules import BadPattern, Matcher, check
from inventory.states import DEVICE_CLASSES, EXCLUSIONS
from portal import access, journal
from portal.access import Actor
from portal.models import Vessel
from portal.refusals import Fault, NotLikeThis, NotYou

MOST_RULES = 1000
LONGEST_TEXT = 2 * 1024 * 1024
LIMITS = {"make": 80, "model": 80, "label": 60, "location": 60, "file_format": 60, "signature": 200}
FORMATS = ("json", "yaml")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


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
    location: str = ""
    reason: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong with a rule: its number from 1 (0: the profile as a whole), the field, and what."""

    number: int
    field: str
    what: str


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


def from_text(data: bytes | str) -> list[RuleText]:
    """Rules of a JSON or YAML document {"rules": [{"directory": …, "device_class": …}, …]}.

    Raises NotLikeThis with the number of each rule that cannot be read.
    """
    if len(data) > LONGEST_TEXT:
        raise NotLikeThis(f"The profile has more than {LONGEST_TEXT // 1024} KiB.")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise NotLikeThis("The profile is not UTF-8.", [Fault("", str(error))]) from error
    return _rules(_json(text) if text.lstrip()[:1] in ("{", "[") else _yaml(text))


from_json = from_text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise NotLikeThis("The profile is not JSON.", [Fault("", str(error), line)]) from error


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        what = getattr(error, "problem", None) or str(error)
        raise NotLikeThis("The profile is neither JSON nor YAML.", [Fault("", what, line)]) from error


def _rules(document: Any) -> list[RuleText]:
    entries = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise NotLikeThis("The profile has no list of rules.", [Fault("rules", "is missing")])
    known = {part.name: part.type for part in fields(RuleText)}
    rules, faults = [], []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping) or "directory" not in entry:
            faults.append(Fault(f"rule {number}", "needs a directory"))
            continue
        if unknown := {str(name) for name in entry} - set(known):
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


def told(rule: RuleText) -> dict[str, Any]:
    """The fields of a rule that say something."""
    return {name: value for name, value in asdict(rule).items() if value not in ("", None, False)} | {
        "directory": rule.directory
    }


def _document(profile: Profile) -> dict[str, Any]:
    rules = [told(rule) for rule in texts(profile)]
    return {"vessel": profile.vessel_id, "version": profile.version, "note": profile.note, "rules": rules}


def to_json(profile: Profile) -> str:
    """The profile as JSON that `from_text` reads; fields that say nothing are left out."""
    return json.dumps(_document(profile), indent=2, ensure_ascii=False) + "\n"


def to_yaml(profile: Profile) -> str:
    """The profile as YAML that `from_text` reads; fields that say nothing are left out."""
    made: str = yaml.safe_dump(_document(profile), sort_keys=False, allow_unicode=True, width=120)
    return made


def export(profile: Profile, form: str) -> str:
    """The profile in one of FORMATS."""
    return to_yaml(profile) if form == "yaml" else to_json(profile)


def differences(before: list[RuleText], after: list[RuleText]) -> list[tuple[str, int | None, int | None, RuleText]]:
    """What two lists of rules differ in: "removed", "added" or "moved", the number before and after, and the rule.

    Rules that stand in the same order as before are left out, however many were put between them.
    """
    found: list[tuple[str, int | None, int | None, RuleText]] = []
    matches = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    gone = [n for tag, a, b, _, _ in matches if tag in ("replace", "delete") for n in range(a, b)]
    come = [n for tag, _, _, a, b in matches if tag in ("replace", "insert") for n in range(a, b)]
    for n in come:
        old = next((g for g in gone if before[g] == after[n]), None)
        if old is not None:
            gone.remove(old)
        found.append(("added" if old is None else "moved", None if old is None else old + 1, n + 1, after[n]))
    found += [("removed", n + 1, None, before[n]) for n in gone]
    return sorted(found, key=lambda row: (row[2] or row[1] or 0, row[0]))


def _fits(value: Any, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, str)
    if kind == "bool":
        return isinstance(value, bool)
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100)


def faults(rules: list[RuleText]) -> list[RuleFault]:
    """What keeps rules from being a profile: an unknown class or reason, a text too long, a pattern that is none."""
    found = []
    if not rules:
        found.append(RuleFault(0, "rules", "are missing; a profile without rules sorts nothing"))
    if len(rules) > MOST_RULES:
        found.append(RuleFault(0, "rules", f"are {len(rules)}; at most {MOST_RULES}"))
    for number, rule in enumerate(rules[:MOST_RULES], 1):
        if not rule.exclude and rule.device_class not in DEVICE_CLASSES:
            known = ", ".join(DEVICE_CLASSES)
            what = f"device class {rule.device_class!r} is unknown; known: {known}"
            found.append(RuleFault(number, "device_class", what))
        if rule.exclude and rule.device_class and rule.device_class not in DEVICE_CLASSES:
            found.append(RuleFault(number, "device_class", f"device class {rule.device_class!r} is unknown"))
        if rule.reason and (not rule.exclude or rule.reason not in EXCLUSIONS):
            what = f"reason is one of {', '.join(EXCLUSIONS)}, and of a rule that excludes"
            found.append(RuleFault(number, "reason", what))
        for name, most in LIMITS.items():
            if len(getattr(rule, name)) > most:
                found.append(RuleFault(number, name, f"{name} has more than {most} characters"))
        if _NO_TEXT.search("".join(str(value) for value in asdict(rule).values())):
            found.append(RuleFault(number, "directory", "holds a NUL or half a character"))
            continue
        words = {"directory": "directory", "name": "file name", "signature": "signature"}
        found += [RuleFault(number, bad.field, f"{words[bad.field]} {bad}") for bad in check(rule)]
    return found


def _check(rules: list[RuleText]) -> None:
    """Raises NotLikeThis naming each rule that is none."""
    if found := faults(rules):
        named = [Fault(f"rule {fault.number}" if fault.number else fault.field, fault.what) for fault in found]
        raise NotLikeThis("The profile is not accepted.", named)
    try:
        Matcher.of(rules)
    except BadPattern as error:
        raise NotLikeThis("The profile is not accepted.", [Fault("rules", str(error))]) from error
