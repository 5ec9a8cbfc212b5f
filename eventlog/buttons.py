"""The buttons of a log: made from the orders, copied from the last cruise, added, changed, ordered, hidden, checked."""

from __future__ import annotations

import itertools
import re
import uuid as uuids
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from eventlog import asked, ledger, machines, naming
from eventlog.models import Log, Template
from portal import access
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis, NotNow

FIELDS = ("instrument", "action", "kind", "label", "key", "fields", "order", "is_hidden")
LONGEST = {"instrument": 80, "action": 80, "kind": 20, "label": 60}
KEY = re.compile(r"[0-9a-z]")
DEFAULT_KEYS = "123456789"
MOST = 500


def from_orders(log: Log, by: Actor) -> list[Template]:
    """Buttons for the ship and for every instrument of the orders, those that are missing; keys 1 to 9 for the first.

    The caller holds the lock of the log.
    """
    wanted = [("Ship", "ship", action) for action in machines.BUTTONS["ship"]]
    for instrument in log.cruise.instruments.all():
        kind = instrument.device_class.lower()[:20]
        own = machines.class_of(instrument.name, kind)
        actions = machines.BUTTONS.get(kind) or machines.BUTTONS.get(own) or machines.OTHER_BUTTONS
        wanted += [(instrument.name, kind, action) for action in actions]
    there = set(log.templates.values_list("instrument", "action"))
    free = [key for key in DEFAULT_KEYS if key not in set(log.templates.values_list("key", flat=True))]
    made = []
    for order, (instrument_name, kind, action) in enumerate(wanted, start=log.templates.count()):
        if (instrument_name, action) not in there:
            key = free.pop(0) if free and kind != "ship" else ""
            template = Template(log=log, instrument=instrument_name, kind=kind, action=action, order=order, key=key)
            made.append(template)
    return put(log, made, "plan", by)


def last_log(log: Log, by: Actor) -> Log | None:
    """The log of the vessel's cruise before, if it has buttons and one may read it."""
    before = Log.objects.filter(
        cruise__vessel=log.cruise.vessel_id, cruise__depart_date__lte=log.cruise.depart_date, templates__isnull=False
    ).exclude(pk=log.pk)
    found = before.select_related("cruise__vessel").order_by("-cruise__depart_date", "-pk").first()
    return found if found is not None and access.may(by, "eventlog.read", found) else None


@transaction.atomic
def copy_from(*, log: Log, other: Log, by: Actor, reason: str = "", device: str = "") -> list[Template]:
    """Takes over the buttons of another log: missing ones are added, those that are there get labels, fields and keys
    that they lack. Said twice it changes nothing. Returns what was added or changed.

    Raises NotYou for somebody who may not arrange this log or not read the other one; NotNow for a closed log.
    """
    log = _for_change(log, by)
    access.require(by, "eventlog.read", other)
    there = {(t.instrument, t.action): t for t in log.templates.all()}
    keys = {t.key for t in there.values()}
    added, changed = [], []
    order = max((t.order for t in there.values()), default=-1) + 1
    for row in other.templates.all()[:MOST]:
        mine = there.get((row.instrument, row.action))
        key = row.key if row.key and row.key not in keys else ""
        if mine is None:
            values = {
                name: getattr(row, name) for name in ("instrument", "action", "kind", "label", "fields", "is_hidden")
            }
            added.append(Template(log=log, order=order, key=key, **values))
            order += 1
        else:
            lacks = {n: getattr(row, n) for n in ("label", "fields") if getattr(row, n) and not getattr(mine, n)}
            if key and not mine.key:
                lacks["key"] = key
            if not lacks:
                continue
            _save(log, mine, lacks, reason or f"as on {other.cruise}", by, device)
            changed.append(mine)
            key = lacks.get("key", "")
        keys.add(key)
    if len(there) + len(added) > MOST:
        raise NotLikeThis("There would be too many buttons.", [Fault("", f"a log has at most {MOST}")])
    return [*put(log, added, "copy", by, device, reason or f"as on {other.cruise}"), *changed]


@transaction.atomic
def add(
    *,
    log: Log,
    by: Actor,
    fields: Mapping[str, Any],
    uuid: uuids.UUID | None = None,
    reason: str = "",
    device: str = "",
) -> tuple[Template, bool]:
    """Adds a button; says whether it is new. The same `uuid` twice is one. `fields` are of FIELDS.

    Raises NotYou, NotNow for a closed log, NotLikeThis with every fault in its place.
    """
    log = _for_change(log, by)
    if uuid is not None and (known := Template.objects.filter(uuid=uuid).first()):
        if known.log_id != log.pk:
            raise NotLikeThis("The button is not accepted.", [Fault("uuid", "is in use in another log")])
        return known, False
    last = log.templates.order_by("-order").values_list("order", flat=True).first()
    blank = {"kind": "", "label": "", "key": "", "fields": [], "order": (last or 0) + 1, "is_hidden": False}
    values = _checked(log, blank | dict(fields), None)
    template = Template(uuid=uuid or uuids.uuid4(), log=log, **values)
    return put(log, [template], "add", by, device, reason)[0], True


@transaction.atomic
def amend(*, template: Template, by: Actor, fields: Mapping[str, Any], reason: str = "", device: str = "") -> Template:
    """Changes a button: its label, key, fields, order, or whether it is hidden. Events that it made stay as they are.

    Raises NotYou, NotNow, NotLikeThis.
    """
    log = _for_change(template.log, by)
    template = Template.objects.select_for_update(of=("self",)).get(pk=template.pk)
    before = {name: getattr(template, name) for name in FIELDS}
    values = _checked(log, before | dict(fields), template)
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        _save(log, template, changed, reason, by, device)
    return template


