"""Addresses of what is kept beside the events, and of the proof: attachments, files, verifying, sealing."""

from __future__ import annotations

from django.urls import path

from eventlog.api import attachments as api_attachments
from eventlog.api import files as api_files
from eventlog.api import sealing as api_sealing
from eventlog.views import files, sealing

C = "cruise/<str:cruise_id>/log/"
ATTACHMENTS, FILES = "api/v1/cruises/<str:cruise_id>/attachments", "api/v1/cruises/<str:cruise_id>/files"
urlpatterns = [
    path(C + "files/", files.files_page, name="log-files"),
    path(C + "files/watch/", files.add_watch, name="add-watch"),
    path(C + "files/watch/<int:pk>/", files.set_watch, name="set-watch"),
    path(C + "files/<uuid:uuid>/link/", files.link, name="link-file"),
    path(C + "seal/", sealing.seal_page, name="log-seal"),
    path(C + "seal/verify/", sealing.verify_log, name="verify-log"),
    path(C + "seal/again/", sealing.seal_again, name="seal-again"),
    path(ATTACHMENTS, api_attachments.AttachmentList.as_view(), name="api-attachments"),
    path(ATTACHMENTS + "/<uuid:uuid>", api_attachments.AttachmentDetail.as_view(), name="api-attachment"),
    path(
        ATTACHMENTS + "/<uuid:uuid>/restore", api_attachments.AttachmentRestore.as_view(), name="api-attachment-restore"
    ),
    path(FILES, api_files.FileList.as_view(), name="api-files"),
    path(FILES + "/<uuid:uuid>", api_files.FileDetail.as_view(), name="api-file"),
    path("api/v1/cruises/<str:cruise_id>/log/verify", api_sealing.LogProof.as_view(), name="api-verify"),
]
