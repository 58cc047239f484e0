"""Results on disk are whole or absent, and keyed by what they were made from."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.errors import StorageError
from meetings.store import FileStore, digest, private_folder, write_text, writing

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_equal_inputs_share_a_key_and_different_ones_do_not(a: object, b: object) -> None:
    assert digest(a) == digest(a)
    assert (digest(a) == digest(b)) == (repr_json(a) == repr_json(b))


def repr_json(value: object) -> str:
    import json

    return json.dumps(value, sort_keys=True)


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "result.json"

    def write() -> None:
        with writing(target) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_result_replaces_the_old_one_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "old")
    write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "results")
    store.write_json("conversation", "k", {"a": 1})
    assert stat.S_IMODE((tmp_path / "results" / "conversation").stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(store.path("conversation", "k").stat().st_mode) & 0o077 == 0
    assert store.read_json("conversation", "k") == {"a": 1}


def test_a_place_that_cannot_be_written_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file.*check the folder"):
        write_text(tmp_path / "file" / "x.json", "{}")


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
