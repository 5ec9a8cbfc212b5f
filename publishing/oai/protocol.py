"""OAI-PMH 2.0 as a language: arguments, errors, resumption tokens, and the envelope. Pure.

Specification: http://www.openarchives.org/OAI/openarchivesprotocol.html (2.0 of 2015-01-08). Error codes are those of
the `oaipmh` package; parsing, tokens and envelope are ours, for the reasons in docs/decisions.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from oaipmh import error as codes

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
SECONDS = re.compile(r"\A\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\Z", re.ASCII)
DAYS = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z", re.ASCII)
SET_SPEC = re.compile(r"\A[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*\Z", re.ASCII)
PREFIX = re.compile(r"\A[A-Za-z0-9\-_.!~*'()]+\Z", re.ASCII)
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
TOKEN_LIFE = dt.timedelta(days=2)
LONGEST_ARGUMENT = 2000

# verb -> (required, optional, whether a resumptionToken may stand instead of all)
VERBS: dict[str, tuple[frozenset[str], frozenset[str], bool]] = {
    "Identify": (frozenset(), frozenset(), False),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"}), False),
    "ListSets": (frozenset(), frozenset(), True),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset(), False),
    "ListIdentifiers": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), True),
    "ListRecords": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), True),
}


class Fault(Exception):
    """A request that gets an <error>. `code` is one of the protocol's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def _fault(kind: type[Any], message: str) -> Fault:
    """A Fault with the code of one of the oaipmh package's error classes, as BadArgumentError: badArgument."""
    name = kind.__name__.removesuffix("Error")
    return Fault(name[0].lower() + name[1:], message)


def bad_verb(message: str) -> Fault:
    return _fault(codes.BadVerbError, message)


def bad_argument(message: str) -> Fault:
    return _fault(codes.BadArgumentError, message)


def bad_token(message: str) -> Fault:
    return _fault(codes.BadResumptionTokenError, message)


def unknown_format(message: str) -> Fault:
    return _fault(codes.CannotDisseminateFormatError, message)


def unknown_item(message: str) -> Fault:
    return _fault(codes.IdDoesNotExistError, message)


def no_records() -> Fault:
    return _fault(codes.NoRecordsMatchError, "No record fits these arguments.")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: after this datestamp and key, up to `until`, `seen` of `size` already given."""

    verb: str
    prefix: str
    spec: str
    since: str
    until: str
    stamp: str
    key: int
    seen: int
    size: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request that obeys the grammar. Times are aware, UTC, inclusive; `cursor` for a resumed list."""

    verb: str
    arguments: Mapping[str, str]
    identifier: str = ""
    prefix: str = ""
    spec: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    cursor: Cursor | None = None


def parse(arguments: Mapping[str, Sequence[str]], *, key: bytes, now: dt.datetime) -> Request:
    """A request from its arguments, each with all its values. Raises Fault with the protocol's code."""
    verbs = arguments.get("verb", ())
    if len(verbs) != 1:
        raise bad_verb("The argument verb is missing." if not verbs else "The argument verb is repeated.")
    verb = verbs[0]
    if verb not in VERBS:
        raise bad_verb(f"There is no such verb; there are: {', '.join(VERBS)}.")
    given = _once(arguments)
    given.pop("verb")
    required, optional, resumable = VERBS[verb]
    if resumable and "resumptionToken" in given:
        if len(given) > 1:
            raise bad_argument("resumptionToken stands alone with the verb.")
        return _resumed(verb, given["resumptionToken"], key, now)
    if unknown := set(given) - required - optional:
        raise bad_argument(f"{verb} knows no argument {', '.join(sorted(map(_shown, unknown)))}.")
    if missing := required - set(given):
        raise bad_argument(f"{verb} needs the argument {', '.join(sorted(missing))}.")
    if (prefix := given.get("metadataPrefix")) is not None and not PREFIX.match(prefix):
        raise bad_argument("metadataPrefix is not well-formed.")
    if (spec := given.get("set")) is not None and not SET_SPEC.match(spec):
        raise bad_argument("set is not well-formed.")
    since, until = _window(given)
    return Request(
        verb,
        given,
        given.get("identifier", ""),
        given.get("metadataPrefix", ""),
        given.get("set", ""),
        since,
        until,
    )


