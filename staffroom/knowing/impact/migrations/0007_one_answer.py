"""Each estimate keeps one answer. What an earlier version kept beside it is dropped; what has none is computed again."""

from django.db import migrations

NEEDED = {"terms", "is_higher_better", "students", "students_taught", "cells", "answer"}
OLDER = ("study", "leads", "efficiency")


def keep_the_answer(apps, schema_editor):
    """Answers and sums are caches: whatever lacks a part that pages read is taken away, and looking at it has it computed."""
    Estimate, Tally = apps.get_model("impact", "Estimate"), apps.get_model("impact", "Tally")
    for row in Estimate.objects.order_by("pk").iterator(chunk_size=50):
        result, summary = row.result or {}, row.summary or {}
        if not set(result) >= NEEDED or not result["answer"] or not summary.get("brief"):
            Tally.objects.filter(activity=row.activity_id).delete()
            row.delete()
            continue
        row.result = {name: kept for name, kept in result.items() if name not in OLDER}
        row.summary = {
            "sentence": result["answer"].get("sentence") or [], "is_higher_better": result["is_higher_better"],
            "brief": summary["brief"],
        }  # fmt: skip
        row.save(update_fields=["result", "summary"])


class Migration(migrations.Migration):
    dependencies = [("impact", "0006_applications")]
    operations = [migrations.RunPython(keep_the_answer, migrations.RunPython.noop)]
