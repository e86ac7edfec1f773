import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="UploadPiece",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.PositiveBigIntegerField()),
                ("end", models.PositiveBigIntegerField()),
                ("path", models.CharField(max_length=500)),
                ("upload", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="pieces", to="files.upload")),
            ],
            options={
                "ordering": ["start"],
                "constraints": [models.UniqueConstraint(fields=("upload", "start"), name="upload_piece_once")],
            },
        ),
    ]
