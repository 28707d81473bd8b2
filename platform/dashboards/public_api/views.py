"""The public endpoints' OpenAPI for whoever is signed in to the console: the document, and a page that draws it."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from drf_spectacular.views import SpectacularSwaggerSplitView

from dashboards.public_api.document import public_openapi


def schema(request: HttpRequest) -> JsonResponse:
    return JsonResponse(public_openapi(server=settings.PLATFORM_URL))


docs = SpectacularSwaggerSplitView.as_view(
    authentication_classes=[],
    permission_classes=[],
    url_name="public-api-schema",
    title="Public API",
    template_name="dashboards/api_docs.html",
)
