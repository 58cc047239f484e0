"""The bill of materials names everything that is installed, with version and licence, in CycloneDX's form."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "sbom"


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("sbom") / "sbom.json"
    subprocess.run([sys.executable, str(SCRIPT), str(file)], check=True)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_it_has_the_fields_that_cyclonedx_requires(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["metadata"]["timestamp"])
    for part in bill["components"]:
        assert part["type"] == "library"
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@\S+", part["purl"]), part
        for licence in part.get("licenses", ()):
            assert licence.get("expression") or licence["license"]["name"]


def test_every_reference_is_to_something_named_and_none_stands_twice(bill: dict[str, Any]) -> None:
    named = [c["bom-ref"] for c in bill["components"]]
    if "component" in bill["metadata"]:
        named.append(bill["metadata"]["component"]["bom-ref"])
    assert len(named) == len(set(named))
    assert {d["ref"] for d in bill["dependencies"]} == set(named)
    assert {r for d in bill["dependencies"] for r in d["dependsOn"]} <= set(named)


def test_it_names_what_is_installed_with_its_version(bill: dict[str, Any]) -> None:
    versions = {c["name"].lower(): c["version"] for c in bill["components"]}
    for name in ("torch", "pydantic", "click", "dbos"):
        assert versions[name] == version(name)
    assert len(versions) > 50
    assert len(versions) >= len({d.metadata["Name"].lower().replace("_", "-") for d in distributions()}) - 5


def test_nearly_everything_has_a_licence(bill: dict[str, Any]) -> None:
    without = [c["name"] for c in bill["components"] if not c.get("licenses")]
    assert len(without) < len(bill["components"]) / 5, without


def test_what_one_needs_is_said(bill: dict[str, Any]) -> None:
    needs = {d["ref"].split("@")[0]: {r.split("@")[0] for r in d["dependsOn"]} for d in bill["dependencies"]}
    assert "pkg:pypi/pydantic-core" in needs["pkg:pypi/pydantic"]
