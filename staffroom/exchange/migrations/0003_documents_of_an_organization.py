from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0002_mappings")]

    operations = [
        migrations.RemoveConstraint("document", "document_once"),
        migrations.RenameField("document", "tenant", "organization"),
        migrations.AddConstraint(
            "document",
            models.UniqueConstraint(
                fields=["organization", "kind", "agent", "activity", "registration", "name"], name="document_once"
            ),
        ),
    ]
