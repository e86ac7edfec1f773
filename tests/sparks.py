"""A small Spark in a Java of its own, for one test, and nothing of it left for the next test of the same process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def java(monkeypatch: pytest.MonkeyPatch, *, master: str, partitions: int) -> Iterator[None]:
    """Whatever begins a Spark session inside begins it on `master`; afterwards its Java has ended and is forgotten."""
    if not shutil.which("java"):
        pytest.skip("Java was not found (Debian: apt-get install default-jre-headless)")
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed: tools/setup --extra spark")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: tools/setup --extra spark")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    told = f"--master {master} --driver-memory 512m --conf spark.ui.enabled=false"
    told += f" --conf spark.sql.shuffle.partitions={partitions} --conf spark.driver.host=127.0.0.1"
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", f"{told} --conf spark.driver.bindAddress=127.0.0.1 pyspark-shell")
    try:
        yield
    finally:
        if session := sql.SparkSession.getActiveSession():
            session.stop()
        if gateway := pyspark.SparkContext._gateway:
            gateway.shutdown()
        # A process keeps the way to its Java for good: without this, the next session asks the one that has ended.
        pyspark.SparkContext._gateway = pyspark.SparkContext._jvm = None
