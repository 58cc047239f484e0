"""Settings: environment over file over default, unknown keys refused by name."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from meetings.config import Settings, load_settings, load_settings_with_origins
from meetings.errors import ConfigError


def test_the_environment_beats_the_file_and_each_value_knows_its_origin(tmp_path: Path) -> None:
    user = tmp_path / "user"
    user.mkdir()
    (user / "meetings.toml").write_text('threads = 3\nlanguage = "de"\n')
    (tmp_path / "meetings.toml").write_text('language = "fr"\n')
    loaded = load_settings_with_origins(
        environ={"MEETINGS_WRITER": "extract", "MATTERMOST_URL": "https://chat.test"}, folder=tmp_path, user_folder=user
    )
    assert (loaded.settings.threads, loaded.settings.language, loaded.settings.writer) == (3, "fr", "extract")
    assert loaded.origins["threads"] == str(user / "meetings.toml")
    assert loaded.origins["language"] == str(tmp_path / "meetings.toml")
    assert loaded.origins["writer"] == "MEETINGS_WRITER"
    assert loaded.origins["mattermost_url"] == "MATTERMOST_URL"
    assert loaded.origins["device"] == "default"


def load(tmp_path: Path, environ: dict[str, str]) -> None:
    load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path / "none")


def test_an_unknown_key_in_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text("thread = 3\n")
    with pytest.raises(ConfigError, match=r"unknown setting 'thread'; did you mean threads\?"):
        load(tmp_path, {})


def test_an_unknown_variable_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MEETINGS_WHISPR"):
        load(tmp_path, {"MEETINGS_WHISPR": "x"})


def test_a_wrong_value_names_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MEETINGS_DEVICE: device"):
        load(tmp_path, {"MEETINGS_DEVICE": "tpu"})


def test_a_file_that_is_not_toml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text("threads == 3")
    with pytest.raises(ConfigError, match="not TOML"):
        load(tmp_path, {})


def test_a_config_file_named_by_variable_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path, {"MEETINGS_CONFIG": str(tmp_path / "gone.toml")})


def test_the_token_never_shows_in_a_repr(tmp_path: Path) -> None:
    settings = load_settings(environ={"MATTERMOST_TOKEN": "s3cr3t"}, folder=tmp_path, user_folder=tmp_path)
    assert "s3cr3t" not in repr(settings)
    assert settings.mattermost_token is not None
    assert settings.mattermost_token.get_secret_value() == "s3cr3t"


def test_a_vocabulary_is_a_list_or_text_with_commas_and_line_ends(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text('vocabulary = ["Paperlane", "two-factor"]\n')
    assert load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "user").vocabulary == (
        "Paperlane",
        "two-factor",
    )
    environ = {"MEETINGS_VOCABULARY": "Maya Chen,  GitHub\n# a remark\nOkafor"}
    assert load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path / "user").vocabulary == (
        "Maya Chen",
        "GitHub",
        "Okafor",
    )


def retained(tmp_path: Path, text: str, **environ: str) -> Settings:
    (tmp_path / "meetings.toml").write_text(text)
    return load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path / "none")


def test_everything_but_voices_and_left_sound_is_kept_until_said_otherwise(tmp_path: Path) -> None:
    settings = retained(tmp_path, "")
    kinds = ("transcript", "summaries", "context", "feedback", "voices", "audio")
    assert [settings.days_kept(k) for k in kinds] == [None, None, None, None, 90, 30]


def test_a_channel_may_keep_less_or_more_than_the_others(tmp_path: Path) -> None:
    text = """
