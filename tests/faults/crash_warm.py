"""What a process that is to fork many lives of the program did before: imports, tables, and each thing once.

It leaves no thread: a fork would have only the one that forks.
"""

import gc
import tempfile
import threading
import warnings
from pathlib import Path

import meetings.speech  # noqa: F401
from meetings.config import load_settings
from meetings.conversation import Conversation, Speaker, Utterance
from meetings.mattermost import MattermostClient
from meetings.people import build_persona, load_profiles
from meetings.pipeline import Silent
from meetings.sandbox import run_in_thread
from meetings.service import Service
from meetings.summary import summarize
from meetings.summary.admission import admission_calls, admission_cases, admission_sentences
from tests.faults.crash_program import COMPANY
from tests.unit.summary_builders import EVERYONE, TermEmbedder

_SAID = ("We decided to ship the parser on Friday.", "Ben, please write the release notes by Thursday.", "All right.")
_TALK = Conversation(
    id="warm",
    title="Warm",
    language="en",
    duration=9.0,
    started_at=None,
    participants=(),
    speakers=(Speaker(id="s1", name="Speaker 1"),),
    utterances=tuple(
        Utterance(id=f"u{n}", speaker="s1", start=3.0 * n, end=3.0 * n + 2, text=text) for n, text in enumerate(_SAID)
    ),
)


def _everything_once(folder: Path) -> None:
    summarize(
        _TALK,
        [build_persona(person, None, profiles=load_profiles()) for person in EVERYONE],
        embedder=TermEmbedder(),
    )
    admission_calls()
    admission_cases()
    admission_sentences()
    with run_in_thread(folder / "sandbox", company=COMPANY) as sandbox:
        MattermostClient(sandbox.url, sandbox.bot_token or "").me()
    settings = load_settings(environ={"MEETINGS_HOME": str(folder / "home")}, folder=folder, user_folder=folder)
    with Service(settings, Silent()):
        pass


warnings.simplefilter("ignore")
with tempfile.TemporaryDirectory() as _folder:
    _everything_once(Path(_folder))
# The engine tells its threads to end and does not wait for them.
for _thread in set(threading.enumerate()) - {threading.current_thread()}:
    _thread.join(60)
assert threading.active_count() == 1
# What is there by now is there for good: a fork that looks for garbage need not look at it, nor copy its pages.
gc.collect()
gc.freeze()
