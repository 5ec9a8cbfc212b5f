"""Addresses of publishing."""

from __future__ import annotations

from django.urls import path

from publishing import api
from publishing.oai.views import oai
from publishing.views import pages

C = "cruise/<str:cruise_id>/"
A = "api/v1/submissions"
urlpatterns = [
    path("oai", oai, name="oai"),
    path(C + "record.xml", pages.record_xml, name="record"),
    path(C + "report/", pages.report, name="report"),
    path(C + "report.pdf", pages.report_pdf, name="report-pdf"),
    path("submissions/", pages.submission_list, name="submissions"),
    path("submissions/<uuid:uuid>/accession/", pages.accession, name="accession"),
    path(A, api.SubmissionList.as_view(), name="api-submissions"),
    path(A + "/<uuid:uuid>/bag/<path:path>", api.BagFile.as_view(), name="api-bag"),
    path(A + "/<uuid:uuid>/accession", api.Accession.as_view(), name="api-accession"),
]
