"""What Django's schema has no words for: see `arranging`."""

from django.db import migrations

from staffroom.records import arranging


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: arranging.arrange(editor), lambda apps, editor: arranging.undo(editor)
        )
    ]
