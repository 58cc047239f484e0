"""An S3 server of the tests' own, spoken to by HTTP as a real one is."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping

import pytest


@contextlib.contextmanager
def running_s3(bucket: str) -> Iterator[Mapping[str, str]]:
    """A server with an empty bucket; the variables by which a program finds it."""
    moto = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors: S3 is NOT tested")
    boto3 = pytest.importorskip("boto3")
    s3fs = pytest.importorskip("s3fs", reason="pip install 'meetings[s3]': S3 is NOT tested")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    s3fs.S3FileSystem.clear_instance_cache()  # what spoke with an earlier server of this process
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        client = boto3.client(
            "s3",
            endpoint_url=env["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=bucket)
        client.close()
        yield env
    finally:
        server.stop()
