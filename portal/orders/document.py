"""Sailing orders as a document: our XML read, checked, written and compared. Pure.

Element names follow the cruise block of the R2R QA certificate schema 2.0, with title, summary, party, awards,
targets and instruments added.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from portal.refusals import Fault, NotLikeThis

NAMESPACE = "urn:leadline:sailing-orders:1"
SIZE_LIMIT = 1024 * 1024
NODE_LIMIT = 20_000
_Q = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class PortCall:
    """A port as the orders name it. Degrees, north and east positive."""

    port_id: str
    port_name: str
    country_id: str = ""
    state_id: str = ""
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the science party; `role` is one of portal.models.cruise.PARTY_ROLES."""

    family_name: str
    given_name: str = ""
    role: str = "scientist"
    institution: str = ""
    email: str = ""
    orcid: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """An award that pays for the cruise."""

    number: str
    funder: str
    funder_id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class SurveyTarget:
    """Where the survey wants to go. Degrees, north and east positive."""

    name: str
    description: str = ""
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """An instrument that will be used."""

    name: str
    device_class: str
    make: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """Sailing orders, whatever way they came. Dates are days of the ship's calendar in UTC."""

    id: str
    title: str
    vessel_id: str
    operator_id: str
    depart_date: dt.date
    depart_port: PortCall
    arrive_date: dt.date
    arrive_port: PortCall
    party: tuple[Member, ...]
    scheduler_id: str = ""
    type: str = "research"
    summary: str = ""
    awards: tuple[Grant, ...] = ()
    targets: tuple[SurveyTarget, ...] = ()
    instruments: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One field that an amendment changes; None: was not there, or is not there any more."""

    field: str
    before: str | None
    after: str | None


@cache
def schema() -> etree.XMLSchema:
    """Our XSD, compiled."""
    return etree.XMLSchema(etree.parse(Path(__file__).with_name("sailing-orders-1.xsd")))


def parse(data: bytes) -> Orders:
    """Orders from our XML.

    Entities are not expanded, nothing is fetched, and size, depth and the number of elements are bounded.
    Raises NotLikeThis with the line and the element of every fault.
    """
    root = _tree(data)
    if root.tag != f"{_Q}sailingorders":
        raise NotLikeThis(
            "This is not a sailing-orders document.",
            [Fault(etree.QName(root).localname, f"the root must be sailingorders in namespace {NAMESPACE}", 1)],
        )
    if not schema().validate(root):
        faults = [_fault(entry, root) for entry in list(schema().error_log)]  # type: ignore[call-overload]
        raise NotLikeThis("The sailing orders do not fit the schema.", faults[:50])
    cruise = root.find(f"{_Q}cruise")
    assert cruise is not None
    orders = Orders(
        id=_text(cruise, "id"),
        title=_text(cruise, "title"),
        vessel_id=_text(cruise, "vessel_id"),
        operator_id=_text(cruise, "operator_id"),
        scheduler_id=_text(cruise, "scheduler_id"),
        type=_text(cruise, "type") or "research",
        summary=_text(cruise, "summary"),
        depart_date=dt.date.fromisoformat(_text(cruise, "depart_date")[:10]),
        arrive_date=dt.date.fromisoformat(_text(cruise, "arrive_date")[:10]),
        depart_port=_port(cruise, "depart_port"),
        arrive_port=_port(cruise, "arrive_port"),
        party=tuple(_record(Member, node) for node in cruise.iterfind(f"{_Q}party/{_Q}person")),
        awards=tuple(_record(Grant, node) for node in cruise.iterfind(f"{_Q}awards/{_Q}award")),
        targets=tuple(_record(SurveyTarget, node) for node in cruise.iterfind(f"{_Q}targets/{_Q}target")),
        instruments=tuple(_record(Device, node) for node in cruise.iterfind(f"{_Q}instruments/{_Q}instrument")),
    )
    if faults := check(orders):
        raise NotLikeThis("The sailing orders contradict themselves.", located(faults, data))
    return orders


def located(faults: Iterable[Fault], data: bytes) -> list[Fault]:
    """The same faults, with the line of the element that each names, from the document they were found in."""
    cruise = _tree(data).find(f"{_Q}cruise")
    nodes = () if cruise is None else cruise
    lines = {etree.QName(n).localname: int(str(n.sourceline)) for n in nodes if isinstance(n.tag, str)}
    return [Fault(fault.where, fault.what, fault.line or lines.get(fault.where.partition("/")[0])) for fault in faults]


def check(orders: Orders) -> list[Fault]:
    """What no schema can see: order of the dates, a chief scientist with affiliation, names given twice."""
    faults = []
    if orders.arrive_date < orders.depart_date:
        faults.append(Fault("arrive_date", f"{orders.arrive_date} is before the departure on {orders.depart_date}"))
    if (orders.arrive_date - orders.depart_date).days > 400:
        faults.append(Fault("arrive_date", "the cruise would last more than 400 days; enter each leg by itself"))
    chiefs = [member for member in orders.party if member.role == "scientist_chief"]
    if len(chiefs) != 1:
        faults.append(Fault("party", f"names {len(chiefs)} chief scientists (role scientist_chief); name exactly one"))
    elif not chiefs[0].institution:
        faults.append(Fault("party", f"the chief scientist {chiefs[0].family_name} needs an institution"))
    for name, keys in (
        ("party", [(m.family_name, m.given_name, m.role) for m in orders.party]),
        ("awards", [(a.number,) for a in orders.awards]),
        ("targets", [(t.name,) for t in orders.targets]),
        ("instruments", [(i.name,) for i in orders.instruments]),
    ):
        faults += [Fault(name, f"{' '.join(key)} is given twice") for key in _twice(keys)]
    for name, ports in (("depart_port", orders.depart_port), ("arrive_port", orders.arrive_port)):
        if (ports.latitude is None) != (ports.longitude is None):
            faults.append(Fault(name, "has one half of a position; give longitude and latitude, or neither"))
    return faults


def render(orders: Orders) -> str:
    """The same orders as our XML, always in the same order of elements, valid against the XSD."""
    root = etree.Element(f"{_Q}sailingorders", {"version": "1.0"}, nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    cruise = etree.SubElement(root, f"{_Q}cruise")
    for name in ("id", "title", "type", "operator_id", "vessel_id", "scheduler_id"):
        _add(cruise, name, getattr(orders, name))
    for end in ("depart", "arrive"):
        _add(cruise, f"{end}_date", getattr(orders, f"{end}_date"))
        _add_record(cruise, f"{end}_port", getattr(orders, f"{end}_port"))
    _add(cruise, "summary", orders.summary)
    for group, name in (
        ("party", "person"),
        ("awards", "award"),
        ("targets", "target"),
        ("instruments", "instrument"),
    ):
        if records := getattr(orders, group):
            node = etree.SubElement(cruise, f"{_Q}{group}")
            for record in records:
                _add_record(node, name, record)
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def settled(orders: Orders) -> Orders:
    """The orders as our XML says them, so that what is kept can be read again. Raises NotLikeThis naming elements."""
    try:
        return parse(render(orders).encode())
    except NotLikeThis as refusal:
        raise NotLikeThis(refusal.reason, [Fault(f.where, f.what) for f in refusal.faults]) from None


def digest(orders: Orders) -> str:
    """SHA-256 of what the orders mean: the same for the same orders, however they were written."""
    return hashlib.sha256(render(orders).encode()).hexdigest()


def compare(before: Orders, after: Orders) -> list[Change]:
    """What an amendment changes, field by field; people, awards, targets and instruments by their names."""
    old, new = _flat(before), _flat(after)
    return [
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _tree(data: bytes) -> etree._Element:
    if len(data) > SIZE_LIMIT:
        raise NotLikeThis(f"The document has {len(data):,} bytes; sailing orders may have {SIZE_LIMIT:,}.")
    if b"<!DOCTYPE" in data.replace(b"\0", b""):  # before the parser sees it, in UTF-16 too
        raise NotLikeThis(
            "The document declares a DTD; sailing orders have none.",
            [Fault("DOCTYPE", "take the declaration and its entities out", _line_of(data, b"<!DOCTYPE"))],
        )
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line = int(str(error.lineno)) if error.lineno else 1
        raise NotLikeThis(
            "The document is not well-formed XML.", [Fault("", error.msg or "unreadable", line)]
        ) from error
    except ValueError as error:
        raise NotLikeThis("The document is not XML.", [Fault("", str(error), 1)]) from error
    if root.getroottree().docinfo.internalDTD is not None:  # written in an encoding that hides it, as UTF-7 does
        raise NotLikeThis("The document declares a DTD; sailing orders have none.")
    if sum(1 for _ in root.iter()) > NODE_LIMIT:
        raise NotLikeThis(f"The document has more than {NODE_LIMIT:,} elements.")
    return root


def _line_of(data: bytes, needle: bytes) -> int:
    plain = data.replace(b"\0", b"")
    return plain[: plain.index(needle)].count(b"\n") + 1


def _fault(entry: Any, root: etree._Element) -> Fault:
    """A schema error in the words of a person: element names without the namespace."""
    name = ""
    if entry.path:
        found = root.getroottree().xpath(entry.path)
        if isinstance(found, list) and found and isinstance(found[0], etree._Element):
            name = etree.QName(found[0]).localname
    message = entry.message.replace(_Q, "").replace(f"Element '{name}': ", "")
    return Fault(name, message, entry.line)


def _text(node: etree._Element, name: str) -> str:
    return " ".join((node.findtext(f"{_Q}{name}") or "").split()) if name != "summary" else _prose(node, name)


def _prose(node: etree._Element, name: str) -> str:
    lines = (node.findtext(f"{_Q}{name}") or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines)


def _port(cruise: etree._Element, name: str) -> PortCall:
    node = cruise.find(f"{_Q}{name}")
    assert node is not None
    port: PortCall = _record(PortCall, node)
    return port


def _record(kind: Any, node: etree._Element) -> Any:
    """One of the flat dataclasses from the children of a node; absent elements keep their defaults."""
    values: dict[str, Any] = {}
    for part in fields(kind):
        text = _text(node, part.name)
        if text:
            values[part.name] = float(text) if "float" in str(part.type) else text
    return kind(**values)


def _add(parent: etree._Element, name: str, value: object) -> None:
    if value not in ("", None):
        # A decimal of XML has no exponent, as Python's 1e-05 would.
        text = f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
        etree.SubElement(parent, f"{_Q}{name}").text = _plain(text)


def _add_record(parent: etree._Element, name: str, record: Any) -> None:
    node = etree.SubElement(parent, f"{_Q}{name}")
    for part in fields(record):
        _add(node, part.name, getattr(record, part.name))


def _plain(text: str) -> str:
    """Without the control characters that XML 1.0 cannot carry."""
    return "".join(
        c for c in text if c in "\t\n" or ("\x20" <= c <= "\ud7ff") or ("\ue000" <= c <= "\ufffd") or c > "\uffff"
    )


def _twice(keys: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    seen: set[tuple[str, ...]] = set()
    return [key for key in keys if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


def _flat(orders: Orders) -> dict[str, str]:
    """Every field with a path as its name."""
    found: dict[str, str] = {}
    for name, value in ((part.name, getattr(orders, part.name)) for part in fields(orders)):
        if is_dataclass(value) and not isinstance(value, type):
            found |= {f"{name}/{key}": str(v) for key, v in asdict(value).items() if v not in ("", None)}
        elif isinstance(value, tuple):
            for record in value:
                label = _label(record)
                entry = asdict(record)
                found |= {f"{name}/{label}/{key}": str(v) for key, v in entry.items() if v not in ("", None)}
        elif value != "":
            found[name] = str(value)
    return found


def _label(record: Any) -> str:
    if isinstance(record, Member):
        return f"{record.given_name} {record.family_name}".strip()
    return str(getattr(record, "name", "") or getattr(record, "number", ""))