[retention]
transcript = 365
[channels."acme/board".retention]
transcript = 30
[channels."acme/legal".retention]
transcript = "forever"
"""
    settings = retained(tmp_path, text)
    channels = (None, "acme/board", "acme/legal", "acme/other")
    assert [settings.days_kept("transcript", c) for c in channels] == [365, 30, None, 365]


@pytest.mark.parametrize(
    "text",
    [
        "[retention]\ntranscripts = 3",
        "[retention]\ntranscript = -1",
        '[retention]\ntranscript = "a while"',
        '[channels."acme/board".retention]\nfeedback = 3',
        '[channels."acme/board".retention]\nvoices = 91',
    ],
)
def test_a_retention_that_is_misspelt_or_impossible_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"retention|acme/board"):
        retained(tmp_path, text)


def test_retention_can_be_said_in_the_environment(tmp_path: Path) -> None:
    settings = retained(tmp_path, "", MEETINGS_RETENTION="transcript=90, summaries=forever")
    assert (settings.days_kept("transcript"), settings.days_kept("summaries")) == (90, None)


def test_days_for_voices_take_the_place_of_the_older_setting(tmp_path: Path) -> None:
    assert retained(tmp_path, "keep_voices_days = 10").days_kept("voices") == 10
    assert retained(tmp_path, "keep_voices_days = 10\n[retention]\nvoices = 5").days_kept("voices") == 5


def test_the_token_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cr3t\n")
    environ = {"MEETINGS_MATTERMOST_TOKEN_FILE": str(file)}
    loaded = load_settings_with_origins(environ=environ, folder=tmp_path, user_folder=tmp_path)
    assert loaded.settings.mattermost_token is not None
    assert loaded.settings.mattermost_token.get_secret_value() == "s3cr3t"
    assert loaded.origins["mattermost_token"] == str(file)
    assert "s3cr3t" not in repr(loaded)
    # What is said for this run alone is stronger.
    settings = load_settings(environ={**environ, "MATTERMOST_TOKEN": "other"}, folder=tmp_path, user_folder=tmp_path)
    assert settings.mattermost_token is not None
    assert settings.mattermost_token.get_secret_value() == "other"


@pytest.mark.parametrize("content", [None, b"", b"two words", b"\xff\xfe"])
def test_a_token_file_that_holds_no_token_is_refused_without_showing_it(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="mattermost_token_file") as raised:
        load(tmp_path, {"MEETINGS_MATTERMOST_TOKEN_FILE": str(file)})
    assert "words" not in str(raised.value)


class Keyring(ModuleType):
    """A keyring with one entry."""

    def get_password(self, service: str, user: str) -> str | None:
        if service == "locked":
            raise RuntimeError("the secret is s3cr3t")
        return "s3cr3t" if (service, user) == ("meetings", "bot") else None


def test_the_token_may_be_in_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring("keyring"))
    environ = {"MEETINGS_MATTERMOST_TOKEN_KEYRING": "meetings:bot"}
    loaded = load_settings_with_origins(environ=environ, folder=tmp_path, user_folder=tmp_path)
    assert loaded.settings.mattermost_token is not None
    assert loaded.settings.mattermost_token.get_secret_value() == "s3cr3t"
    assert loaded.origins["mattermost_token"] == "keyring meetings:bot"
    with pytest.raises(ConfigError, match="keyring set meetings other"):
        load(tmp_path, {"MEETINGS_MATTERMOST_TOKEN_KEYRING": "meetings:other"})
    with pytest.raises(ConfigError, match="RuntimeError") as raised:
        load(tmp_path, {"MEETINGS_MATTERMOST_TOKEN_KEYRING": "locked:bot"})
    assert "s3cr3t" not in str(raised.value)


def test_without_the_package_the_keyring_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match="pip install keyring"):
        load(tmp_path, {"MEETINGS_MATTERMOST_TOKEN_KEYRING": "meetings:bot"})


def test_a_value_of_the_wrong_form_is_told_what_it_has_to_be_and_no_pattern(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"as https://meetings\.example\.org") as told:
        load_settings(environ={"MEETINGS_PAGE_URL": "meetings.example.org"}, folder=tmp_path, user_folder=tmp_path)
    assert "^" not in str(told.value)


def test_text_without_quotes_is_told_that_it_needs_them(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text("device = cpu\n")
    with pytest.raises(ConfigError, match="text stands in quotes"):
        load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "user")
