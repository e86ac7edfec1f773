"""Following an invitation."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from staffroom.people import actions
from staffroom.people.forms import JoinForm
from staffroom.people.models import Invitation, Person
from staffroom.ui.pages import INVALID, render_page

BACKEND = "staffroom.people.sessions.Accounts"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation: with the account of its address, or by making one."""
    try:
        invitation = actions.invitation_by(secret)
        if request.method == "POST":
            return _accept(request, secret, invitation)
    except actions.InvitationGone:
        return render_page(request, "people/invitation_gone.html", status=404)
    return _page(request, invitation, JoinForm())


def _page(request: HttpRequest, invitation: Invitation, form: JoinForm, status: int = 200) -> HttpResponse:
    has_account = Person.objects.filter(email__iexact=invitation.email).exists()
    is_own = request.user.is_authenticated and (request.user.email or "").lower() == invitation.email.lower()
    context = {"invitation": invitation, "form": form, "has_account": has_account, "is_own": is_own}
    response = render_page(request, "people/join.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _accept(request: HttpRequest, secret: str, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST)
    try:
        if isinstance(request.user, Person):
            actions.join(secret=secret, by=request.user)
        elif form.is_valid():
            words = {name: form.cleaned_data[name] for name in ("given_name", "family_name", "password")}
            login(request, actions.join_anew(secret=secret, **words), backend=BACKEND)
        else:
            return _page(request, invitation, form, INVALID)
    except PermissionDenied:
        return _page(request, invitation, JoinForm(), INVALID)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, invitation, form, INVALID)
    messages.success(request, _("Welcome to %(place)s.") % {"place": invitation.organization})
    return redirect("/")