def _once(arguments: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Every argument once, without characters that XML cannot carry."""
    given = {}
    for name, values in arguments.items():
        if len(values) != 1:
            raise bad_argument(f"The argument {_shown(name)} is repeated.")
        if UNPRINTABLE.search(name) or UNPRINTABLE.search(values[0]) or len(values[0]) > LONGEST_ARGUMENT:
            raise bad_argument("An argument is too long or holds characters that XML does not allow.")
        given[name] = values[0]
    return given


def _shown(name: str) -> str:
    return UNPRINTABLE.sub("?", name)[:60]


def _window(given: Mapping[str, str]) -> tuple[dt.datetime | None, dt.datetime | None]:
    since, until = given.get("from"), given.get("until")
    if since and until and len(since) != len(until):
        raise bad_argument("from and until have different granularities.")
    start = _time(since, "from", end=False) if since is not None else None
    stop = _time(until, "until", end=True) if until is not None else None
    if start and stop and start > stop:
        raise bad_argument("from is later than until.")
    return start, stop


def _time(text: str, name: str, *, end: bool) -> dt.datetime:
    """A datestamp in one of the two granularities; a day as `until` means its last second."""
    shape = "%Y-%m-%dT%H:%M:%SZ" if SECONDS.match(text) else "%Y-%m-%d" if DAYS.match(text) else ""
    try:
        found = dt.datetime.strptime(text, shape).replace(tzinfo=dt.UTC) if shape else None
    except ValueError:
        found = None
    if found is None:
        raise bad_argument(f"{name} is no date; write YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.")
    return found + dt.timedelta(hours=23, minutes=59, seconds=59) if end and shape == "%Y-%m-%d" else found


# --- resumption tokens -----------------------------------------------------------------------------------------------


def token(cursor: Cursor, *, key: bytes, now: dt.datetime) -> tuple[str, dt.datetime]:
    """A signed token for the rest of a list, and when it expires. Needs no memory of ours."""
    expires = (now + TOKEN_LIFE).replace(microsecond=0)
    fields = [
        cursor.verb,
        cursor.prefix,
        cursor.spec,
        cursor.since,
        cursor.until,
        cursor.stamp,
        cursor.key,
        cursor.seen,
        cursor.size,
        int(expires.timestamp()),
    ]
    body = json.dumps(fields, separators=(",", ":")).encode()
    signature = hmac.new(key, body, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(signature + body).decode().rstrip("="), expires


def _resumed(verb: str, text: str, key: bytes, now: dt.datetime) -> Request:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        signature, body = raw[:16], raw[16:]
        if not hmac.compare_digest(signature, hmac.new(key, body, hashlib.sha256).digest()[:16]):
            raise ValueError("signature")
        fields = json.loads(body)
        cursor, expires = Cursor(*fields[:9]), int(fields[9])
    except (ValueError, TypeError, IndexError) as error:
        raise bad_token("This resumptionToken is not one of ours; begin the list again.") from error
    if cursor.verb != verb:
        raise bad_token(f"This resumptionToken belongs to {cursor.verb}.")
    if now.timestamp() > expires:
        raise bad_token("This resumptionToken has expired; begin the list again.")
    since = dt.datetime.fromisoformat(cursor.since) if cursor.since else None
    until = dt.datetime.fromisoformat(cursor.until) if cursor.until else None
    return Request(verb, {"resumptionToken": text}, "", cursor.prefix, cursor.spec, since, until, cursor)


# --- answers ---------------------------------------------------------------------------------------------------------


def stamp(at: dt.datetime) -> str:
    """A datestamp in seconds."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(
    base: str, now: dt.datetime, body: str, *, verb: str = "", arguments: Mapping[str, str] | None = None
) -> bytes:
    """A whole answer around `body`, echoing the request verbatim."""
    said = "".join(f" {name}={quoteattr(value)}" for name, value in (arguments or {}).items())
    echo = f" verb={quoteattr(verb)}{said}" if verb else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OAI-PMH xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{NAMESPACE} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">'
        f"<responseDate>{stamp(now)}</responseDate><request{echo}>{escape(base)}</request>{body}</OAI-PMH>"
    ).encode()


def error(fault: Fault) -> str:
    """The body of an error."""
    return f"<error code={quoteattr(fault.code)}>{escape(fault.message)}</error>"


def echo_allowed(fault: Fault, request: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The arguments that an error may echo: none for badVerb and badArgument, else those the schema allows."""
    if fault.code in ("badVerb", "badArgument"):
        return {}
    shapes = {
        "metadataPrefix": PREFIX,
        "set": SET_SPEC,
        # plain URIs alone: the schema's anyURI refuses "%zz", ":", and a port that is no number
        "identifier": re.compile(r"\A[A-Za-z][A-Za-z0-9+.\-]*:(?!//)[A-Za-z0-9\-._~:/?@!$&'()*+,;=]+\Z", re.ASCII),
        "resumptionToken": re.compile(r"\A[\x20-\x7e]*\Z"),
        "from": re.compile(f"{SECONDS.pattern}|{DAYS.pattern}"),
        "until": re.compile(f"{SECONDS.pattern}|{DAYS.pattern}"),
    }
    return {
        name: values[0]
        for name, values in request.items()
        if name in shapes and len(values) == 1 and shapes[name].match(values[0])
    }


def header(identifier: str, datestamp: dt.datetime, specs: Iterable[str], *, deleted: bool) -> str:
    """The <header> of a record; all its sets, in every verb."""
    sets = "".join(f"<setSpec>{escape(spec)}</setSpec>" for spec in specs)
    status = ' status="deleted"' if deleted else ""
    return (
        f"<header{status}><identifier>{escape(identifier)}</identifier>"
        f"<datestamp>{stamp(datestamp)}</datestamp>{sets}</header>"
    )


def resumption(text: str, *, cursor: int, size: int, expires: dt.datetime | None) -> str:
    """A resumptionToken; an empty `text` closes a list that had more than one page."""
    until = f' expirationDate="{stamp(expires)}"' if expires else ""
    return f'<resumptionToken{until} completeListSize="{size}" cursor="{cursor}">{escape(text)}</resumptionToken>'
