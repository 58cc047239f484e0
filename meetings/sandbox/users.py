"""Accounts, bots, passwords and tokens."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import func, select, update

from meetings.sandbox import model, refusals
from meetings.sandbox.ids import new_id
from meetings.sandbox.model import User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import user_json
from meetings.sandbox.world import Change

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MIN_PASSWORD = 5
MAX_ATTEMPTS = 10
PATCHABLE = frozenset(["nickname", "first_name", "last_name", "position", "locale", "timezone"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is said about a new account."""

    username: str
    email: str
    first_name: str = ""
    last_name: str = ""
    nickname: str = ""
    position: str = ""
    locale: str = "en"
    timezone: Mapping[str, str] | None = None


def create(tx: Change, profile: Profile, *, password: str | None, roles: str | None = None) -> User:
    """Add an account; the first one is the admin unless `roles` says otherwise. No password: tokens only."""
    username = profile.username.lower()
    if not _USERNAME.fullmatch(username):
        raise RefusedError(
            400, "model.user.is_valid.username.app_error", "Username must begin with a letter or number."
        )
    if "@" not in profile.email or len(profile.email) > 128:
        raise RefusedError(400, "model.user.is_valid.email.app_error", "Invalid email.")
    if password is not None and len(password) < MIN_PASSWORD:
        raise RefusedError(
            400,
            "model.user.is_valid.pwd.app_error",
            f"Your password must contain at least {MIN_PASSWORD} characters.",
        )
    if by_username(tx, username) is not None:
        raise RefusedError(
            400, "app.user.save.username_exists.app_error", "An account with that username already exists."
        )
    email = profile.email.lower()
    if model.one(tx.db, User, select(model.users).where(model.users.c.email == email)):
        raise RefusedError(400, "app.user.save.email_exists.app_error", "An account with that email already exists.")
    if roles is None:
        first = tx.db.execute(select(func.count()).select_from(model.users)).scalar_one() == 0
        roles = "system_admin system_user" if first else "system_user"
    now = tx.now()
    user = User(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        username=username,
        password_hash=_hash_password(password) if password else "",
        email=email,
        nickname=profile.nickname,
        first_name=profile.first_name,
        last_name=profile.last_name,
        position=profile.position,
        roles=roles,
        locale=profile.locale or "en",
        timezone=dict(profile.timezone or {}),
        last_password_update=now,
    )
    model.add(tx.db, model.users, user)
    tx.emit("new_user", {"user_id": user.id})
    return user


def create_bot(
    tx: Change, owner: User, *, username: str, display_name: str, description: str, roles: str = "system_user"
) -> User:
    """Add a bot account."""
    user = create(
        tx,
        Profile(username=username, email=f"{username}@localhost", first_name=display_name),
        password=None,
        roles=roles,
    )
    bot = replace(user, is_bot=True, bot_description=description, bot_owner_id=owner.id)
    tx.db.execute(
        update(model.users)
        .where(model.users.c.id == user.id)
        .values(is_bot=True, bot_description=description, bot_owner_id=owner.id)
    )
    return bot


def login(tx: Change, login_id: str, password: str) -> User | RefusedError:
    """The account that a name (or e-mail address) and password open, or the refusal; failed attempts are counted.

    The refusal is returned, not raised: the change that counted the attempt must be kept.
    """
    wrong = RefusedError(
        401,
        "api.user.login.invalid_credentials_email_username",
        "Enter a valid email or username and/or password.",
    )
    column = model.users.c.email if "@" in login_id else model.users.c.username
    user = model.one(tx.db, User, select(model.users).where(column == login_id.lower()))
    if user is None or user.is_bot:
        return wrong
    if user.failed_attempts >= MAX_ATTEMPTS:
        return RefusedError(
            401,
            "api.user.check_user_login_attempts.too_many.app_error",
            "Your account is locked because of too many failed password attempts. Please reset your password.",
        )
    if not _check_password(password, user.password_hash):
        _set(tx, user.id, failed_attempts=user.failed_attempts + 1)
        return wrong
    if user.delete_at:
        return RefusedError(
            401,
            "api.user.login.inactive.app_error",
            "Login failed because your account has been deactivated. Please contact an administrator.",
        )
    if user.failed_attempts:
        _set(tx, user.id, failed_attempts=0)
    # What is answered was read before the count was cleared (seen on 5.37).
    return user


def new_token(tx: Change, user: User, *, description: str) -> tuple[model.Token, str]:
    """A token for an account: what is kept of it, and the token itself, told this once."""
    secret = new_id()
    token = model.Token(id=tx.new_id(), token_hash=_hash_token(secret), user_id=user.id, description=description)
    model.add(tx.db, model.tokens, token)
    return token, secret


