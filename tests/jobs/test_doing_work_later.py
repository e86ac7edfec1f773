"""Work put off: done once, after the commit, tried again with longer waits, told without secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.tasks import TaskResult, TaskResultStatus
from django.tasks.signals import task_finished
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from staffroom.jobs import actions
from staffroom.jobs.actions import claim, later, report, retry_job, run, run_waiting
from staffroom.jobs.models import Job
from staffroom.jobs.queries import jobs_about
from tests.cast import Cast
from tests.jobs import tasks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def silence() -> None:
    tasks.heard.clear()


def make_due() -> None:
    Job.objects.filter(state=Job.State.WAITING).update(next_try_at=timezone.now())


def let_leases_run_out() -> None:
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_job_is_done_and_its_result_kept() -> None:
    job = later(tasks.say, word="hello", label="Say hello")
    assert (job.state, job.arguments, str(job), job.kind) == (
        "waiting",
        {"word": "hello"},
        "Say hello",
        "tests.jobs.say",
    )
    [ended] = run_waiting()
    assert (ended.pk, ended.state, ended.attempts, ended.percent) == (job.pk, "done", 1, 100)
    assert tasks.heard == ["hello"]
    result = tasks.say.get_result(str(job.call_id))
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, "HELLO")


def test_what_is_rolled_back_is_never_done() -> None:
    with transaction.atomic():
        later(tasks.say, word="never")
        transaction.set_rollback(True)
    assert run_waiting() == []
    assert not DBTaskResult.objects.exists()


def test_a_task_put_into_djangos_queue_directly_gets_a_job_too() -> None:
    tasks.say.enqueue(word="hello")
    [job] = run_waiting()
    assert (job.state, job.max_attempts, job.by_id) == ("done", 6, None)


def test_a_task_may_take_its_context() -> None:
    later(tasks.with_context, word="attempt")
    [job] = run_waiting()
    assert job.call.return_value == "attempt 1"


def test_objects_are_refused_as_arguments(cast: Cast) -> None:
    with pytest.raises(TypeError):
        later(tasks.say, word=cast.amara)
    assert not Job.objects.exists()


def test_jobs_about_a_thing_are_found(cast: Cast) -> None:
    job = later(tasks.say, word="x", about=cast.section, by=cast.amara)
    later(tasks.say, word="y", about=cast.alder)
    assert list(jobs_about(cast.section)) == [job]


def test_a_failing_job_is_tried_again_and_waits_longer_each_time() -> None:
    later(tasks.stumble, times=2)
    waits = []
    for _ in range(2):
        [job] = run_waiting()
        assert job.state == "waiting"
        waits.append((job.next_try_at - timezone.now()).total_seconds())
        assert run_waiting() == [], "not before its time"
        make_due()
    [job] = run_waiting()
    assert (job.state, job.attempts, job.failure) == ("done", 3, "")
    assert 3 < waits[0] < 7 < 11 < waits[1] < 19


def test_the_last_attempt_fails_the_job_without_telling_secrets(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    later(tasks.stumble, times=9, retries=1)
    for _ in range(2):
        run_waiting()
        make_due()
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("failed", 2)
    assert job.failure == "ConnectionError"
    call = job.call
    assert call.status == TaskResultStatus.FAILED
    assert "jobs/tasks.py" in call.traceback
    assert "hunter2" not in call.traceback + job.failure + caplog.text + capsys.readouterr().out


def test_giving_up_fails_at_once_in_the_tasks_own_words() -> None:
    later(tasks.give_up)
    [job] = run_waiting()
    assert (job.state, job.attempts, job.failure) == ("failed", 1, "This film has no pictures in it.")


def test_a_broken_transaction_of_a_task_does_not_break_the_worker() -> None:
    later(tasks.spoil_the_database, retries=0)
    later(tasks.say, word="after")
    assert [job.state for job in run_waiting()] == ["failed", "done"]


def test_a_failed_job_is_tried_again_on_request(cast: Cast) -> None:
    job = later(tasks.stumble, times=1, retries=0)
    run_waiting()
    job.refresh_from_db()
    assert job.state == "failed"
    retry_job(by=cast.omar, job=job)
    [again] = run_waiting()
    assert (again.state, again.call.status) == ("done", TaskResultStatus.SUCCESSFUL)


def test_a_job_that_is_done_is_not_done_again_on_request(cast: Cast) -> None:
    job = later(tasks.say, word="once")
    run_waiting()
    retry_job(by=cast.omar, job=job)
    assert run_waiting() == []
    assert tasks.heard == ["once"]


def test_progress_is_kept_and_renews_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "REPORT_EVERY_S", 0)
    later(tasks.count_to, total=4)
    [job] = run_waiting()
    assert (job.done, job.total, job.message) == (4, 4, "4 of 4")


def test_reports_in_quick_succession_are_not_all_written(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    later(tasks.count_to, total=500)
    with django_assert_max_num_queries(40):
        [job] = run_waiting()
    assert job.done == 500


def test_reporting_outside_a_job_does_nothing() -> None:
    report(done=1, total=2, message="nobody listens")


def test_a_job_is_claimed_once() -> None:
    later(tasks.say, word="x")
    assert claim("one") is not None
    assert claim("two") is None


def test_more_urgent_jobs_come_first() -> None:
    later(tasks.say, word="second")
    later(tasks.say, word="first", priority=10)
    run_waiting()
    assert tasks.heard == ["first", "second"]


def test_a_silent_workers_job_is_taken_over_and_the_silent_one_may_not_speak_again() -> None:
    later(tasks.count_to, total=3)
    first = claim("first")
    assert first is not None
    let_leases_run_out()
    second = claim("second")
    assert second is not None
    assert (second.pk, second.losses, second.attempts) == (first.pk, 1, 2)
    assert run(first) is False, "it has lost the job"
    assert Job.objects.get().state == "running"
    assert run(second) is True


def test_losing_workers_uses_up_no_attempt() -> None:
    later(tasks.stumble, times=1, retries=1)
    for worker in ("one", "two", "three"):
        assert claim(worker)
        let_leases_run_out()
    run_waiting()
    job = Job.objects.get()
    assert (job.state, job.losses) == ("waiting", 3)


def test_a_job_that_kills_every_worker_fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_LOSSES", 2)
    heard: list[str] = []

    def hear(sender: object, task_result: TaskResult, **kwargs: object) -> None:
        assert task_result.status == TaskResultStatus.FAILED
        heard.append(task_result.task.module_path)

    later(tasks.say, word="x")
    task_finished.connect(hear)
    try:
        for _ in range(4):
            claim("one")
            let_leases_run_out()
    finally:
        task_finished.disconnect(hear)
    job = Job.objects.get()
    assert job.state == "failed"
    assert "vanished 3 times" in job.failure
    assert heard == [tasks.say.module_path], "the room that waits for it hears that it failed"


def test_a_job_that_kills_its_workers_does_not_stop_the_queue() -> None:
    later(tasks.say, word="deadly", priority=50)
    for worker in ("one", "two", "three", "four"):
        assert claim(worker)
        let_leases_run_out()
    later(tasks.say, word="harmless")
    run_waiting()
    assert tasks.heard == ["harmless", "deadly"]


def test_a_stopped_worker_hands_its_job_back() -> None:
    later(tasks.say, word="x")
    job = claim("one")
    assert job is not None
    actions.hand_back(job)
    again = claim("two")
    assert again is not None
    assert (again.pk, again.attempts, again.losses) == (job.pk, 1, 0)
    assert run(job) is False
    assert run(again) is True


def test_finished_jobs_go_when_their_end_has_come() -> None:
    for word in ("old", "new", "waiting"):
        later(tasks.say, word=word)
    for _ in range(2):
        job = claim("one")
        assert job is not None
        run(job)
    Job.objects.filter(call__args_kwargs__kwargs__word__in=["old", "waiting"]).update(ends_on=timezone.localdate())
    assert actions.purge() == 1
    assert {job.arguments["word"] for job in Job.objects.all()} == {"new", "waiting"}
    assert DBTaskResult.objects.count() == 2