@transaction.atomic
def arrange(*, log: Log, by: Actor, order: Sequence[uuids.UUID], device: str = "") -> list[Template]:
    """Puts the buttons in this order; those that are not named follow as they were. Raises NotYou, NotNow."""
    log = _for_change(log, by)
    wanted = {uuid: index for index, uuid in enumerate(order)}
    templates = sorted(log.templates.all(), key=lambda t: (wanted.get(t.uuid, len(wanted)), t.order, t.pk))
    for index, template in enumerate(templates):
        if template.order != index:
            _save(log, template, {"order": index}, "", by, device)
    return templates


def lint(log: Log) -> list[dict[str, str]]:
    """What is unwise about the buttons: [{button, says}]. Nothing here is forbidden."""
    templates = list(log.templates.filter(is_hidden=False))
    found = []
    uses: dict[str, list[Template]] = defaultdict(list)
    for template in templates:
        for field in template.fields:
            uses[field["name"]].append(template)
    for name, users in uses.items():
        if len(users) == 1:
            found.append({"button": str(users[0]), "says": f"The field {name} adds a column that is used once."})
    found += [
        {"button": str(uses[other][0]), "says": f"The fields {name} and {other} may be one."}
        for name, other in itertools.combinations(sorted(uses), 2)
        if naming.word_alike(name, other).score
    ]
    actions: dict[str, set[str]] = defaultdict(set)
    for template in templates:
        actions[machines.key(template.action)].add(template.action)
    found += [
        {"button": "", "says": f"{' and '.join(sorted(words))} differ in capitals or signs alone."}
        for words in actions.values()
        if len(words) > 1
    ]
    return [*found, *_endless(templates)]


def _endless(templates: Sequence[Template]) -> list[dict[str, str]]:
    """Instruments that can be started by a button, and not ended."""
    groups: dict[tuple[str, str], list[machines.Step]] = defaultdict(list)
    for template in templates:
        reading = machines.read(template.instrument, template.action, template.kind)
        if reading.step is not None:
            groups[template.instrument, reading.kind].append(reading.step)
    return [
        {"button": instrument, "says": f"{instrument} can be begun and has no button that ends it."}
        for (instrument, _), steps in groups.items()
        if any(s.opens and not s.closes for s in steps) and not any(s.closes and s.action != "abort" for s in steps)
    ]


def _for_change(log: Log, by: Actor) -> Log:
    log = ledger.locked(log)
    access.require(by, "eventlog.arrange", log)
    if log.state == "closed":
        raise NotNow(f"The {log} is closed; its buttons stay as they are.")
    return log


def _checked(log: Log, values: Mapping[str, Any], template: Template | None) -> dict[str, Any]:
    faults = [Fault(str(name)[:40], "is nothing that a button has") for name in values if name not in FIELDS]
    found: dict[str, Any] = {}
    for name, most in LONGEST.items():
        found[name] = str(values.get(name) or "").strip()
        if len(found[name]) > most or "\0" in found[name]:
            faults.append(Fault(name, f"has more than {most} characters, or a NUL character"))
    faults += [Fault(name, "is needed") for name in ("instrument", "action") if not found[name]]
    found["key"] = str(values.get("key") or "").strip().lower()
    if found["key"] and not KEY.fullmatch(found["key"]):
        faults.append(Fault("key", "is one figure or letter"))
    order = values.get("order")
    if not isinstance(order, int) or isinstance(order, bool) or not 0 <= order < 100_000:
        faults.append(Fault("order", "is a whole number from 0"))
    if not isinstance(values.get("is_hidden"), bool):
        faults.append(Fault("is_hidden", "is true or false"))
    found["fields"], wrong = asked.declared(values.get("fields"))
    others = log.templates.exclude(pk=template.pk) if template else log.templates.all()
    if found["key"] and (same := others.filter(key=found["key"]).first()):
        faults.append(Fault("key", f"{found['key']} presses {same} already"))
    if others.filter(instrument=found["instrument"], action=found["action"]).exists():
        faults.append(Fault("action", f"there is a button for {found['instrument']} {found['action']} already"))
    if template is None and others.count() >= MOST:
        faults.append(Fault("", f"a log has at most {MOST} buttons"))
    if faults or wrong:
        raise NotLikeThis("The button is not accepted.", [*faults, *wrong])
    return found | {"order": order, "is_hidden": values["is_hidden"]}


def put(
    log: Log, templates: list[Template], verb: str, by: Actor, device: str = "", reason: str = ""
) -> list[Template]:
    """Writes new buttons and their first revisions. The caller holds the lock of the log and has asked who may."""
    made = Template.objects.bulk_create(templates)
    entries = []
    for template in made:
        told = {name: [None, getattr(template, name)] for name in FIELDS if getattr(template, name) not in ("", [])}
        entries.append(ledger.Entry("template", ledger.Numbered(template.uuid), verb, told, reason))
    ledger.append(log, entries, by=by, device=device)
    return made


def _save(log: Log, template: Template, values: Mapping[str, Any], reason: str, by: Actor, device: str) -> None:
    changes = {name: [getattr(template, name), value] for name, value in values.items()}
    for name, value in values.items():
        setattr(template, name, value)
    template.save()
    entry = ledger.Entry("template", ledger.numbered(template.uuid), "amend", changes, reason)
    ledger.append(log, [entry], by=by, device=device)
