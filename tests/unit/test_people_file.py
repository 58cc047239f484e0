"""The people file: what is read, and how each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.errors import PeopleError
from meetings.people import Person, read_people


def write(folder: Path, text: str) -> Path:
    path = folder / "people.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_an_entry_may_say_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- username: Ana.Silva
  name: Ana Silva
  position: Head of Content
  about: Writes the newsletter.
  speaks_as: Ana
  interests: [webinars, case studies]
  locale: pt-BR
  length: short
  tone: plain
- username: ben
  name: Ben
  about:
""",
    )
    ana, ben = read_people(path)
    assert ana == Person(
        username="ana.silva",
        name="Ana Silva",
        position="Head of Content",
        about="Writes the newsletter.",
        speaks_as="Ana",
        interests=("webinars", "case studies"),
        locale="pt-BR",
        length="short",
        tone="plain",
    )
    assert ben == Person(username="ben", name="Ben")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- username: ana\n  name: Ana\n  postion: Editor\n", "unknown key 'postion'; did you mean position?"),
        ("- username: ana\n  name: Ana\n  zodiac: lion\n", "unknown key 'zodiac'; known: username, name"),
        ("- username: ana\n  name: Ana\n- username: ANA\n  name: Other\n", "entry 2: username ana stands in entry 1"),
        ("- username: ana\n  name: Ana\n  name: Anna\n", "key 'name' stands twice"),
        ("[]", "lists no one"),
        ("", "but is empty"),
        ("people: []", "but is a mapping"),
        ("just words", "but is a text"),
        ("- just words", "entry 1: must have keys"),
        ("- name: Ana", "entry 1: username is missing"),
        ("- username: ana", "entry 1 (ana): name is missing"),
        ("- username: 123\n  name: Ana\n", "username is wrong: input should be a valid string; put it in quotes"),
        ("- username: ana\n  name: Ana\n  locale: no\n", "locale is wrong"),
        (
            "- username: ana\n  name: Ana\n  length: tiny\n",
            "length is wrong: input should be 'short', 'medium' or 'long'",
        ),
        ("- username: ../../etc\n  name: Ana\n", "username is wrong"),
        ("- username: ana\n  name: Ana\n  interests: hiring\n", "interests is wrong"),
        ("- username: [unclosed", "not YAML at line"),
        ("- username: !!python/object:os.system x\n  name: A\n", "not YAML"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_entry(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PeopleError) as refused:
        read_people(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert told in message
    assert "\n" not in message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PeopleError, match="no such file"):
        read_people(tmp_path / "none.yml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "people.yml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PeopleError, match="not a text file"):
        read_people(tmp_path / "people.yml")


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(PeopleError, match="cannot be read"):
        read_people(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "people.yml").write_bytes(b"\xef\xbb\xbf- username: ana\n  name: Ana\n")
    assert read_people(tmp_path / "people.yml")[0].username == "ana"
