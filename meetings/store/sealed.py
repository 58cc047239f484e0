"""Files that are encrypted at rest: what people sound like is never written in plain text.

The key is `MEETINGS_VOICES_KEY`, else a file of the data folder that its owner alone may read. Encryption is Fernet
(AES-128-CBC with HMAC-SHA256, from `cryptography`). What that protects against, and what not: docs/speakers.md.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.errors import StorageError, VoicesKeyError
from meetings.store.files import private_folder, writing

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_BYTES = 32


class SealedFiles:
    """Encrypted JSON files under one folder, by name."""

    def __init__(self, folder: Path, *, key_file: Path, key: str | None = None) -> None:
        self.folder = folder
        self._key_file = key_file
        self._key = key
        self._fernet: Fernet | None = None

    def path(self, name: str) -> Path:
        """Where a sealed value is or will be."""
        return self.folder / f"{name}.sealed"

    def has(self, name: str) -> bool:
        """Whether there is such a value."""
        return self.path(name).is_file()

    def names(self) -> tuple[str, ...]:
        """Every sealed value's name."""
        return tuple(sorted(p.stem for p in self.folder.glob("*.sealed")))

    def read(self, name: str) -> Any:
        """A value as it was sealed.

        Raises:
            VoicesKeyError: the key is not the one it was sealed with, or the file was changed.
        """
        from cryptography.fernet import InvalidToken

        try:
            return json.loads(self._cipher(create=False).decrypt(self.path(name).read_bytes()))
        except InvalidToken:
            raise VoicesKeyError(
                f"{self.path(name)} cannot be read with this key; set the MEETINGS_VOICES_KEY it was written with, "
                "or delete what it holds: meetings voices forget --all"
            ) from None

    def write(self, name: str, value: object) -> None:
        """Seal a value; the file is whole or absent.

        Raises:
            StorageError: the folder cannot be written.
        """
        token = self._cipher(create=True).encrypt(json.dumps(value).encode())
        with writing(self.path(name)) as part:
            part.write_bytes(token)

    def delete_key(self) -> None:
        """Remove the key file: whatever was sealed with it, here or in a copy, can be read no more."""
        self._key_file.unlink(missing_ok=True)
        self._fernet = None

    def delete(self, name: str) -> bool:
        """Remove a value; whether there was one."""
        there = self.has(name)
        self.path(name).unlink(missing_ok=True)
        return there

    def _cipher(self, *, create: bool) -> Fernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet

            self._fernet = Fernet(self._read_key(create=create))
        return self._fernet

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

        key = Fernet.generate_key()
        try:
            private_folder(self._key_file.parent)
            # Two processes may get here at once: the first one's key counts.
            handle = os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _checked(self._key_file.read_text(encoding="ascii").strip(), where=str(self._key_file))
        except OSError as error:
            raise StorageError(self._key_file, error.strerror or str(error)) from error
        with os.fdopen(handle, "wb") as file:
            file.write(key + b"\n")
        return key


def _checked(text: str, *, where: str) -> bytes:
    """The key in the form Fernet wants; both alphabets of base64 are taken."""
    try:
        raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise VoicesKeyError(f"{where} is no key of {KEY_BYTES} bytes in base64; make one: openssl rand -base64 32")
    return base64.urlsafe_b64encode(raw)
