"""Addresses of the door of files; only processes with SERVE_CHAT=1 have it."""

from django.urls import path

from chat_server.serving.file_views import preview, upload

_FILE = "api/v1/tenants/<str:public_id>/chatkit/attachments/<str:attachment_id>/"
urlpatterns = [
    path(_FILE, preview, name="chat-file"),
    path(f"{_FILE}upload/", upload, name="chat-file-upload"),
]
