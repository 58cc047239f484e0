"""How the server says no: the status, id and sentence of each refusal, as Mattermost 5.37 words it."""

from __future__ import annotations


class RefusedError(Exception):
    """An HTTP answer that is an error; `id` is Mattermost's name for it."""

    def __init__(self, status: int, error_id: str, message: str, *, detail: str = "") -> None:
        self.status = status
        self.id = error_id
        self.message = message
        self.detail = detail
        super().__init__(f"{status} {error_id}")

    def to_json(self, request_id: str) -> dict[str, object]:
        """The body of the answer."""
        return {
            "id": self.id,
            "message": self.message,
            "detailed_error": self.detail,
            "request_id": request_id,
            "status_code": self.status,
        }


def no_session() -> RefusedError:
    """No token, or one that is not known."""
    return RefusedError(401, "api.context.session_expired.app_error", "Invalid or expired session, please login again.")


def forbidden() -> RefusedError:
    """The account lacks a permission or a membership."""
    return RefusedError(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")


def bad_url(name: str) -> RefusedError:
    """An id in the address is not one."""
    return RefusedError(
        400, "api.context.invalid_url_param.app_error", f"Invalid or missing {name} parameter in request URL."
    )


def bad_body(name: str) -> RefusedError:
    """A value in the body or query is missing or wrong."""
    return RefusedError(400, "api.context.invalid_body_param.app_error", f"Invalid or missing {name} in request body.")


def no_user() -> RefusedError:
    """There is no such account."""
    return RefusedError(404, "app.user.missing_account.const", "Unable to find the user.")


def no_team() -> RefusedError:
    """There is no such team."""
    return RefusedError(404, "app.team.get.find.app_error", "Unable to find the existing team.")


def no_channel() -> RefusedError:
    """There is no such channel."""
    return RefusedError(404, "app.channel.get.existing.app_error", "Unable to find the existing channel.")


def no_channel_of_that_name() -> RefusedError:
    """There is no such channel, or a private one that the caller is not in."""
    return RefusedError(404, "app.channel.get_by_name.missing.app_error", "Channel does not exist.")


def no_channel_member() -> RefusedError:
    """The account is not in the channel."""
    return RefusedError(
        404, "app.channel.get_member.missing.app_error", "No channel member found for that user ID and channel ID."
    )


def no_post() -> RefusedError:
    """There is no such post, or it was deleted."""
    return RefusedError(404, "app.post.get.app_error", "Unable to get the post.")


def no_file() -> RefusedError:
    """There is no such file, or its post was deleted."""
    return RefusedError(404, "app.file_info.get.app_error", "Unable to get the file info.")


def no_page(path: str) -> dict[str, object]:
    """The answer to an address that does not exist; the only one without a request id."""
    return {
        "id": "api.context.404.app_error",
        "message": "Sorry, we could not find the page.",
        "detailed_error": (
            f"There doesn't appear to be an api call for the url='{path}'.  "
            "Typo? are you missing a team_id or user_id as part of the url?"
        ),
        "status_code": 404,
    }
