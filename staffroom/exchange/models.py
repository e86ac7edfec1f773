"""What the doors keep beside the ledger: agents, what activities are called, documents, attachments, and what was refused."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Organization, Person
from staffroom.permissions.models import Tool
from staffroom.records.models import Activity


class Agent(models.Model):
    """Somebody as a tool knows them: by an account, an e-mail address or its hash. Matched to a person, or not yet."""

    class Match(models.TextChoices):
        NONE = "", _("not matched")
        ACCOUNT = "account", _("by account")
        EMAIL = "email", _("by e-mail address")
        HASH = "hash", _("by hash of the e-mail address")
        CLAIMED = "claimed", _("claimed")
        APART = "apart", _("kept apart")

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="agents")
    target = models.BigIntegerField(help_text=_("The hash by which the ledger finds what it mentions."))
    identifier = models.JSONField(help_text=_("The agent as xAPI writes it, with its name as last heard."))
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="agents")
    match = models.CharField(max_length=10, choices=Match, blank=True, default=Match.NONE)
    matched_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="agents_matched"
    )
    matched_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "target"], name="agent_once")]

    def __str__(self) -> str:
        return str(self.identifier.get("name") or self.identifier)


class KnownActivity(models.Model):
    """What a district's tools have said about an activity of theirs: its name, description and type. Never fetched from its address."""

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="known_activities")
    target = models.BigIntegerField()
    iri = models.TextField()
    definition = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "target"], name="known_activity_once")]
        verbose_name_plural = _("known activities")

    def __str__(self) -> str:
        return self.iri


class Document(models.Model):
    """Bytes that a tool keeps here: the state of somebody in an activity, or a profile of an activity or of an agent.

    They are of the organization whose tool wrote them: a school's tool finds none of the district's, nor the district's of the school.
    """

    class Kind(models.TextChoices):
        STATE = "state", _("state")
        ACTIVITY_PROFILE = "activity", _("activity profile")
        AGENT_PROFILE = "agent", _("agent profile")

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, choices=Kind)
    # Of what: the agent and the activity by their hashes (0: none), and the registration ("": none).
    agent = models.BigIntegerField(default=0)
    activity = models.BigIntegerField(default=0)
    registration = models.CharField(max_length=36, blank=True)
    name = models.TextField(help_text=_("The stateId or profileId."))
    content_type = models.CharField(max_length=255)
    content = models.BinaryField()
    etag = models.CharField(max_length=40)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="documents")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "agent", "activity", "registration", "name"], name="document_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Attachment(models.Model):
    """The bytes of an attachment of statements, kept once for a district under their hash."""

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="attachments")
    sha2 = models.CharField(max_length=128)
    content_type = models.CharField(max_length=255)
    length = models.PositiveBigIntegerField()
    path = models.CharField(max_length=500)
    stored_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sha2"], name="attachment_once")]

    def __str__(self) -> str:
        return self.sha2


class Rejection(models.Model):
    """A request of a tool that was refused, and why; kept for some days so that an administrator can help."""

    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="rejections")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    request = models.CharField(max_length=60)
    status = models.PositiveSmallIntegerField()
    reason = models.TextField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


class Mapping(models.Model):
    """What an administrator says about a course elsewhere: statements about this address count as that activity, with these hours."""

    class Hours(models.TextChoices):
        TOLD = "told", _("the time that the program tells")
        SESSION = "session", _("from the first to the last entry of a sitting")
        FIXED = "fixed", _("so many minutes for each thing completed")

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="mappings")
    tool = models.ForeignKey(Tool, null=True, blank=True, on_delete=models.PROTECT, related_name="mappings")
    iri = models.CharField(max_length=1000)
    is_prefix = models.BooleanField(default=False)
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="mappings")
    hours = models.CharField(max_length=10, choices=Hours, default=Hours.TOLD)
    # Verbs whose durations count (told; none: all of them), or that complete (fixed).
    verbs = models.JSONField(default=list, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    least_minutes = models.PositiveIntegerField(null=True, blank=True)
    most_minutes = models.PositiveIntegerField(null=True, blank=True)
    pause_minutes = models.PositiveIntegerField(null=True, blank=True)
    made_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="mappings_made")
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "tool", "iri", "is_prefix"],
                condition=Q(removed_at=None, tool__isnull=False),
                name="mapping_of_tool_once",
            ),
            models.UniqueConstraint(
                fields=["tenant", "iri", "is_prefix"],
                condition=Q(removed_at=None, tool=None),
                name="mapping_of_any_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.iri} → {self.activity}"


class Credit(models.Model):
    """The hours of a person on a day that a mapping gave, and the entry of the ledger that says so.

    The entry is Staffroom's own. What stands behind it are the entries of tools about the same person, day and mapping.
    """

    mapping = models.ForeignKey(Mapping, on_delete=models.PROTECT, related_name="credits")
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="credits")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="credits")
    day = models.DateField()
    entry = models.BigIntegerField(unique=True, help_text=_("The number of the entry in the ledger."))
    seconds = models.PositiveIntegerField()
    sources = models.PositiveIntegerField(help_text=_("How many entries of tools stand behind it."))

    class Meta:
        ordering = ["-day", "pk"]
        constraints = [models.UniqueConstraint(fields=["mapping", "person", "day"], name="credit_once")]
        indexes = [models.Index(fields=["person", "day"], name="credit_of_day")]

    def __str__(self) -> str:
        return f"{self.person}, {self.day}: {self.seconds} s"


class DayToCount(models.Model):
    """A day of a person whose hours from other programs have to be counted anew: left with the change, gone once it is done."""

    tenant = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "person", "day"], name="day_to_count_once")]
        verbose_name_plural = _("days to count")

    def __str__(self) -> str:
        return f"{self.person}, {self.day}"


class Destination(models.Model):
    """Another record store that gets what is written here: where it is, what it gets, and how far it has come.

    `cursor` is the number of the last entry that it has acknowledged, or that was not for it.
    """

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="destinations")
    name = models.CharField(max_length=120)
    url = models.CharField(max_length=500, help_text=_("Its endpoint, to which /statements is added."))
    key_name = models.CharField(max_length=255)
    sealed_secret = models.TextField(blank=True, help_text=_("Encrypted by the site's signing key."))
    major = models.PositiveSmallIntegerField(choices=[(1, "1.0.3"), (2, "2.0")], default=1)
    has_tools = models.BooleanField(default=True)
    tools = models.ManyToManyField(Tool, blank=True, related_name="destinations")
    has_own = models.BooleanField(default=False)
    verbs = models.JSONField(default=list, blank=True)
    activities = models.JSONField(default=list, blank=True)
    knows_people = models.BooleanField(default=False)
    is_on = models.BooleanField(default=True)
    cursor = models.BigIntegerField(default=0)
    forwarded = models.PositiveBigIntegerField(default=0)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="destinations_made"
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class PutAside(models.Model):
    """An entry that a destination refuses, with what it said; the entries after it went on. Can be tried again."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="put_aside")
    entry = models.BigIntegerField(help_text=_("The number of the entry in the ledger."))
    status = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)
    is_wanted_again = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["destination", "entry"], name="put_aside_once")]
        verbose_name = _("entry put aside")
        verbose_name_plural = _("entries put aside")

    def __str__(self) -> str:
        return f"{self.entry}: {self.status}"
