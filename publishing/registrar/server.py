"""The local test registrar: a server of its own that answers like DataCite's REST API, and keeps what it is told.

For demonstrations, tests, and people without an account. It checks what DataCite's schema 4 makes mandatory, and
resolves its DOIs as doi.org would.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

DOI = re.compile(r"\A10\.\d{4,9}/[-._;()/:a-z0-9]+\Z")
MOST_BYTES = 1_000_000
MANDATORY = ("titles", "creators", "publisher", "publicationYear", "types", "url")
GENERAL_TYPES = frozenset(
    re.findall(
        r"\w+",
        """
        Audiovisual Award Book BookChapter Collection ComputationalNotebook ConferencePaper ConferenceProceeding
        DataPaper Dataset Dissertation Event Image Instrument InteractiveResource Journal JournalArticle Model
        OutputManagementPlan PeerReview PhysicalObject Preprint Project Report Service Software Sound Standard
        StudyRegistration Text Workflow Other
        """,
    )
)


class Store:
    """What was registered, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.lock = path, threading.Lock()
        with self.lock, closing(sqlite3.connect(path)) as db, db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS doi (doi TEXT PRIMARY KEY, attributes TEXT NOT NULL, state TEXT NOT NULL)"
            )

    def put(self, doi: str, attributes: dict[str, Any], state: str) -> bool:
        """Keeps a DOI; says whether it is new."""
        with self.lock, closing(sqlite3.connect(self.path)) as db, db:
            known = db.execute("SELECT 1 FROM doi WHERE doi = ?", (doi,)).fetchone()
            db.execute("REPLACE INTO doi VALUES (?, ?, ?)", (doi, json.dumps(attributes), state))
        return known is None

    def get(self, doi: str) -> tuple[dict[str, Any], str] | None:
        """Attributes and state of a DOI, or None."""
        with self.lock, closing(sqlite3.connect(self.path)) as db:
            row = db.execute("SELECT attributes, state FROM doi WHERE doi = ?", (doi,)).fetchone()
        return (json.loads(row[0]), row[1]) if row else None

    def all(self) -> list[tuple[str, dict[str, Any], str]]:
        """Every DOI in order."""
        with self.lock, closing(sqlite3.connect(self.path)) as db:
            rows = db.execute("SELECT doi, attributes, state FROM doi ORDER BY doi").fetchall()
        return [(doi, json.loads(attributes), state) for doi, attributes, state in rows]


def faults(doi: str, attributes: dict[str, Any], prefix: str) -> list[dict[str, str]]:
    """What DataCite would object to, in its form: [{source, title}]."""
    found = []
    if not DOI.match(doi):
        found.append({"source": "doi", "title": "This is not a DOI."})
    elif not doi.startswith(f"{prefix}/"):
        found.append({"source": "doi", "title": f"This account may use the prefix {prefix} alone."})
    if attributes.get("event") != "publish":
        return found
    found += [{"source": name, "title": "Can't be blank"} for name in MANDATORY if not attributes.get(name)]
    types = attributes.get("types")
    kind = types.get("resourceTypeGeneral") if isinstance(types, dict) else None
    if attributes.get("types") and kind not in GENERAL_TYPES:
        found.append({"source": "types", "title": f"resourceTypeGeneral {kind!r} is not in the schema."})
    year = attributes.get("publicationYear")
    if year and not (isinstance(year, int) and 1000 <= year <= 9999):
        found.append({"source": "publicationYear", "title": "must be a year"})
    creators = attributes.get("creators") or []
    if not isinstance(creators, list) or any(not (isinstance(c, dict) and c.get("name")) for c in creators):
        found.append({"source": "creators", "title": "every creator needs a name"})
    if not str(attributes.get("url", "http")).startswith(("http://", "https://")):
        found.append({"source": "url", "title": "must be an http or https address"})
    return found


class Handler(BaseHTTPRequestHandler):
    """GET, PUT and POST of /dois, GET of /heartbeat, and resolution of /10.…"""

    server: RegistrarServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/heartbeat":
            self._answer(200, {"status": "OK"})
        elif path == "/dois":
            self._answer(200, {"data": [self._item(*row) for row in self.server.store.all()]})
        elif path.startswith("/dois/"):
            self._show(path.removeprefix("/dois/").lower())
        elif path.startswith("/10."):
            self._resolve(path[1:].lower())
        else:
            self._refuse(404, "The resource you are looking for doesn't exist.")

    def do_PUT(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/dois/"):
            self._take(path.removeprefix("/dois/").lower())
        else:
            self._refuse(404, "The resource you are looking for doesn't exist.")

    def do_POST(self) -> None:
        if urlsplit(self.path).path == "/dois":
            self._take(None)
        else:
            self._refuse(404, "The resource you are looking for doesn't exist.")

    def _take(self, doi: str | None) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > MOST_BYTES:
            self.close_connection = True
            self._refuse(413, "Too large.")
            return
        raw = self.rfile.read(size)
        if not self._knows():
            self._refuse(401, "Bad credentials.")
            return
        try:
            attributes = dict(json.loads(raw)["data"]["attributes"])
            doi = doi or str(attributes["doi"]).lower()
        except (ValueError, KeyError, TypeError):
            self._refuse(400, "You need to provide a payload following the JSONAPI spec")
            return
        if wrong := faults(doi, attributes, self.server.prefix):
            self._answer(422, {"errors": wrong})
            return
        state = "findable" if attributes.pop("event", "") == "publish" else "draft"
        new = self.server.store.put(doi, attributes, state)
        self._answer(201 if new else 200, {"data": self._item(doi, attributes, state)})

    def _knows(self) -> bool:
        expected = base64.b64encode(f"{self.server.user}:{self.server.password}".encode()).decode()
        return hmac.compare_digest(self.headers.get("Authorization", ""), f"Basic {expected}")

    def _show(self, doi: str) -> None:
        found = self.server.store.get(doi)
        if found is None:
            self._refuse(404, "The resource you are looking for doesn't exist.")
        else:
            self._answer(200, {"data": self._item(doi, *found)})

    def _resolve(self, doi: str) -> None:
        found = self.server.store.get(doi)
        if found is None or found[1] != "findable":
            self._refuse(404, "DOI not found")
            return
        self.send_response(302)
        self.send_header("Location", str(found[0]["url"]).replace("\r", "").replace("\n", ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _item(self, doi: str, attributes: dict[str, Any], state: str) -> dict[str, Any]:
        return {"id": doi, "type": "dois", "attributes": {**attributes, "doi": doi, "state": state}}

    def _refuse(self, status: int, title: str) -> None:
        self._answer(status, {"errors": [{"status": str(status), "title": title}]})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.api+json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Quiet: the worker's journal tells what was registered."""


class RegistrarServer(ThreadingHTTPServer):
    """The registrar on a loopback port."""

    daemon_threads = True

    def __init__(self, port: int, *, store: Store, user: str, password: str, prefix: str) -> None:
        self.store, self.user, self.password, self.prefix = store, user, password, prefix
        super().__init__(("127.0.0.1", port), Handler)
