"""Documents that are encrypted at rest: what people sound like and what is known of an incident is never in plain text.

The key is never in the database: it is `MEETINGS_VOICES_KEY`, else a file of the data folder that its owner alone may
read. Where machines share a database every one of them needs the same key, so there it has to be set. Encryption is
Fernet (AES-128-CBC with HMAC-SHA256, from `cryptography`). What that protects against, and what not: docs/speakers.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from meetings.errors import ConfigError, StorageError, VoicesKeyError
from meetings.store.database import Database, Listed
from meetings.store.files import make_secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from meetings.config import Settings

KEY_BYTES = 32


class Sealed:
    """Encrypted JSON values of one kind of document, by name."""

    def __init__(self, database: Database, kind: str, *, key_file: Path, key: str | None = None) -> None:
        self.kind = kind
        self._database = database
        self._key_file = key_file
        self._key = key

    @classmethod
    def of(cls, settings: Settings, kind: str) -> Self:
        """Those in the database of these settings, with their key.

        Raises:
            ConfigError: several machines share the database, and the key that all of them need is not set.
        """
        if settings.database_url is not None and settings.voices_key is None:
            raise ConfigError(
                "voices and briefs are sealed in the database that machines share, and all need the same key: set "
                "MEETINGS_VOICES_KEY on each (what a machine has in HOME/voices/key, or: openssl rand -base64 32)"
            )
        key = settings.voices_key.get_secret_value() if settings.voices_key else None
        return cls(Database.of(settings), kind, key_file=settings.home / "voices" / "key", key=key)

    def has(self, name: str) -> bool:
        """Whether there is such a value."""
        return self._database.read(self.kind, name) is not None

    def listed(self) -> tuple[Listed, ...]:
        """Every sealed value, by name, without what is in it."""
        return self._database.listed(self.kind)

    def names(self) -> tuple[str, ...]:
        """Every sealed value's name."""
        return tuple(one.name for one in self.listed())

    def read(self, name: str) -> Any | None:
        """A value as it was sealed; None if there is none.

        Raises:
            VoicesKeyError: the key is not the one it was sealed with, or the value was changed.
        """
        document = self._database.read(self.kind, name)
        return None if document is None else self._opened(name, document.body)

    def write(self, name: str, value: object) -> None:
        """Seal a value, whatever was there.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        self._database.write(self.kind, name, self._closed(value))

    def change(self, name: str, change: Callable[[Any | None], Any | None], *, aged: bool = False) -> None:
        """Change a value by what it is now (None: there is none, before or after); see `Database.change`.

        Raises:
            VoicesKeyError: the key is not the one it was sealed with, or the value was changed.
        """

        def changed(body: str | None) -> str | None:
            before = None if body is None else self._opened(name, body)
            after = change(before)
            if after is None:
                return None
            # Sealed anew it would be another text, though nothing changed.
            return body if body is not None and after == before else self._closed(after)

        self._database.change(self.kind, name, changed, aged=aged)

    def delete_key(self) -> None:
        """Remove the key file: whatever was sealed with it, here or in a copy, can be read no more."""
        self._key_file.unlink(missing_ok=True)

    def delete(self, name: str) -> bool:
        """Remove a value; whether there was one."""
        return self._database.delete(self.kind, name)

    def stamp(self, name: str) -> str:
        """Changes when a value does; empty without one. Needs no key."""
        document = self._database.read(self.kind, name)
        return "" if document is None else hashlib.sha256(document.body.encode()).hexdigest()[:32]

    def _opened(self, name: str, body: str) -> Any:
        from cryptography.fernet import InvalidToken

        try:
            return json.loads(self._cipher(create=False).decrypt(body.encode("utf-8", "replace")))
        except InvalidToken:
            raise VoicesKeyError(
                f"{self.kind}: {name} cannot be read with this key; set the MEETINGS_VOICES_KEY it was written with, "
                "or delete what it holds: meetings voices forget --all"
            ) from None

    def _closed(self, value: object) -> str:
        return self._cipher(create=True).encrypt(json.dumps(value).encode()).decode("ascii")

    def _cipher(self, *, create: bool) -> Fernet:
        """Made anew each time: another process may have removed the key, and nothing is to be sealed with it then."""
        from cryptography.fernet import Fernet

        return Fernet(self._read_key(create=create))

    def _read_key(self, *, create: bool) -> bytes:
        if self._key is not None:
            return _checked(self._key, where="MEETINGS_VOICES_KEY")
        try:
            return _checked(self._key_file.read_text(encoding="ascii").strip(), where=str(self._key_file))
        except FileNotFoundError:
            if not create:
                raise VoicesKeyError(
                    f"the key {self._key_file} is gone; without it voices cannot be read: put it back, set "
                    "MEETINGS_VOICES_KEY, or delete them: meetings voices forget --all"
                ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise VoicesKeyError(f"{self._key_file} cannot be read ({error})") from error
        return self._make_key()

    def _make_key(self) -> bytes:
        from cryptography.fernet import Fernet

        try:
            make_secret(self._key_file, Fernet.generate_key())
            return _checked(self._key_file.read_text(encoding="ascii").strip(), where=str(self._key_file))
        except OSError as error:
            raise StorageError(self._key_file, error) from error


def _checked(text: str, *, where: str) -> bytes:
    """The key in the form Fernet wants; both alphabets of base64 are taken."""
    try:
        raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise VoicesKeyError(f"{where} is no key of {KEY_BYTES} bytes in base64; make one: openssl rand -base64 32")
    return base64.urlsafe_b64encode(raw)
