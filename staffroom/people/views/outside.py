"""The end of a sign-in by SAML, guarded where the library breaks instead of refusing, and where it is content with too little."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)
AUDIENCE = "{urn:oasis:names:tc:SAML:2.0:assertion}Audience"


@require_safe
def finish_saml(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Sign in whom the service names. What cannot be read is refused like an answer that is wrong."""
    # Loaded by nobody who has no such service.
    from allauth.socialaccount.helpers import render_authentication_error
    from allauth.socialaccount.providers.saml.utils import get_app_or_404
    from allauth.socialaccount.providers.saml.views import finish_acs
    from lxml.etree import LxmlError

    try:
        if _is_for_somebody(request):
            answer: HttpResponse = finish_acs(request, organization_slug=organization_slug)
            return answer
        log.warning("saml_answer_without_audience")
    except (LxmlError, ValueError, LookupError, AttributeError, TypeError) as error:
        log.warning("saml_answer_unreadable", error=type(error).__name__)
    provider = get_app_or_404(request, organization_slug).get_provider(request)
    refused: HttpResponse = render_authentication_error(request, provider)
    return refused


def _is_for_somebody(request: HttpRequest) -> bool:
    """Whether the answer names an audience. That it is us is checked by the library, which lets none at all pass."""
    from base64 import b64decode

    from allauth.core.internal import httpkit
    from allauth.socialaccount.sessions import LoginSession
    from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

    kept = LoginSession(request, "saml_acs_session", "saml-acs-session").store.get("request")
    sent = httpkit.deserialize_request(kept, HttpRequest()).POST.get("SAMLResponse", "") if kept else ""
    return any((each.text or "").strip() for each in OneLogin_Saml2_XML.to_etree(b64decode(sent)).iter(AUDIENCE))
