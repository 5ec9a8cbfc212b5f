"""What a button asks for after the press: its fields as declared, and what an event's answers lack. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from portal.refusals import Fault

TYPES = ("text", "number", "choice", "checkbox")
MOST_FIELDS, MOST_CHOICES, LONGEST_LABEL, LONGEST_UNIT = 40, 60, 80, 20
KEYS = {"name", "label", "type", "unit", "choices", "required", "when"}
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
Field = Mapping[str, Any]


def declared(given: Any) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The fields in their plain form, and every fault with its place, as `fields[2].choices`.

    A field is {name, label, type} with type text, number, choice or checkbox; number may have a `unit`, choice needs
    `choices`. `required`: it is asked for. `when`: {"field": an earlier one, "is": a value or a list}: only then.
    """
    if not isinstance(given, list | tuple):
        return [], [Fault("fields", "is a list of fields")]
    if len(given) > MOST_FIELDS:
        return [], [Fault("fields", f"has {len(given)} fields; at most {MOST_FIELDS}")]
    found: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for index, row in enumerate(given):
        place = f"fields[{index}]"
        if not isinstance(row, Mapping):
            faults.append(Fault(place, "is not an object with name, label and type"))
            continue
        faults += [Fault(f"{place}.{key}"[:80], "is nothing that a field has") for key in set(row) - KEYS]
        field, wrong = _field(place, row, found)
        faults += wrong
        found.append(field)
    return found, faults


def _field(place: str, row: Field, before: Sequence[Field]) -> tuple[dict[str, Any], list[Fault]]:
    faults = []
    name, kind = row.get("name"), row.get("type", "text")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        faults.append(Fault(f"{place}.name", "is a short word in small letters, as wire_out"))
        name = ""
    elif any(other["name"] == name for other in before):
        faults.append(Fault(f"{place}.name", f"{name} is there twice"))
    if kind not in TYPES:
        faults.append(Fault(f"{place}.type", f"is one of {', '.join(TYPES)}"))
        kind = "text"
    field: dict[str, Any] = {"name": name, "label": _text(row.get("label"), name.replace("_", " ")), "type": kind}
    if not isinstance(row.get("label", ""), str) or len(field["label"]) > LONGEST_LABEL:
        faults.append(Fault(f"{place}.label", f"is a text of at most {LONGEST_LABEL} characters"))
    if row.get("unit"):
        field["unit"] = _text(row["unit"], "")
        if not isinstance(row["unit"], str) or len(row["unit"]) > LONGEST_UNIT or kind != "number":
            faults.append(Fault(f"{place}.unit", f"is a text of at most {LONGEST_UNIT} characters, of a number"))
    if kind == "choice" or row.get("choices"):
        field["choices"], wrong = _choices(place, row.get("choices"), kind)
        faults += wrong
    if not isinstance(row.get("required", False), bool):
        faults.append(Fault(f"{place}.required", "is true or false"))
    if row.get("required") is True:
        field["required"] = True
    if row.get("when"):
        field["when"], wrong = _when(place, row["when"], before)
        faults += wrong
    return field, faults


def _choices(place: str, given: Any, kind: str) -> tuple[list[str], list[Fault]]:
    where = f"{place}.choices"
    if kind != "choice":
        return [], [Fault(where, "belong to a field of type choice")]
    if not isinstance(given, list) or not 2 <= len(given) <= MOST_CHOICES:
        return [], [Fault(where, f"are 2 to {MOST_CHOICES} texts")]
    if not all(isinstance(text, str) and 0 < len(text.strip()) <= LONGEST_LABEL for text in given):
        return [], [Fault(where, f"are texts of at most {LONGEST_LABEL} characters")]
    texts = [text.strip() for text in given]
    return texts, [] if len(set(texts)) == len(texts) else [Fault(where, "has a choice twice")]


def _when(place: str, given: Any, before: Sequence[Field]) -> tuple[dict[str, Any], list[Fault]]:
    where = f"{place}.when"
    if not isinstance(given, Mapping) or set(given) != {"field", "is"}:
        return {}, [Fault(where, 'is {"field": an earlier field, "is": its value}')]
    other = next((field for field in before if field["name"] == given["field"] and given["field"]), None)
    if other is None:
        return {}, [Fault(where, "names a field that stands before this one")]
    values = given["is"] if isinstance(given["is"], list) else [given["is"]]
    if len(values) > MOST_CHOICES or not all(isinstance(value, str | bool | int | float) for value in values):
        return {}, [Fault(where, "is a text, a number, or yes or no, or a list of these")]
    if other["type"] == "choice" and (odd := [value for value in values if value not in other["choices"]]):
        return {}, [Fault(where, f"{odd[0]!r} is no choice of {other['name']}"[:200])]
    return {"field": other["name"], "is": values if isinstance(given["is"], list) else values[0]}, []


def _text(value: Any, otherwise: str) -> str:
    return (value.strip() if isinstance(value, str) else "") or otherwise


def is_asked(field: Field, answers: Mapping[str, Any]) -> bool:
    """Whether a field is shown, given the answers so far."""
    when = field.get("when")
    if not when:
        return True
    values = when["is"] if isinstance(when["is"], list) else [when["is"]]
    return answers.get(when["field"]) in values


def lacking(fields: Sequence[Field], answers: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the answers to the fields of a button. An event is recorded all the same."""
    faults = []
    for field in fields:
        if not is_asked(field, answers):
            continue
        where, value = f"extra.{field['name']}", answers.get(field["name"])
        if value in (None, ""):
            if field.get("required"):
                faults.append(Fault(where, f"{field['label']} is asked for"))
        elif field["type"] == "number" and not _is_number(value):
            faults.append(Fault(where, f"{field['label']} is a number"))
        elif field["type"] == "choice" and value not in field["choices"]:
            faults.append(Fault(where, f"{field['label']} is one of {', '.join(field['choices'])}"[:200]))
        elif field["type"] == "checkbox" and not isinstance(value, bool):
            faults.append(Fault(where, f"{field['label']} is yes or no"))
    return faults


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
