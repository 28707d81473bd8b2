"""Addresses of the chat door; importing them loads what ChatKit's server takes."""

from django.urls import path

from chat_server.serving.views import chat

urlpatterns = [path("api/v1/tenants/<str:public_id>/chatkit/", chat, name="chat")]
