"""Every door of Staffroom, and who gets in: one table. What stands open without standing here fails the build.

A door is a URL, or an operation of the API (``GET /api/records/entries``). ``guests`` are the people of the cast who get in with the
arguments named; everybody else finds nothing (404), and who is not signed in is asked to sign in (302 at pages, 401 at the API).
Arguments are told as paths into the world of tests/promises/world.py; in quotes they are meant literally.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from tests.promises.world import NAMES, World

ANYONE = frozenset(NAMES)
SIGNED_IN = ANYONE - {"anonymous"}
NOBODY: frozenset[str] = frozenset()
OWNER = frozenset({"amara"})
AUDIENCE = OWNER | {"priya"}
MEMBERS_OF_CIRCLE = OWNER | {"tom"}
ADMINISTRATORS = frozenset({"omar", "ines"})
SCHOOL_LEADER = frozenset({"grace"})
LEADERS = SCHOOL_LEADER | {"denise"}
OVERSEERS = LEADERS | ADMINISTRATORS
OVERSEERS_ANYWHERE = OVERSEERS | {"vera"}
KEEPERS = ADMINISTRATORS | {"denise"}
KEEPERS_ANYWHERE = KEEPERS | {"vera"}
AT_HOME = SIGNED_IN - {"vera"}
CONSENT_KEEPERS = ADMINISTRATORS | SCHOOL_LEADER
TEACHERS = frozenset({"amara", "tom", "ben"})
GROWERS = TEACHERS | {"priya"}

WATCHERS = OVERSEERS | {"rafael"}
WATCHERS_ANYWHERE = WATCHERS | {"vera"}
STUDY_RUNNERS = KEEPERS | {"rafael"}
OPENED = frozenset({200})
TAKEN = frozenset({200, 201, 204, 302, 400, 422})
MOMENT = {"start_ms": 250_000, "text": "x"}


@dataclass(frozen=True)
class Door:
    """One door: its name, who gets in, with which arguments, by which methods.

    ``answers``: what a guest is answered by GET; ``on_post``: what a guest is answered who posts an empty form. Both only where it is
    not what is usual. ``shuts``: what everybody else is answered, where that is not 404. ``body``: what is sent to an operation of
    the API, whose schema would otherwise refuse before its guard looks.
    """

    name: str
    guests: frozenset[str]
    args: str = ""
    methods: str = "GET"
    answers: frozenset[int] = OPENED
    on_post: frozenset[int] = TAKEN
    shuts: int = 404
    query: str = ""
    posters: frozenset[str] | None = None
    body: dict[str, Any] | None = None
    why: str = field(default="", compare=False)

    @property
    def is_api(self) -> bool:
        return "/api/" in self.name

    def who(self, method: str) -> frozenset[str]:
        """Who gets in by this method."""
        return self.guests if method == "GET" or self.posters is None else self.posters

    def address(self, world: World) -> str:
        """Where the door is in this world."""
        values = [_value(world, path) for path in self.args.split()]
        if self.is_api:
            numbered = iter(values)
            return re.sub(r"\{[^}]+\}", lambda _match: str(next(numbered)), self.name.split(" ", 1)[1]) + self.query
        return reverse(self.name, args=values) + self.query


def _value(world: World, path: str) -> Any:
    if path.startswith("'"):
        return path.strip("'")
    found: Any = world
    for part in path.split("."):
        found = getattr(found, part)
    return found


GONE = frozenset({302, 404})

HOME = (
    Door("home:front", SIGNED_IN),
    Door("home:parts", ADMINISTRATORS),
    Door("home:my_record", SIGNED_IN),
    Door("home:who_opened", SIGNED_IN),
    Door("home:export", SIGNED_IN, methods="POST"),
    Door("home:erase", SIGNED_IN, methods="GET POST"),
    Door("home:erase_person", ADMINISTRATORS, "tom.key", methods="GET POST", why="of who works here: no"),
    Door("home:my_record_kind", SIGNED_IN, "'lessons.lesson'", why="each finds their own rows"),
)
LESSONS = (
    Door("lessons:list", SIGNED_IN),
    Door("lessons:shared", SIGNED_IN),
    Door("lessons:new", SIGNED_IN, methods="GET POST"),
    Door("lessons:lesson", OWNER, "lesson.slug"),
    Door("lessons:opened", NOBODY, "lesson.key", why="two administrators, once the second has agreed"),
    Door("lessons:record", OWNER, "empty_lesson.slug"),
    Door("lessons:finish_recording", OWNER, "empty_lesson.slug", "POST"),
    Door("lessons:progress", OWNER, "lesson.slug"),
    Door("lessons:media", OWNER, "lesson.slug"),
    Door("lessons:sit", OWNER, "lesson.slug", "POST"),
    Door("lessons:change", OWNER, "lesson.slug", "GET POST"),
    Door("lessons:reflect", OWNER, "lesson.slug", "POST"),
    Door("lessons:delete", OWNER, "lesson.slug", "GET POST"),
    Door("lessons:original", OWNER, "lesson.slug", "POST"),
    Door("lessons:export", OWNER, "lesson.slug 'csv'"),
    Door("lessons:note_moment", OWNER, "lesson.slug", "POST"),
    Door("lessons:captions", OWNER, "lesson.slug", "GET POST"),
    Door("lessons:captions_file", OWNER, "lesson.slug"),
    Door("lessons:make_clip", OWNER, "lesson.slug", "GET POST"),
    Door("clips:clip", AUDIENCE, "clip.key"),
    Door("clips:share", OWNER, "clip.key", "GET POST"),
    Door("clips:retract", OWNER, "clip.key", "POST"),
    Door("clips:delete", OWNER, "clip.key", "GET POST"),
    Door("clips:comment", AUDIENCE, "clip.key", "POST"),
    Door("clips:media", AUDIENCE, "clip.key"),
    Door("clips:download", OWNER, "clip.key", "POST"),
    Door("clips:captions", AUDIENCE, "clip.key"),
    Door("clips:waveform", AUDIENCE, "clip.key"),
    Door("clips:storyboard", AUDIENCE, "clip.key"),
    Door("clips:sit", AUDIENCE, "clip.key", "POST"),
    Door("clips:progress", AUDIENCE, "clip.key"),
    Door("clips:note_moment", AUDIENCE, "clip.key", "POST"),
    Door("clips:export", AUDIENCE, "clip.key 'vtt'"),
    Door("clips:change_moment", OWNER, "moment.key", "GET POST"),
    Door("clips:remove_moment", OWNER, "moment.key", "POST"),
    Door("clips:reply", OWNER, "moment.key", "GET POST"),
)
CONVERSATIONS = (
    Door("conversations:notices", SIGNED_IN),
    Door("conversations:read_notices", SIGNED_IN, methods="POST"),
    Door("conversations:wish_mail", SIGNED_IN, methods="POST"),
    Door("conversations:open_notice", OWNER, "notice.pk", answers=frozenset({302})),
    Door("conversations:edit_comment", OWNER, "comment.key", "GET POST"),
    Door("conversations:withdraw_comment", OWNER, "comment.key", "POST"),
    Door("conversations:draft", SIGNED_IN, "'lesson:new'", "POST", why="each keeps their own draft of a place"),
)
PEOPLE = (
    Door("people:people", OVERSEERS_ANYWHERE),
    Door("people:people-csv", OVERSEERS_ANYWHERE),
    Door("people:end-role", ADMINISTRATORS, "tom_role.pk", "POST"),
    Door("people:person", OVERSEERS, "amara.key"),
    Door("people:give-role", ADMINISTRATORS, "tom.key", "POST"),
    Door("people:organizations", OVERSEERS_ANYWHERE),
    Door("people:organization", OVERSEERS, "alder.slug"),
    Door("people:invite", ADMINISTRATORS, "alder.slug", "POST"),
    Door("people:add-organization", ADMINISTRATORS, "alder.slug", "POST"),
    Door("people:rename-organization", ADMINISTRATORS, "alder.slug", "POST"),
    Door("people:move-organization", ADMINISTRATORS, "alder.slug", "POST"),
    Door("people:withdraw-invitation", ADMINISTRATORS, "invitation.pk", "POST"),
    Door("people:join", ANYONE, "secret", "GET POST", why="whoever holds the link"),
    Door("people:sections", SIGNED_IN, why="each finds the sections that they may see"),
    Door("people:section", OVERSEERS | OWNER, "section.pk"),
    Door("people:rosters", ADMINISTRATORS, methods="GET POST"),
    Door("people:roster-template", ADMINISTRATORS),
    Door("people:roster", ADMINISTRATORS, "roster.pk"),
    Door("people:take-roster", ADMINISTRATORS, "roster.pk", "POST"),
    Door("people:roster-problems", ADMINISTRATORS, "roster.pk"),
)
PERMISSIONS = (
    Door("permissions:circles", SIGNED_IN, methods="GET POST"),
    Door("permissions:circle", MEMBERS_OF_CIRCLE, "circle.key", "GET POST", posters=OWNER),
    Door("permissions:leave_circle", MEMBERS_OF_CIRCLE, "circle.key tom.key", "POST"),
    Door("permissions:sections", CONSENT_KEEPERS | TEACHERS),
    Door("permissions:section", CONSENT_KEEPERS | OWNER, "section.pk"),
    Door("permissions:answer", CONSENT_KEEPERS | OWNER, "section.pk leo.key", "POST"),
    Door("permissions:policy", SIGNED_IN, methods="GET POST", posters=ADMINISTRATORS),
    Door("permissions:glass_requests", ADMINISTRATORS),
    Door("permissions:answer_glass", frozenset({"ines"}), "glass.pk", "POST"),
    Door("permissions:ask_glass", ADMINISTRATORS, "'lesson' lesson.key", "GET POST"),
)
FILES = (
    Door("files:uploads", SIGNED_IN, methods="POST"),
    Door("files:upload", OWNER, "upload.key", "HEAD DELETE"),
    Door("files:media", OWNER, "signed 'lesson.mp4'"),
)
JOBS = (
    Door("jobs:list", ADMINISTRATORS),
    Door("jobs:job", OWNER, "job.key"),
    Door("jobs:retry", OWNER | ADMINISTRATORS, "job.key", "POST"),
)
FRAMEWORKS = (
    Door("frameworks:list", SIGNED_IN),
    Door("frameworks:import", ADMINISTRATORS, methods="GET POST"),
    Door("frameworks:framework", AT_HOME, "framework.slug"),
    Door("frameworks:version", AT_HOME, "framework.slug '1'"),
    Door("frameworks:publish", ADMINISTRATORS, "framework.slug '2'", "POST"),
)
RECORDS = (
    Door("records:home", OVERSEERS_ANYWHERE),
    Door("records:entries", SIGNED_IN),
    Door("records:entries-csv", SIGNED_IN),
    Door("records:void-entry", ADMINISTRATORS | OWNER, "statement.key", "POST"),
    Door("records:activities", OVERSEERS_ANYWHERE),
    Door("records:new-activity", OVERSEERS_ANYWHERE, methods="GET POST"),
    Door("records:activity", OVERSEERS, "activity.key"),
    Door("records:change-activity", KEEPERS, "activity.key", "GET POST"),
    Door("records:attendance", OVERSEERS, "activity.key", "GET POST"),
    Door("records:attendance-file", OVERSEERS, "activity.key", "POST"),
    Door("records:add-ingredient", KEEPERS, "activity.key", "POST"),
    Door("records:costs-csv", KEEPERS, "activity.key"),
    Door("records:void-cost", KEEPERS, "activity.key cost.key", "POST"),
    Door("records:instruments", KEEPERS_ANYWHERE),
    Door("records:new-instrument", KEEPERS_ANYWHERE, methods="GET POST"),
    Door("records:instrument", KEEPERS, "instrument.key"),
    Door("records:instrument-csv", KEEPERS, "instrument.key"),
    Door("records:prices", KEEPERS_ANYWHERE),
    Door("records:prices-csv", KEEPERS_ANYWHERE),
    Door("records:new-price", KEEPERS_ANYWHERE, methods="GET POST"),
    Door("records:end-price", KEEPERS, "price.pk", "POST"),
    Door("records:indexes", KEEPERS_ANYWHERE),
    Door("records:set-index", KEEPERS_ANYWHERE, methods="POST"),
    Door("records:drop-index", KEEPERS, "price_index.pk", "POST"),
    Door("records:compare-costs", OVERSEERS_ANYWHERE),
    Door("records:imports", KEEPERS_ANYWHERE, methods="GET POST"),
    Door("records:import", KEEPERS, "outcome_import.key", answers=frozenset({200, 302})),
    Door("records:import-mapping", KEEPERS, "outcome_import.key", "GET POST", frozenset({200, 302})),
    Door("records:start-import", KEEPERS, "outcome_import.key", "POST"),
    Door("records:drop-import", KEEPERS, "outcome_import.key", "POST"),
    Door("records:import-problems", KEEPERS, "outcome_import.key"),
)
FOR_TOOLS = "tools alone: an API key opens it, no person's session does"
EXCHANGE = (
    *(
        Door(f"exchange:{name}", NOBODY, methods=methods, shuts=401, why=FOR_TOOLS)
        for name, methods in (
            ("statements", "GET POST"), ("state", "GET POST DELETE"), ("activity_profile", "GET POST DELETE"),
            ("agent_profile", "GET POST DELETE"), ("activities", "GET"), ("agents", "GET"),
        )
    ),
    Door("exchange:about", ANYONE),
    Door("exchange:openapi", ANYONE),
    Door("exchange:token", ANYONE, methods="POST", on_post=frozenset({400})),
    Door("exchange:tools", ADMINISTRATORS),
    Door("exchange:tools-csv", ADMINISTRATORS),
    Door("exchange:new-tool", ADMINISTRATORS, methods="GET POST"),
    Door("exchange:tool", ADMINISTRATORS, "tool.key"),
    Door("exchange:change-tool", ADMINISTRATORS, "tool.key", "GET POST"),
    Door("exchange:retire-tool", ADMINISTRATORS, "tool.key", "POST"),
    Door("exchange:new-key", ADMINISTRATORS, "tool.key", "GET POST"),
    Door("exchange:revoke-key", ADMINISTRATORS, "tool.key api_key.name", "POST"),
    Door("exchange:people", ADMINISTRATORS),
    Door("exchange:people-csv", ADMINISTRATORS),
    Door("exchange:agent", ADMINISTRATORS, "agent.pk", "GET POST"),
    Door("exchange:set-apart", ADMINISTRATORS, "agent.pk", "POST"),
    Door("exchange:mappings", ADMINISTRATORS),
    Door("exchange:new-mapping", ADMINISTRATORS, methods="GET POST"),
    Door("exchange:mapping", ADMINISTRATORS, "mapping.pk"),
    Door("exchange:change-mapping", ADMINISTRATORS, "mapping.pk", "GET POST"),
    Door("exchange:remove-mapping", ADMINISTRATORS, "mapping.pk", "POST"),
    Door("exchange:destinations", ADMINISTRATORS),
    Door("exchange:new-destination", ADMINISTRATORS, methods="GET POST"),
    Door("exchange:destination", ADMINISTRATORS, "destination.pk"),
    Door("exchange:change-destination", ADMINISTRATORS, "destination.pk", "GET POST"),
    Door("exchange:switch-destination", ADMINISTRATORS, "destination.pk", "POST"),
    Door("exchange:remove-destination", ADMINISTRATORS, "destination.pk", "POST"),
    Door("exchange:try-again", ADMINISTRATORS, "destination.pk", "POST"),
    Door("exchange:hours", AT_HOME - {"leo"}, "activity.key"),
    Door("exchange:credit", OWNER | OVERSEERS, "credit.pk"),
)  # fmt: skip
HOSTING = (
    Door("health", ANYONE, methods="GET POST DELETE"),
    Door("alive", ANYONE),
    Door("ready", ANYONE),
    Door("api:openapi-json", ANYONE, methods="GET POST DELETE"),
    Door("api:api-root", NOBODY, why="there is no page at the root of the API"),
)
IMPACT = (
    Door("impact:activities", WATCHERS_ANYWHERE),
    Door("impact:progress", WATCHERS_ANYWHERE),
    Door("impact:activity", WATCHERS, "activity.slug"),
    Door("impact:activity_progress", WATCHERS, "activity.slug"),
    Door("impact:csv", WATCHERS, "activity.slug"),
    Door("impact:json", WATCHERS, "activity.slug"),
    Door("impact:more", WATCHERS, "activity.slug"),
    Door("impact:study_files", NOBODY, "activity.slug", why="no results are there that could be taken along"),
    Door("impact:report", NOBODY, "activity.slug", why="nothing has been computed there that could be printed"),
    Door(
        "impact:picture",
        NOBODY,
        "activity.slug 'forest' 'svg'",
        why="nothing has been computed there that could be drawn",
    ),
    Door("impact:entries", WATCHERS, "activity.slug"),
    Door("impact:ingredients", KEEPERS, "activity.slug"),
    Door("evidence:evidence", WATCHERS, "activity.key"),
    Door("evidence:take_in", KEEPERS | {"rafael"}, "activity.key", "POST"),
    Door("evidence:hand_on", KEEPERS, "activity.key", "POST"),
    Door("evidence:together", WATCHERS, "activity.key"),
    Door("evidence:switch", KEEPERS, "activity.key", "POST"),
    Door("evidence:sums", KEEPERS, "activity.key", "POST"),
    Door("evidence:join", WATCHERS, "activity.key", "POST"),
    Door("evidence:drop", KEEPERS | {"rafael"}, "activity.key evidence.key", "POST"),
    Door("studies:studies", WATCHERS_ANYWHERE),
    Door("studies:new", WATCHERS_ANYWHERE, methods="GET POST"),
    Door("studies:power", WATCHERS_ANYWHERE),
    Door("studies:study", WATCHERS, "study.slug"),
    Door("studies:change", STUDY_RUNNERS, "study.slug", "GET POST"),
    Door("studies:register", STUDY_RUNNERS, "study.slug", "POST"),
    Door("studies:close", STUDY_RUNNERS, "study.slug", "POST"),
    Door("studies:progress", WATCHERS, "study.slug"),
    Door("studies:result", WATCHERS, "study.slug"),
    Door("studies:report", WATCHERS, "study.slug"),
    Door("studies:picture", NOBODY, "study.slug 'forest' 'svg'", why="nothing can be drawn of so few"),
    Door("studies:files", NOBODY, "study.slug", why="no results are there that could be taken along"),
    Door("studies:json", WATCHERS, "study.slug"),
    Door("studies:protocol", WATCHERS, "study.slug '1'"),
    Door("lotteries:lotteries", SIGNED_IN, why="each those that they run or asked for a seat in"),
    Door("lotteries:waiting", SIGNED_IN, why="each the seats that wait for them"),
    Door("lotteries:redraw", SIGNED_IN, why="a program, the same for every lottery"),
    Door(
        "lotteries:on_activity",
        AT_HOME - {"leo"},
        "activity.key",
        why="staff knows the activities of their organization",
    ),
    Door("lotteries:open", KEEPERS, "open_lottery.slug", "POST"),
    Door("lotteries:ask", TEACHERS, "open_lottery.slug", "POST"),
    Door("lotteries:withdraw", TEACHERS, "open_lottery.slug", "POST"),
    Door("lotteries:list", KEEPERS, "lottery.slug"),
    Door("lotteries:balance", KEEPERS, "lottery.slug"),
    Door("lotteries:new", OVERSEERS_ANYWHERE, methods="GET POST"),
    Door("lotteries:power", OVERSEERS_ANYWHERE),
    Door("lotteries:lottery", KEEPERS | TEACHERS, "lottery.slug"),
    Door("lotteries:check", KEEPERS | TEACHERS, "lottery.slug"),
    Door("lotteries:people_csv", KEEPERS, "lottery.slug"),
    Door("lotteries:draw", KEEPERS, "lottery.slug", "POST"),
    Door("lotteries:draw_anew", KEEPERS, "lottery.slug", "POST"),
    Door("lotteries:make_study", KEEPERS, "lottery.slug", "POST"),
    Door("lotteries:answer", KEEPERS | OWNER, "lottery.slug offer.pk", "POST"),
    Door("lotteries:change", KEEPERS, "open_lottery.slug", "GET POST"),
    Door("lotteries:add_people", KEEPERS, "open_lottery.slug", "POST"),
    Door("lotteries:remove_person", KEEPERS, "open_lottery.slug applicant.pk", "POST"),
    Door("lotteries:announce", KEEPERS, "open_lottery.slug", "POST"),
    Door("growth:growth", GROWERS),
    Door("growth:students", GROWERS),
    Door("growth:new_goal", GROWERS, methods="POST"),
    Door("growth:goal", OWNER, "goal.key"),
    Door("growth:note_standing", AUDIENCE, "goal.key", "POST"),
    Door("growth:let_coach_see", OWNER, "goal.key", "POST"),
    Door("growth:end_goal", OWNER, "goal.key", "POST"),
    Door("growth:coaching", frozenset({"priya"})),
    Door("growth:aims", KEEPERS, "activity.key", "GET POST"),
    Door("growth:aims_of", OVERSEERS, "activity.key"),
)
API = (
    Door("GET /api/records/entries", SIGNED_IN, why="each reads what they may"),
    Door("GET /api/records/statements/{key}", OWNER, "statement.key"),
    Door("GET /api/records/activities", SIGNED_IN),
    Door("GET /api/records/activities/{key}/costs", KEEPERS, "activity.key"),
    Door("GET /api/lessons/", SIGNED_IN, why="each their own"),
    Door("POST /api/lessons/", SIGNED_IN, methods="POST"),
    Door("GET /api/lessons/{key}/", OWNER, "lesson.key"),
    Door("DELETE /api/lessons/{key}/", OWNER, "lesson.key", "DELETE"),
    Door("GET /api/lessons/{key}/moments/", OWNER, "lesson.key"),
    Door("POST /api/lessons/{key}/moments/", OWNER, "lesson.key", "POST", body=MOMENT),
    Door("GET /api/lessons/{key}/clips/", OWNER, "lesson.key"),
    Door(
        "POST /api/lessons/{key}/clips/",
        OWNER,
        "lesson.key",
        "POST",
        body={"start_ms": 1, "end_ms": 9000, "title": "x"},
    ),
    Door("GET /api/clips/", SIGNED_IN, why="each what is lent to them"),
    Door("GET /api/clips/{key}/", AUDIENCE, "clip.key"),
    Door("DELETE /api/clips/{key}/", OWNER, "clip.key", "DELETE"),
    Door("GET /api/clips/{key}/moments/", AUDIENCE, "clip.key"),
    Door("POST /api/clips/{key}/moments/", AUDIENCE, "clip.key", "POST", body=MOMENT),
    Door("DELETE /api/moments/{key}/", OWNER, "moment.key", "DELETE"),
    Door("POST /api/moments/{key}/replies/", OWNER, "moment.key", "POST", body={"text": "x"}),
    Door("GET /api/clips/{key}/shares/", OWNER, "clip.key"),
    Door("POST /api/clips/{key}/shares/", OWNER, "clip.key", "POST", body={"until": "2026-01-01T00:00:00Z"}),
    Door("DELETE /api/clips/{key}/shares/", OWNER, "clip.key", "DELETE"),
    Door("GET /api/people", SIGNED_IN, why="each whom they may see"),
    Door("GET /api/organizations", SIGNED_IN, why="each what they oversee"),
    Door("GET /api/sections", SIGNED_IN, why="each what they may see"),
    Door("GET /api/what-works/", WATCHERS_ANYWHERE),
    Door("GET /api/what-works/{slug}", WATCHERS, "activity.slug"),
    Door("GET /api/studies/", WATCHERS_ANYWHERE),
    Door("GET /api/studies/{slug}", WATCHERS, "study.slug"),
    Door("GET /api/lotteries/", SIGNED_IN, why="each those that they run or asked for a seat in"),
    Door("GET /api/lotteries/{slug}", KEEPERS | TEACHERS, "lottery.slug"),
)
# allauth's own doors concern nobody but the person at them. Those who are signed in already are sent on from some.
_ON = frozenset({200, 302, 401, 404})
_ON_POST = TAKEN | {404, 405}
ACCOUNTS = tuple(
    Door(name, ANYONE, args, "GET POST", _ON, _ON_POST)
    for name, args in (
        ("account_login", ""), ("account_inactive", ""), ("account_email_verification_sent", ""),
        ("account_confirm_email", "'key'"), ("account_reset_password", ""), ("account_reset_password_done", ""),
        ("account_reset_password_from_key", "'1' 'key'"), ("account_reset_password_from_key_done", ""), ("account_signup", ""),
        ("account_logout", ""), ("account_confirm_login_code", ""), ("mfa_authenticate", ""), ("mfa_login_webauthn", ""),
        ("socialaccount_login_cancelled", ""), ("socialaccount_login_error", ""), ("socialaccount_signup", ""),
    )
) + tuple(
    Door(name, SIGNED_IN, args, "GET POST", _ON, _ON_POST)
    for name, args in (
        ("account_reauthenticate", ""), ("account_email", ""), ("account_change_password", ""), ("account_set_password", ""),
        ("mfa_index", ""), ("mfa_reauthenticate", ""), ("mfa_activate_totp", ""), ("mfa_deactivate_totp", ""),
        ("mfa_view_recovery_codes", ""), ("mfa_generate_recovery_codes", ""), ("mfa_download_recovery_codes", ""),
        ("mfa_list_webauthn", ""), ("mfa_add_webauthn", ""), ("mfa_reauthenticate_webauthn", ""),
        ("mfa_remove_webauthn", "'1'"), ("mfa_edit_webauthn", "'1'"), ("socialaccount_connections", ""), ("usersessions_list", ""),
    )
)  # fmt: skip

DOORS: tuple[Door, ...] = (
    *HOME, *LESSONS, *CONVERSATIONS, *PEOPLE, *PERMISSIONS, *FILES, *JOBS, *FRAMEWORKS, *RECORDS, *EXCHANGE, *IMPACT, *HOSTING,
    *API, *ACCOUNTS,
)  # fmt: skip
UNNAMED = {
    "api/<path:rest>": "answers 404 in the API's words",
    "accounts/social/login/cancelled/": "an older address of socialaccount_login_cancelled",
    "accounts/social/login/error/": "an older address of socialaccount_login_error",
    "accounts/social/signup/": "an older address of socialaccount_signup",
    "accounts/social/connections/": "an older address of socialaccount_connections",
}
