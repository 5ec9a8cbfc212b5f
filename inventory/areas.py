"""Named areas: loading them from GeoJSON, and taking them away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django import forms
from django.db import transaction
from django.utils import timezone

from inventory.models import Area
from inventory.outline import Outline, Wrong, features, outline, united
from portal import access, journal
from portal.access import Actor
from portal.refusals import Fault, NotLikeThis

LARGEST: Final = 64 * 1024**2  # bytes of a GeoJSON text
MOST: Final = 2_000  # features of it
NAMES: Final = ("name", "geoname", "title", "label")  # properties that may hold the name, where none is told


@dataclass(slots=True)
class Loaded:
    """What loading did: names that are new, that have another outline now, and that were known just so; what failed."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    refused: list[Fault] = field(default_factory=list)


@transaction.atomic
def load(
    *, text: bytes, kind: str, source: str, licence: str, by: Actor, name_from: str = "", fallback: str = ""
) -> Loaded:
    """Takes the areas of a GeoJSON text; those of a known name and kind get their new outline.

    `name_from`: the property that holds the name. `fallback`: the name of a lone feature without one. Features of the
    same name are one area. One that cannot be read is told in `refused`, and the others are taken. Raises NotYou,
    NotLikeThis where none can be.
    """
    access.require(by, "area.load")
    _check(text, kind, source, licence)
    try:
        rows = features(text)
    except Wrong as error:
        raise NotLikeThis(str(error)) from None
    if len(rows) > MOST:
        raise NotLikeThis(f"It has {len(rows):,} features; at most {MOST:,} are taken. Choose those that you need.")
    loaded = Loaded()
    found: dict[str, tuple[str, Outline]] = {}
    for number, (properties, geometry) in enumerate(rows, 1):
        name = _name(properties, name_from) or (fallback[:120] if len(rows) == 1 else "")
        try:
            if not name:
                raise Wrong(_nameless(properties, name_from))
            made = outline(geometry)
            known = found.get(name.lower())
            found[name.lower()] = (name, united(known[1], made) if known else made)
        except Wrong as error:
            loaded.refused.append(Fault(f"feature {number}{f', {name}' if name else ''}", str(error)))
    if not found:
        raise NotLikeThis("No area of it can be taken.", loaded.refused[:50])
    for name, made in found.values():
        _keep(Area(name=name, kind=kind, source=source, licence=licence), made, by, loaded)
    return loaded


def _check(text: bytes, kind: str, source: str, licence: str) -> None:
    faults = []
    if len(text) > LARGEST:
        faults.append(
            Fault("file", f"It is larger than {LARGEST // 1024**2} MiB; take a data set of lower resolution.")
        )
    if kind not in dict(Area.KINDS):
        faults.append(Fault("kind", f"There is no kind {kind[:20]}; there are {', '.join(dict(Area.KINDS))}."))
    for name, value, limit in (("source", source, 300), ("licence", licence, 120)):
        if not value.strip() or len(value) > limit:
            faults.append(Fault(name, f"Tell it in 1 to {limit} signs."))
    if faults:
        raise NotLikeThis("The areas cannot be taken.", faults)


def _name(properties: Mapping[str, Any], name_from: str) -> str:
    """The name that properties tell, in one line of at most 120 signs; nothing where they tell none."""
    small = {key.lower(): value for key, value in properties.items()}
    for key in [name_from.lower()] if name_from else NAMES:
        value = small.get(key)
        if isinstance(value, str | int) and (text := " ".join(str(value).split())):
            return "".join(sign for sign in text if sign.isprintable())[:120]
    return ""


def _nameless(properties: Mapping[str, Any], name_from: str) -> str:
    has = ", ".join(str(key)[:30] for key in list(properties)[:12]) or "none"
    return f"it has no {name_from[:30]!r}" if name_from else f"no property of it is its name; name one of: {has}"


def _keep(area: Area, made: Outline, by: Actor, loaded: Loaded) -> None:
    """Writes an area down, as a new one or in the place of the known one."""
    known = Area.objects.filter(kind=area.kind, name__iexact=area.name).first()
    if made.remark:
        loaded.mended.append(f"{area.name}: {made.remark}")
    if known is not None:
        same = (known.source, known.licence) == (area.source, area.licence)
        if same and known.geometry.wkb == made.geometry.wkb:
            loaded.same.append(known.name)
            return
        before = {"points": known.points, "source": known.source, "licence": known.licence}
        known.name, known.source, known.licence = area.name, area.source, area.licence
        area = known
    else:
        before = {}
    area.geometry, area.points, area.tolerance_deg = made.geometry, made.geometry.num_points, made.tolerance
    area.remark, area.added_at, area.added_by = made.remark, timezone.now(), str(by)[:200]
    area.save()
    after = {"points": area.points, "source": area.source, "licence": area.licence}
    journal.record(by, "area.load", area, changes={key: [before.get(key), value] for key, value in after.items()})
    (loaded.changed if known else loaded.added).append(area.name)


@transaction.atomic
def remove(*, area: Area, by: Actor, note: str = "") -> None:
    """Takes an area away. Raises NotYou."""
    access.require(by, "area.remove")
    journal.record(by, "area.remove", area, note=note[:500])
    Area.objects.filter(pk=area.pk).delete()


class AreaField(forms.ModelChoiceField):
    """One of the named areas, by its id or by its name."""

    def __init__(self, **words: Any) -> None:
        super().__init__(Area.objects.defer("geometry"), to_field_name="uuid", **words)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.get_kind_display()})"

    def to_python(self, value: Any) -> Area | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            found = list(Area.objects.filter(uuid=UUID(text)))
        except ValueError:
            found = list(Area.objects.filter(name__iexact=text)[:2])
        if len(found) != 1:
            why = "Several areas have this name; give the id of one." if found else "There is no such area."
            raise forms.ValidationError(why, code="invalid_choice")
        return found[0]
