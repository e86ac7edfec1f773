from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]
    operations = [
        migrations.RenameModel("Worker", "Process"),
        migrations.AlterModelOptions("process", {"ordering": ["kind", "host", "started_at"]}),
        migrations.AddField("process", "kind", models.CharField(choices=[("web", "web"), ("worker", "worker")], default="worker", max_length=16)),
        migrations.AddField("process", "host", models.CharField(blank=True, max_length=100)),
        migrations.AddField("process", "pid", models.PositiveIntegerField(default=0)),
        migrations.AddField("process", "version", models.CharField(blank=True, max_length=40)),
        migrations.AddField("process", "clock_ms", models.IntegerField(blank=True, help_text="How far its host's clock is ahead of the database's.", null=True)),
        migrations.AddField("process", "free_bytes", models.BigIntegerField(blank=True, help_text="Free disk where its data folder is.", null=True)),
    ]
