"""Pages that look back over the shipments of a cruise: two compared, and the history of a path."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from inventory import comparing, comparisons, exports, history, paths
from inventory.manifests import WORDS, Comparison, Item
from portal import leaves, streaming
from portal.models import Cruise
from portal.refusals import NotFound, NotLikeThis, NotNow, Refusal
from portal.views.doors import of_cruise

PAGE = 200
LARGEST = 64 * 1024 * 1024  # bytes of a manifest that is sent to the page; the command takes any
LONGEST_NAME = 150
COLUMNS = ("verdict", "path", "was", "size_before", "size_now", "basis")


class _Items:
    """The items of some words, as a paginator wants them: counted, and cut out."""

    def __init__(self, found: Comparison, words: tuple[str, ...]) -> None:
        self._found, self._words = found, words

    def __len__(self) -> int:
        return sum(self._found.counts[word] for word in self._words)

    def __getitem__(self, part: slice) -> list[Item]:
        return list(self._found.items(self._words, start=part.start, most=part.stop - part.start))


@of_cruise
@require_safe
def compare(request: HttpRequest, cruise: Cruise) -> HttpResponseBase:
    """Two shipments in md5deep's words, `?before=1&now=2` and `?word=changed`; as CSV with `?as=csv`."""
    shipments = list(cruise.distributions.order_by("-number"))
    now = comparing.numbered(cruise, _number(request, "now"))
    earlier = [d.number for d in shipments if d.number < now.number]
    before = comparing.numbered(cruise, _number(request, "before") or (earlier[0] if earlier else now.number))
    alone = before == now  # one shipment alone: with its own manifest
    shown = f"{before}, as delivered" if alone else str(before)
    chosen = {"before": before.number, "now": now.number}
    try:
        found = comparisons.look(before, now, delivered=alone)
    except Refusal as refusal:
        return _without(request, cruise, refusal=refusal, before=shown, now=now, chosen=chosen, status=409)
    if found is None:
        work = comparisons.work_at(before, now, delivered=alone)
        return _without(request, cruise, asked=True, work=work, before=shown, now=now, chosen=chosen, status=202)
    return _answer(request, cruise, found, before=shown, now=str(now), chosen=chosen)


@of_cruise
@require_http_methods(["POST"])
def compare_manifest(request: HttpRequest, cruise: Cruise) -> HttpResponseBase:
    """A manifest that somebody sends, against a shipment; its differences come back as CSV or on a page.

    A large one is left to the worker, and the answer leads to the page that tells what became of it.
    """
    now = comparing.numbered(cruise, _number(request, "now"))
    sent = request.FILES.get("manifest")
    try:
        if not isinstance(sent, UploadedFile):
            raise NotLikeThis("Choose the manifest to compare with.")
        if (sent.size or 0) > LARGEST:
            raise NotLikeThis(f"The manifest is larger than {LARGEST:,} bytes; the data manager can compare it.")
        name = (sent.name or "manifest")[:LONGEST_NAME]
        with tempfile.TemporaryDirectory(dir=comparing.home()) as folder:
            place = Path(folder) / "sent"
            with place.open("wb") as file:
                file.writelines(sent.chunks())
            found = comparisons.look_at_sent(place, name, now)
    except Refusal as refusal:
        return _without(request, cruise, refusal=refusal, now=now, status=409 if isinstance(refusal, NotNow) else 422)
    if isinstance(found, str):
        query = urlencode([("manifest", found), ("name", name), ("now", now.number)])
        return redirect(f"{reverse('compare-sent', args=[cruise.cruise_id])}?{query}")
    return _answer(
        request, cruise, found, before=f"manifest {name}", now=str(now), chosen={"now": now.number}, foreign=True
    )


@of_cruise
@require_safe
def compare_sent(request: HttpRequest, cruise: Cruise) -> HttpResponseBase:
    """What became of a large manifest: `?manifest=SHA-256&name=…&now=2`, and what `compare` takes besides."""
    now = comparing.numbered(cruise, _number(request, "now"))
    digest, name = request.GET.get("manifest", "")[:64], request.GET.get("name", "")[:LONGEST_NAME]
    shown = f"manifest {name}"
    try:
        found = comparisons.sent(digest, name, now)
    except Refusal as refusal:
        return _without(request, cruise, refusal=refusal, now=now, status=404 if isinstance(refusal, NotFound) else 422)
    if isinstance(found, Comparison):
        return _answer(request, cruise, found, before=shown, now=str(now), chosen={"now": now.number}, foreign=True)
    return _without(request, cruise, asked=True, work=found, before=shown, now=now, status=202)


def _without(request: HttpRequest, cruise: Cruise, *, status: int, **context: Any) -> HttpResponse:
    """The page without a comparison: refused, or not ready yet."""
    context |= {"cruise": cruise, "shipments": cruise.distributions.order_by("-number")}
    return render(request, "inventory/compare.html", context, status=status)


def _number(request: HttpRequest, name: str) -> int | None:
    text = (request.POST if request.method == "POST" else request.GET).get(name, "")
    return int(text) if text.isdecimal() and len(text) < 7 else None


def _answer(request: HttpRequest, cruise: Cruise, found: Comparison, **told: Any) -> HttpResponseBase:
    """The page of a comparison, or its CSV.

    `told` is for the page: the names `before` and `now`, the shipments `chosen`, and `foreign` where the paths are
    those of a manifest, of which there need be no history.
    """
    asked = request.POST if request.method == "POST" else request.GET
    word = asked.get("word", "")
    differing = tuple(w for w in WORDS if w != "matched")
    words = (word,) if word in differing else differing
    if asked.get("as") == "csv":
        parts = exports.table(COLUMNS, _rows(found, words))
        name = f"{cruise.cruise_id}-compared.csv"
        return streaming.send(request, parts, content_type="text/csv; charset=utf-8", name=name)
    page: Any = Paginator(cast(Any, _Items(found, words)), PAGE).get_page(asked.get("page"))
    context = {
        "cruise": cruise,
        "found": found,
        "word": word,
        "page": page,
        "sent": request.method == "POST",
        "rows": [(item, paths.display(item.path), paths.display(item.was or "")) for item in page],
        "shipments": cruise.distributions.order_by("-number"),
    }
    return render(request, "inventory/compare.html", context | told)


def _rows(found: Comparison, words: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return ((i.verdict, i.path, i.was, i.size_before, i.size_now, i.basis) for i in found.items(words))


@of_cruise
@require_safe
def path_history(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """What became of a path in each shipment (`?path=`), or a search for paths in all of them (`?q=`)."""
    path, words = (request.GET.get(name, "").replace("\0", "") for name in ("path", "q"))
    words = words.strip()
    context: dict[str, Any] = {"cruise": cruise, "path": path, "shown": paths.display(path), "words": words}
    if path:
        context["steps"] = history.of_path(cruise, path)
    elif words:
        found, rows = history.search(cruise, words, leaves.asked(request.GET), PAGE // 2)
        rows = [row | {"shown": paths.display(row["path"])} for row in rows]
        context |= {"found": found, "leaf": found.leaf, "rows": rows}
    return render(request, "inventory/history.html", context)
