"""Counts of all processes, and what each process last said of itself; no row is about a participant."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Tally(models.Model):
    """This is one count since the installation began; `labels` are a JSON list in its measure's order."""

    name = models.CharField(max_length=64)
    labels = models.CharField(max_length=255)
    value = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}: {self.value:g}"


class ProcessReading(models.Model):
    """This is what one process says of itself now; it counts while `at` is recent."""

    process = models.CharField(max_length=100)  # its host and number
    name = models.CharField(max_length=64)
    labels = models.CharField(max_length=255)
    value = models.FloatField()
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "name", "labels"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.process}: {self.name} {self.labels} {self.value:g}"