def by_token(tx: Change, secret: str) -> User | None:
    """The active account that a token belongs to."""
    query = (
        select(model.users)
        .join(model.tokens, model.tokens.c.user_id == model.users.c.id)
        .where(
            model.tokens.c.token_hash == _hash_token(secret),
            model.tokens.c.is_active,
            model.users.c.delete_at == 0,
        )
    )
    return model.one(tx.db, User, query)


def tokens(tx: Change, user_id: str) -> list[model.Token]:
    """The tokens of an account, active or not."""
    return model.many(tx.db, model.Token, select(model.tokens).where(model.tokens.c.user_id == user_id))


def switch_token(tx: Change, token_id: str, *, active: bool) -> str | None:
    """Let a token work, or no longer; whose it is. Sockets that were opened with it end."""
    table = model.tokens
    token = model.one(tx.db, model.Token, select(table).where(table.c.id == token_id))
    if token is None:
        return None
    tx.db.execute(update(table).where(table.c.id == token_id).values(is_active=active))
    if not active:
        tx.afterwards.append(partial(tx.world.hub.end, token.user_id))
    return token.user_id


def forget_token(tx: Change, secret: str) -> None:
    """Log a session out."""
    tx.db.execute(model.tokens.delete().where(model.tokens.c.token_hash == _hash_token(secret)))


def by_id(tx: Change, user_id: str) -> User | None:
    """The account with this id."""
    return model.one(tx.db, User, select(model.users).where(model.users.c.id == user_id))


def by_username(tx: Change, username: str) -> User | None:
    """The account with this name."""
    return model.one(tx.db, User, select(model.users).where(model.users.c.username == username.lower()))


def by_ids(tx: Change, user_ids: Sequence[str]) -> list[User]:
    """The accounts with these ids, in this order; unknown ones are left out."""
    found = {u.id: u for u in model.many(tx.db, User, select(model.users).where(model.users.c.id.in_(user_ids)))}
    return [found[i] for i in dict.fromkeys(user_ids) if i in found]


def require(tx: Change, user_id: str) -> User:
    """The account with this id, or the refusal."""
    user = by_id(tx, user_id)
    if user is None:
        raise refusals.no_user()
    return user


def everybody(tx: Change, *, page: int = 0, per_page: int = 1_000_000) -> list[User]:
    """All accounts by username."""
    query = select(model.users).order_by(model.users.c.username).limit(per_page).offset(page * per_page)
    return model.many(tx.db, User, query)


def patch(tx: Change, user: User, changes: Mapping[str, Any]) -> User:
    """Change what an account says about itself."""
    wanted = {k: v for k, v in changes.items() if k in PATCHABLE and isinstance(v, dict if k == "timezone" else str)}
    return _changed(tx, user, update_at=tx.now(), **wanted)


def set_active(tx: Change, user: User, *, active: bool) -> User:
    """Deactivate an account or bring it back; its tokens stop working meanwhile."""
    now = tx.now()
    return _changed(tx, user, update_at=now, delete_at=0 if active else now)


def set_password(tx: Change, user: User, password: str) -> None:
    """Give an account another password."""
    if len(password) < MIN_PASSWORD:
        raise RefusedError(
            400,
            "model.user.is_valid.pwd.app_error",
            f"Your password must contain at least {MIN_PASSWORD} characters.",
        )
    _set(tx, user.id, password_hash=_hash_password(password), last_password_update=tx.now(), failed_attempts=0)


def set_guest(tx: Change, user: User, *, guest: bool) -> User:
    """Make an account a guest, or a member again."""
    if user.is_bot or user.is_guest == guest:
        raise RefusedError(
            501, "api.user.demote_user_to_guest.already_guest.app_error", "Unable to convert the user to guest."
        )
    return _changed(tx, user, update_at=tx.now(), roles="system_guest" if guest else "system_user")


def touch(tx: Change, user_id: str) -> None:
    """Note that something about the account changed (joining a team does)."""
    _set(tx, user_id, update_at=tx.now())


def _changed(tx: Change, user: User, **values: Any) -> User:
    _set(tx, user.id, **values)
    changed = replace(user, **values)
    tx.emit("user_updated", {"user": user_json(changed, full=False)})
    return changed


def _set(tx: Change, user_id: str, **values: Any) -> None:
    tx.db.execute(update(model.users).where(model.users.c.id == user_id).values(**values))


def _hash_token(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def _hash_password(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def _check_password(password: str, kept: str) -> bool:
    salt, _, digest = kept.partition(":")
    if not digest:
        return False
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), digest)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8"), salt=salt, n=2**13, r=8, p=1)
