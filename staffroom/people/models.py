"""Persons, the tree of organizations, and what rosters bring. The lowest kernel room: imports no other."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a membership lets a person be in an organization and everything below it."""

    TEACHER = "teacher", _("teacher")
    AIDE = "aide", _("aide")
    COACH = "coach", _("coach")
    MENTOR = "mentor", _("mentor")
    SCHOOL_LEADER = "school_leader", _("school leader")
    DISTRICT_LEADER = "district_leader", _("district leader")
    EVALUATOR = "evaluator", _("evaluator")
    RESEARCHER = "researcher", _("researcher")
    PARTNER = "partner", _("partner")
    ADMINISTRATOR = "administrator", _("administrator")
    STUDENT = "student", _("student")


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str | None = None, password: str | None = None, **fields: Any) -> Person:
        """Make a person; without a password the account cannot be signed in to."""
        person = self.model(
            email=self.normalize_email(email).lower() or None if email else None,
            **fields,
        )
        person.set_password(password)
        person.save(using=self._db)
        person.trust_email()
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


def name_of(given: str, family: str, preferred: str) -> str:
    """How somebody is called who is known by these names."""
    return f"{preferred or given} {family}".strip()


class Person(AbstractBaseUser):
    """Somebody: a teacher, a coach, a leader, a student. Signs in by e-mail; students never need to."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(max_length=254, unique=True, null=True, blank=True)
    given_name = models.CharField(max_length=150)
    family_name = models.CharField(max_length=150, blank=True)
    preferred_name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Rosters: the identifier under which the district's own system knows this person.
    district = models.ForeignKey(
        "Organization",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="rostered_persons",
    )
    source_id = models.CharField(max_length=255, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["given_name"]
    objects = PersonManager()

    class Meta:
        ordering = ["family_name", "given_name", "pk"]
        indexes = [models.Index(fields=["family_name", "given_name", "id"], name="person_by_name")]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="person_email_once"),
            models.UniqueConstraint(
                fields=["district", "source_id"],
                condition=~Q(source_id=""),
                name="person_source_id_once",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return name_of(self.given_name, self.family_name, self.preferred_name)

    @property
    def first_name(self) -> str:
        return self.preferred_name or self.given_name

    def trust_email(self) -> None:
        """Let the person sign in by their address without confirming it: whoever made the account vouches for it."""
        from allauth.account.models import EmailAddress

        if self.email:
            EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)

    def forget_memberships(self) -> None:
        """Read memberships, and what follows from them, anew at the next question; the rules remember them for a request."""
        for remembered in ("_memberships", "_district", "_paths_around", "_schools"):
            self.__dict__.pop(remembered, None)

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.first_name


class Organization(models.Model):
    """A node of the tree: state, district, school or team. ``path`` names all ancestors, itself last: ``/1/4/9/``."""

    class Kind(models.TextChoices):
        STATE = "state", _("state")
        DISTRICT = "district", _("district")
        SCHOOL = "school", _("school")
        TEAM = "team", _("team")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    path = models.CharField(max_length=255, blank=True, db_index=True, editable=False)
    time_zone = models.CharField(max_length=64, blank=True)
    source_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "source_id"],
                condition=~Q(source_id=""),
                name="organization_source_id_once",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep ``path`` true for a new node; moving a subtree is the action ``move_organization``."""
        super().save(*args, **kwargs)
        path = f"{self.parent.path if self.parent else '/'}{self.pk}/"
        if path != self.path:
            self.path = path
            type(self).objects.filter(pk=self.pk).update(path=path)

    @property
    def ancestor_pks(self) -> list[int]:
        """Primary keys from the root down to this node itself."""
        return [int(part) for part in self.path.strip("/").split("/") if part]


