"""The archive's side of the API: staged bags to fetch, and the callback that tells an accession."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.http import StreamingHttpResponse
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory import paths, scan
from portal import access, jobs, streaming
from portal.authentication import Pages, check_cruise
from portal.openapi import Told, thing
from portal.refusals import NotYou
from publishing.archives import submission as submissions
from publishing.models import Submission


def _submission(request: Request, uuid: str) -> Submission:
    found = (
        Submission.objects.select_related("dataset__cruise__vessel", "dataset__identifier").filter(uuid=uuid).first()
    )
    if found is None or not access.may(request.user, "submission.see", found):
        raise exceptions.NotFound("There is no such submission, or none that you may see.")
    check_cruise(request, found.cruise)
    return found


def _shown(submission: Submission) -> dict[str, Any]:
    accession = submission.accession
    return {
        "uuid": submission.uuid,
        "cruise_id": submission.cruise.cruise_id,
        "dataset": submission.dataset.uuid,
        "doi": submission.dataset.identifier.doi,
        "state": submission.state,
        "since": submission.since,
        "bag": submission.bag,
        "files": submission.files,
        "bytes": submission.bytes,
        "tagmanifest_sha256": submission.tagmanifest_sha256,
        "accession": None
        if accession is None
        else {
            "archive": accession.archive,
            "number": accession.number,
            "version": accession.version,
            "landing_url": accession.landing_url,
            "direct_url": accession.direct_url,
            "accessioned_at": accession.accessioned_at,
        },
    }


SUBMISSION = thing(
    uuid="uuid",
    cruise_id="string",
    dataset="uuid",
    doi="string",
    state="string",
    since="date-time",
    bag="string",
    files="integer",
    bytes="integer",
    tagmanifest_sha256="string",
    accession=thing(
        archive="string",
        number="string",
        version="string",
        landing_url="uri",
        direct_url="uri",
        accessioned_at="date-time",
    ),
)


class SubmissionList(APIView):
    """`GET /api/v1/submissions?state=staged`: what is laid out for the archive."""

    permission = "signed in"
    read_scope = "archive:fetch"
    told: ClassVar[dict[str, Told]] = {
        "GET": Told("Data sets laid out for the archive", answer=SUBMISSION, many=True, query={"state": "as staged"})
    }

    def get(self, request: Request) -> Response:
        if not access.may(request.user, "submission.see"):
            raise NotYou("Submissions are seen by data managers and by archives with a token of theirs.")
        rows: Any = Submission.objects.select_related("dataset__cruise", "dataset__identifier")
        rows = rows.prefetch_related("accessions").order_by("pk")
        if state := request.query_params.get("state"):
            rows = rows.filter(state=state)
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response([_shown(row) for row in page or ()])


class BagFile(APIView):
    """`GET /api/v1/submissions/{uuid}/bag/{path}`: one file of a staged bag, as `tagmanifest-sha256.txt`."""

    permission = "signed in"
    read_scope = "archive:fetch"
    told: ClassVar[dict[str, Told]] = {"GET": Told("One file of a staged bag", media=("application/octet-stream",))}

    def get(self, request: Request, uuid: str, path: str) -> StreamingHttpResponse:
        submission = _submission(request, uuid)
        if submission.state == "waiting":
            raise exceptions.NotFound("The bag is not staged yet.")
        try:
            handle = scan.open_inside(Path(settings.STAGING) / submission.bag, path)
        except (OSError, paths.PathRefused) as error:
            raise exceptions.NotFound("There is no such file in the bag.") from error
        file, size = os.fdopen(handle, "rb"), os.fstat(handle).st_size
        name = path.rpartition("/")[2]
        return streaming.send_file(request._request, file, size, content_type="application/octet-stream", name=name)


class AccessionInput(serializers.Serializer):
    """What an archive tells."""

    archive = serializers.CharField(max_length=120)
    accession = serializers.CharField(max_length=60)
    version = serializers.CharField(max_length=20)
    landing_url = serializers.URLField(max_length=500)
    direct_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    checksum = serializers.RegexField(
        r"\A[0-9a-fA-F]{64}\Z", required=False, help_text="SHA-256 of tagmanifest-sha256.txt"
    )
    accessioned_at = serializers.DateTimeField(required=False)


class Accession(APIView):
    """`PUT /api/v1/submissions/{uuid}/accession`: the callback of an archive. The same word twice changes nothing."""

    permission = "signed in"
    scope = "archive:accession"
    told: ClassVar[dict[str, Told]] = {
        "PUT": Told(
            "Tells that an archive has accessioned a data set",
            takes=AccessionInput,
            answer=SUBMISSION,
            statuses={201: "The accession was not known before."},
        )
    }

    def put(self, request: Request, uuid: str) -> Response:
        submission = _submission(request, uuid)
        given = AccessionInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        number = values.pop("accession")
        _, new = submissions.told(submission=submission, number=number, by=request.user, **values)
        if new:
            jobs.soon()
        submission.refresh_from_db()
        return Response(_shown(submission), status=201 if new else 200)
