"""Frameworks come in as CASE or CSV: whole or not at all, and the same content only once."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from staffroom.frameworks import actions, outlines, queries
from staffroom.frameworks.models import Element, Framework, FrameworkVersion
from staffroom.frameworks.outlines import BadFramework
from tests.cast import Cast

DOCUMENT = "c649d172-d7cb-11e8-824f-0242ac160002"


def node(identifier: str) -> dict[str, str]:
    return {"title": "…", "identifier": identifier, "uri": f"https://case.example/ims/case/v1p0/CFItems/{identifier}"}


def below(number: int, child: str, parent: str, sequence: int | None = None) -> dict[str, Any]:
    made = {
        "identifier": f"a{number}",
        "associationType": "isChildOf",
        "originNodeURI": node(child),
        "destinationNodeURI": node(parent),
        "lastChangeDateTime": "2026-08-01T00:00:00+00:00",
    }
    return made if sequence is None else {**made, "sequenceNumber": sequence}


PACKAGE: dict[str, Any] = {
    "CFDocument": {"identifier": DOCUMENT, "title": "Riverbend teaching", "creator": "Riverbend", "version": "2026"},
    "CFItems": [
        {"identifier": "q", "fullStatement": "Asks questions that need a reason.", "humanCodingScheme": "T.1",
         "CFItemType": "Practice"},
        {"identifier": "t", "fullStatement": "Talk that makes thinking visible.", "abbreviatedStatement": "Talk",
         "humanCodingScheme": "T", "CFItemType": "Domain"},
        {"identifier": "w", "fullStatement": "Waits after a question.", "humanCodingScheme": "T.2"},
    ],
    "CFAssociations": [
        below(1, "t", DOCUMENT, 1),
        below(2, "w", "t", 1),
        below(3, "q", "t", 2),
        {"identifier": "x", "associationType": "isRelatedTo", "originNodeURI": node("q"),
         "destinationNodeURI": node("elsewhere")},
    ],
}  # fmt: skip


def test_a_case_package_becomes_a_tree_in_its_own_order(cast: Cast) -> None:
    version = actions.import_case(by=cast.omar, organization=cast.district, document=PACKAGE)
    tree = [(depth, element.identifier) for depth, element in queries.tree_of(version)]
    assert tree == [(0, "t"), (1, "w"), (1, "q")]
    assert Element.objects.get(version=version, identifier="q").code == "T.1"
    assert version.label == "2026"
    assert version.published_at is None


def test_the_same_content_again_is_no_new_version(cast: Cast) -> None:
    first = actions.import_case(by=cast.omar, organization=cast.district, document=PACKAGE)
    actions.publish(by=cast.omar, version=first)
    again = actions.import_case(by=cast.ines, organization=cast.district, document=copy.deepcopy(PACKAGE))
    assert again == first
    assert FrameworkVersion.objects.count() == 1


def test_changed_content_is_the_next_version_and_the_published_one_stays(cast: Cast) -> None:
    first = actions.import_case(by=cast.omar, organization=cast.district, document=PACKAGE)
    actions.publish(by=cast.omar, version=first)
    changed = copy.deepcopy(PACKAGE)
    changed["CFItems"][2]["fullStatement"] = "Waits after a question and after an answer."
    second = actions.import_case(by=cast.omar, organization=cast.district, document=changed)
    assert (second.framework, second.number) == (first.framework, 2)
    assert first.elements.get(identifier="w").statement == "Waits after a question."
    tagged_with = set(queries.elements_for(cast.amara).values_list("version", flat=True))
    assert tagged_with == {first.pk}
    actions.publish(by=cast.omar, version=second)
    assert set(queries.elements_for(cast.amara).values_list("version", flat=True)) == {second.pk}


def test_an_unpublished_version_is_replaced_in_place(cast: Cast) -> None:
    first = actions.import_case(by=cast.omar, organization=cast.district, document=PACKAGE)
    changed = copy.deepcopy(PACKAGE)
    changed["CFItems"].pop()
    changed["CFAssociations"].pop(1)
    second = actions.import_case(by=cast.omar, organization=cast.district, document=changed)
    assert second.pk == first.pk
    assert second.elements.count() == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda package: package.pop("CFDocument"), "no CFDocument"),
        (lambda package: package.update(CFItems=[]), "no items"),
        (lambda package: package["CFItems"][0].pop("fullStatement"), "fullStatement is missing"),
        (lambda package: package["CFItems"].append(package["CFItems"][0]), "twice"),
        (lambda package: package["CFAssociations"].append(below(9, "t", "nobody")), "not in the package"),
        (lambda package: package["CFAssociations"].__setitem__(0, below(1, "t", "q")), "below itself"),
    ],
)
def test_a_bad_package_is_refused_with_its_reason_and_changes_nothing(cast: Cast, change: Any, reason: str) -> None:
    package = copy.deepcopy(PACKAGE)
    change(package)
    with pytest.raises(BadFramework) as refused:
        actions.import_case(by=cast.omar, organization=cast.district, document=package)
    assert any(reason in problem.reason for problem in refused.value.problems)
    assert not Framework.objects.exists()


@pytest.mark.parametrize("document", [None, [], "text", 3, {}, {"CFPackage": []}, {"CFDocument": {}, "CFItems": 4}])
def test_what_is_no_package_is_refused_in_words(document: Any) -> None:
    with pytest.raises(BadFramework):
        outlines.from_case(document)


def test_every_bad_row_of_a_csv_is_named_by_its_line(cast: Cast) -> None:
    text = "code,parent,title\nA,,Talk\nA1,A,\nA2,Z,Wait\nA,,Talk again\n"
    with pytest.raises(BadFramework) as refused:
        actions.import_csv(by=cast.omar, organization=cast.district, text=text, title="Ours")
    assert [problem.where for problem in refused.value.problems] == ["line 3", "line 5", "line 4"]
    assert not Framework.objects.exists()


def test_a_csv_is_known_by_its_title(cast: Cast) -> None:
    text = "code,parent,kind,title,statement\nA,,domain,Talk,\nA1,A,practice,Wait,Some seconds.\n"
    first = actions.import_csv(by=cast.omar, organization=cast.district, text=text, title="Ours")
    assert actions.import_csv(by=cast.omar, organization=cast.district, text=text, title="Ours") == first
    assert actions.import_csv(by=cast.omar, organization=cast.alder, text=text, title="Ours") != first


@pytest.mark.parametrize("who", ["amara", "priya", "grace", "denise", "ruth", "vera"])
def test_only_administrators_import_and_publish(cast: Cast, who: str) -> None:
    person = getattr(cast, who)
    with pytest.raises(PermissionDenied):
        actions.import_case(by=person, organization=cast.district, document=PACKAGE)
    version = actions.import_case(by=cast.omar, organization=cast.district, document=PACKAGE)
    with pytest.raises(PermissionDenied):
        actions.publish(by=person, version=version)


def test_the_default_framework_is_installed_once_for_everyone(cast: Cast) -> None:
    version = actions.install_default()
    assert actions.install_default() == version
    depths = [depth for depth, _element in queries.tree_of(version)]
    assert (depths.count(0), depths.count(1)) == (4, 14)
    assert queries.elements_for(cast.vera).count() == 18
    with pytest.raises(PermissionDenied):
        actions.publish(by=cast.omar, version=version)


def test_another_district_does_not_see_ours(cast: Cast) -> None:
    actions.publish(
        by=cast.omar, version=actions.import_case(by=cast.omar, organization=cast.district, document=PACKAGE)
    )
    assert queries.frameworks_for(cast.amara).exists()
    assert not queries.frameworks_for(cast.vera).exists()


@given(st.lists(st.integers(min_value=-1, max_value=11), min_size=1, max_size=12))
def test_any_forest_is_read_parents_first_and_any_circle_is_refused(parents: list[int]) -> None:
    lines = ["code,parent,title"]
    lines += [f"c{n},{f'c{parent}' if 0 <= parent < len(parents) else ''},Row {n}" for n, parent in enumerate(parents)]
    try:
        outline = outlines.from_csv("\n".join(lines), title="Any")
    except BadFramework as refused:
        assert all("below itself" in problem.reason for problem in refused.problems)  # noqa: PT017
        return
    seen: set[str] = {""}
    for row in outline.rows:
        assert row.parent in seen
        seen.add(row.identifier)
    assert len(outline.rows) == len(parents)
