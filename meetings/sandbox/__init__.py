"""The sandbox: a small server that speaks the part of Mattermost this program uses, with a company in it."""

from meetings.sandbox.calls import Call, post_call
from meetings.sandbox.credentials import Credentials, load_credentials
from meetings.sandbox.messages import DirectMessage, read_direct_messages
from meetings.sandbox.server import Sandbox, run_in_thread, serve

__all__ = [
    "Call",
    "Credentials",
    "DirectMessage",
    "Sandbox",
    "load_credentials",
    "post_call",
    "read_direct_messages",
    "run_in_thread",
    "serve",
]