class Membership(models.Model):
    """A person has a role in an organization (and all below it) from a day until a day, or open-ended.

    ``ends_on`` is the first day on which it no longer holds, so that ending it today takes effect at once.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    begins_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    # Rosters: the identifier under which the district's own system knows this role; only those does a roster end.
    source_id = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "organization", "role"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(begins_on=None) | Q(ends_on=None) | Q(ends_on__gte=models.F("begins_on")),
                name="membership_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["organization", "role"])]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_role_display()}, {self.organization}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Let the person at hand, who remembers their memberships for a request, read them anew."""
        super().save(*args, **kwargs)
        self.person.forget_memberships()

    def get_role_display(self) -> str:  # type: ignore[no-redef]  # Django would make one
        """The role in words. Django's own way hashes all roles in words each time, at a third of the cost of a list of people."""
        return str(Role(self.role).label) if self.role in Role.values else self.role

    @property
    def counts_today(self) -> bool:
        today = timezone.localdate()
        return (self.begins_on is None or self.begins_on <= today) and (self.ends_on is None or self.ends_on > today)


class Term(models.Model):
    """A stretch of the school year in a district, in which sections meet and outcomes are compared."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="terms")
    name = models.CharField(max_length=100)
    begins_on = models.DateField()
    ends_on = models.DateField()
    school_year = models.PositiveSmallIntegerField(help_text=_("The calendar year in which the school year ends."))
    source_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["begins_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=models.F("begins_on")),
                name="term_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["organization", "source_id"],
                condition=~Q(source_id=""),
                name="term_source_id_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    """What is taught: 5th-grade mathematics. Taught in sections."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="courses")
    title = models.CharField(max_length=200)
    code = models.CharField(max_length=100, blank=True)
    subject = models.CharField(max_length=100, blank=True)
    grade = models.CharField(max_length=20, blank=True)
    source_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "source_id"],
                condition=~Q(source_id=""),
                name="course_source_id_once",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Section(models.Model):
    """A class: one group of students in one course at one school (OneRoster's "class")."""

    school = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sections")
    course = models.ForeignKey(Course, null=True, blank=True, on_delete=models.PROTECT, related_name="sections")
    title = models.CharField(max_length=200)
    code = models.CharField(max_length=100, blank=True)
    terms = models.ManyToManyField(Term, related_name="sections", blank=True)
    source_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "source_id"],
                condition=~Q(source_id=""),
                name="section_source_id_once",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Enrollment(models.Model):
    """A person teaches, helps in or attends a section, until ``ends_on`` (the first day on which they no longer do)."""

    class Role(models.TextChoices):
        TEACHER = "teacher", _("teacher")
        AIDE = "aide", _("aide")
        STUDENT = "student", _("student")

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="enrollments")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="enrollments")
    role = models.CharField(max_length=16, choices=Role)
    is_primary = models.BooleanField(default=False)
    begins_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    source_id = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["section", "person", "role"],
                condition=Q(source_id=""),
                name="enrollment_once",
            ),
            models.UniqueConstraint(
                fields=["section", "source_id"],
                condition=~Q(source_id=""),
                name="enrollment_source_id_once",
            ),
        ]
        indexes = [models.Index(fields=["person", "role"])]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_role_display()}, {self.section}"


class Invitation(models.Model):
    """A link by which somebody joins an organization in a role. Only a hash of the link's secret is stored."""

    email = models.EmailField(max_length=254)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=20, choices=Role)
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="invitations_sent")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="invitations_accepted",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_role_display()}, {self.organization}"


class RosterImport(models.Model):
    """One roster file set being taken in: what it was, how far it is, what it changed."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    district = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="roster_imports")
    imported_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="roster_imports")
    name = models.CharField(max_length=255)
    path = models.CharField(max_length=500, help_text=_("Where the file set lies in the storage."))
    sha256 = models.CharField(max_length=64, blank=True)
    layout = models.CharField(
        max_length=32,
        blank=True,
        help_text=_("OneRoster 1.1, OneRoster 1.2 or plain CSV."),
    )
    is_delta = models.BooleanField(default=False)
    may_end_most = models.BooleanField(
        default=False, help_text=_("Whether it may end more than half of the roles there are.")
    )
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class RosterProblem(models.Model):
    """One bad row of a roster: where it stands and what is wrong with it."""

    roster_import = models.ForeignKey(RosterImport, on_delete=models.CASCADE, related_name="problems")
    file = models.CharField(max_length=100)
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}{f', {self.column}' if self.column else ''}: {self.reason}"
