"""What is wrong in a form is said at the top and at the field, and tied to it for those who cannot see."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.template import TemplateSyntaxError

from tests.ui.conftest import Render


class NoteForm(forms.Form):
    title = forms.CharField(help_text="Short.")
    audience = forms.ChoiceField(choices=[("me", "Only me"), ("c", "My coach")], widget=forms.RadioSelect)
    reminds = forms.BooleanField(required=False, help_text="By e-mail.")
    lesson = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> None:
        raise forms.ValidationError("Too late in the year.")


def attribute(html: str, element_id: str, name: str) -> str:
    tag = re.search(rf'<[^>]*\bid="{element_id}"[^>]*>', html)
    assert tag, f"no element {element_id}"
    found = re.search(rf'\b{name}="([^"]*)"', tag[0])
    return found[1] if found else ""


def test_an_error_is_linked_to_its_field(render: Render) -> None:
    html = render("{{ form }}", form=NoteForm({"title": ""}))
    assert attribute(html, "id_title", "aria-invalid") == "true"
    described = attribute(html, "id_title", "aria-describedby").split()
    assert described == ["id_title_helptext", "id_title_error"]
    for element in described:
        assert f'id="{element}"' in html


def test_the_summary_takes_the_focus_and_leads_to_every_field(render: Render) -> None:
    html = render("{{ form }}", form=NoteForm({"title": ""}))
    assert re.search(r'class="error-summary" role="alert" tabindex="-1" autofocus', html)
    assert 'href="#id_title"' in html
    assert 'href="#id_audience_0"' in html
    assert 'id="id_audience_0"' in html
    assert "Too late in the year." in html


def test_a_form_without_errors_has_no_summary(render: Render) -> None:
    html = render("{{ form }}", form=NoteForm())
    assert "error-summary" not in html
    assert "field-error" not in html


def test_every_visible_field_has_a_label(render: Render) -> None:
    html = render("{{ form }}", form=NoteForm())
    assert '<label class="field-label" for="id_title">' in html
    assert '<legend class="field-label">Audience' in html
    assert html.count('for="id_reminds"') == 1
    assert 'type="hidden" name="lesson"' in html


def test_optional_fields_say_so_instead_of_stars(render: Render) -> None:
    class Form(forms.Form):
        needed = forms.CharField()
        extra = forms.CharField(required=False)

    html = render("{{ form }}", form=Form())
    assert html.count("(optional)") == 1
    assert "*" not in html


def test_a_whole_form_posts_without_javascript_and_by_htmx(render: Render) -> None:
    html = render('{% form form action="/notes/" target="#list" swap="beforeend" draft="note" %}', form=NoteForm())
    assert 'method="post"' in html
    assert 'action="/notes/"' in html
    assert 'hx-post="/notes/"' in html
    assert 'hx-status:422="target:this swap:outerHTML"' in html
    assert 'data-draft="note"' in html
    assert "hx-post" not in render('{% form form action="/notes/" %}', form=NoteForm())


def test_a_form_with_a_file_can_carry_it(render: Render) -> None:
    class Form(forms.Form):
        recording = forms.FileField()

    assert 'enctype="multipart/form-data"' in render("{% form form %}", form=Form())


def test_a_misspelled_field_is_an_error_not_a_hole(render: Render) -> None:
    with pytest.raises(TemplateSyntaxError, match="Is its name right"):
        render("{% field form.titel %}", form=NoteForm())
