"""The sheet of rules in the profile editor: rows of equal fields, read from a form and changed by its buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.http import HttpRequest, QueryDict

from inventory import profiles
from inventory.profiles import RuleFault, RuleText

TEMPLATE = Path(__file__).resolve().parent.parent / "fleet_template.yaml"
TEXTS = ("directory", "name", "make", "model", "location", "label", "file_format", "signature")
KEPT_OUT = "-"  # before the reason, where the sheet says why a rule keeps files out


@dataclass(slots=True)
class Line:
    """A row as it is shown: its number, fields, faults by field, and how many files it caught."""

    number: int
    rule: RuleText
    goes: str
    faults: dict[str, str] = field(default_factory=dict)
    files: int | None = None


def lines(rules: list[RuleText], faults: list[RuleFault] | None = None) -> list[Line]:
    """Rules as rows; the fault of a reason is shown where the reason is chosen."""
    made = [
        Line(n, rule, KEPT_OUT + rule.reason if rule.exclude else rule.device_class) for n, rule in enumerate(rules, 1)
    ]
    for fault in faults or []:
        if fault.number:
            made[fault.number - 1].faults["goes" if fault.field in ("device_class", "reason") else fault.field] = (
                fault.what
            )
    return made


def read(data: QueryDict) -> list[RuleText]:
    """The rows of a form, in their order: every field is sent once for each row."""
    columns = {name: data.getlist(name) for name in (*TEXTS, "goes", "navigation_rank")}
    count = max(len(column) for column in columns.values())
    rules = []
    for row in range(min(count, profiles.MOST_RULES + 1)):
        cell = {name: column[row].strip() if row < len(column) else "" for name, column in columns.items()}
        goes, rank = cell.pop("goes"), cell.pop("navigation_rank")
        out = goes.startswith(KEPT_OUT)
        rules.append(
            RuleText(
                **(cell | {"name": cell["name"] or "*"}),
                exclude=out,
                reason=goes.removeprefix(KEPT_OUT) if out else "",
                device_class="" if out else goes,
                navigation_rank=int(rank) if rank.isascii() and rank.isdigit() and 0 < int(rank) < 100 else None,
            )
        )
    return rules


def changed(rules: list[RuleText], do: str, request: HttpRequest) -> list[RuleText]:
    """The rows after a button: add, up-3, down-3, remove-3, read (a text or a file), template, take (a suggestion).

    Raises NotLikeThis where a text cannot be read.
    """
    verb, _, tail = do.partition("-")
    place = int(tail) - 1 if tail.isascii() and tail.isdigit() else -1
    if verb == "add":
        return [*rules, RuleText("")]
    if verb == "template":
        return [*rules, *profiles.from_text(TEMPLATE.read_bytes())]
    if verb == "read":
        sent: Any = request.FILES.get("file")
        return profiles.from_text(sent.read(profiles.LONGEST_TEXT + 1) if sent else request.POST.get("text", ""))
    if verb == "take":
        return [*rules, *profiles.from_text(f'{{"rules": [{tail}]}}')]
    if not 0 <= place < len(rules):
        return rules
    if verb == "remove":
        return rules[:place] + rules[place + 1 :]
    other = {"up": place - 1, "down": place + 1}.get(verb, -1)
    if 0 <= other < len(rules):
        rules[place], rules[other] = rules[other], rules[place]
    return rules
