"""Answers people who answer: what they ask of their summaries is understood, done and confirmed in the thread.

Three steps, so that a process that dies between them neither does a thing twice nor tells it twice: `understand` reads
and decides, giving plain values; `change` does what can be done again without harm; `say` tells it once. Nobody changes
anything but their own wishes; who a voice is may be said by those who were in the call, of those who could be it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from meetings import replies
from meetings.answers import HELP, KINDS, LANGUAGES, MAX_LISTED, NEXT, NO_CALL, line, listed, why
from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.corrections import Setting
from meetings.edits import read_edits
from meetings.errors import (
    CorrectionError,
    DatabaseError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    MeetingsError,
    StorageError,
)
from meetings.intents import Ask, Intent, Outcome, Reacting, Understood
from meetings.mattermost import KeptContext, MattermostClient, Reading, person_of, read_contexts
from meetings.mattermost.delivery import KEY_PROP, LOOK_BACK
from meetings.mattermost.entities import Post, Reaction, User
from meetings.mattermost.opinions import DISLIKES, LIKES
from meetings.people import FeedbackBook, build_persona, read_profiles
from meetings.people.person import LENGTHS
from meetings.recalled import RecalledCall, named, recall, told
from meetings.recordings import past_runs
from meetings.speakers import correct
from meetings.store import FileStore
from meetings.summary import inert, passages_about, summarize

ANSWER_PROP = "meetings_answer"  # in the props of an answer: the post, or the reaction, that it answers
MORE = "eyes"
GONE = "You can no longer read the channel of that call."


class Talkback:
    """Understands and answers.

    Args:
        settings: where wishes and results are, and which models there are.
        client: the bot.
        intents: what can be asked beside what concerns summaries; the first that takes a text answers it.
    """

    def __init__(self, settings: Settings, client: MattermostClient, intents: Sequence[Intent] = ()) -> None:
        self._intents = intents
        self._settings = settings
        self._client = client
        self._store = FileStore.of(settings)
        self._book = FeedbackBook(settings)

    # The first step

    def understand(self, post: Post) -> Understood | None:
        """What an answer asks for; None if it is nothing to answer: the bot's own, another bot's, a deleted one."""
        asker = self._asker(post.user_id)
        if asker is None or post.delete_at or post.type:
            return None
        ask = Ask(asker=asker, text=post.message, channel_id=post.channel_id, at=post.create_at)
        asked = self._asked(lambda intent: intent.understand(ask))
        if asked is not None:
            effects, text, voice, again = asked.effects, asked.text, None, ""
        else:
            said = replies.read_reply(post.message)
            effects, text, voice, again = self._decide(said, asker, self._root(post), post.channel_id)
        return Understood(
            username=asker.username,
            user_id=asker.id,
            channel_id=post.channel_id,
            root_id=post.root_id or post.id,
            answers=post.id,
            text=text,
            effects=effects,
            voice=voice,
            again=again,
        )

    def understand_reaction(self, reaction: Reaction) -> Understood | None:
        """What an emoji on a summary asks for; None for any other emoji, post or person."""
        asker = self._asker(reaction.user_id)
        if asker is None or reaction.emoji_name not in LIKES | DISLIKES | {MORE}:
            return None
        post = self._existing(reaction.post_id)
        if post is None or post.user_id != self._client.me().id:
            return None
        asked = self._asked(
            lambda i: i.understand_reaction(asker, post, reaction.emoji_name) if isinstance(i, Reacting) else None
        )
        if asked is None and not self._is_summary_of(post, asker):
            return None
        if asked is not None:
            text = asked.text
        elif reaction.emoji_name == MORE:
            call = self._call(post, asker)
            text = self._left_out(call, asker) if call else NO_CALL
        elif reaction.emoji_name in LIKES:
            text = f"Thank you: more of this kind. {NEXT} Take the emoji off to take that back."
        else:
            text = (
                f"Understood: less of this kind. {NEXT} In words I understand it better: **less about** a subject, "
                "**only decisions**, **shorter**. Take the emoji off to take it back."
            )
        return Understood(
            username=asker.username,
            user_id=asker.id,
            channel_id=post.channel_id,
            root_id=post.id,
            answers=f"{post.id}:{reaction.emoji_name}",
            text=text,
            effects=asked.effects if asked else (),
        )

    def understand_ask(
        self, user_id: str, text: str, *, name: str, command: str, channel_id: str, team_id: str, at: int
    ) -> Understood | None:
        """What somebody asks for by a slash command, under a name of its own; the answer is a direct message."""
        asker = self._asker(user_id)
        if asker is None:
            return None
        ask = Ask(asker=asker, text=text, channel_id=channel_id, team_id=team_id, command=command, at=at)
        asked = self._asked(lambda intent: intent.understand(ask)) or Outcome(
            text=f"I did not understand that.\n\n{self._help()}"
        )
        return Understood(
            username=asker.username,
            user_id=asker.id,
            channel_id=self._client.direct_channel(asker.id),
            root_id="",
            answers=name,
            text=asked.text,
            effects=asked.effects,
        )

    def _asked(self, understand: Callable[[Intent], Outcome | None]) -> Outcome | None:
        """What the first intent that takes a request makes of it."""
        for intent in self._intents:
            try:
                found = understand(intent)
            except MattermostUnreachableError:
                raise
            except MeetingsError as error:
                return Outcome(text=f"That did not work: {inert(str(error))}")
            if found is not None:
                return Outcome(text=found.text, effects=tuple((f"{intent.name}.{w}", v) for w, v in found.effects))
        return None

    def _help(self) -> str:
        return "\n".join([HELP, *(["", *(i.help for i in self._intents)] if self._intents else [])])

    # The second step

    def change(self, understood: Understood) -> str:
        """Do it, and give what is to be said of it. It needs no server; done again, it leaves things as they are."""
        text = understood.text
        for what, value in understood.effects:
            try:
                self._change(understood, what, value)
                self._note(understood, what, value)
            except (DatabaseError, StorageError):
                raise
            except MeetingsError as error:
                text = f"That did not work: {inert(str(error))}"
        if understood.voice is not None:
            media_id, speaker, username = understood.voice
            try:
                run = past_runs(self._store, media_id)[-1]
                correct(run, [Setting(who=speaker, username=username)], self._settings, by=understood.username)
            except (CorrectionError, IndexError) as error:
                text = f"That did not work: {inert(str(error))}"
        return text

    # The third step

    def say(self, understood: Understood, text: str) -> None:
        """Say so in the thread, once.

        Raises:
            MattermostError: the server failed; the step is to be done again.
        """
        if not self._said(understood):
            self._client.create_post(
                understood.channel_id,
                text,
                root_id=understood.root_id,
                props={ANSWER_PROP: understood.answers},
                key=f"answer:{understood.answers}",
            )

    def _note(self, understood: Understood, what: str, value: str) -> None:
        """That they asked for something, and, of an opt-out alone, what."""
        event = {"yes": "stopped", "no": "started"}[value] if what == "stopped" else "wish"
        who = understood.username
        AuditLog(self._settings).note(event, user=who, by=who, kind="" if what == "stopped" else what)

    def _change(self, understood: Understood, what: str, value: str) -> None:
        username = understood.username
        name, of_intent, effect = what.partition(".")
        if of_intent:
            (intent,) = (i for i in self._intents if i.name == name)
            intent.change(username, understood.user_id, effect, value)
            return
        match what:
            case "more" | "less":
                self._book.add(username, what, value)
            case "length":
                self._book.set_length(username, value)
            case "only":
                self._book.set_only(username, tuple(value.split()))
            case "locale":
                self._book.set_locale(username, value)
            case "stopped":
                self._book.set_stopped(username, value == "yes", user_id=understood.user_id)

    def _said(self, understood: Understood) -> bool:
        me = self._client.me().id
        try:
            thread = (
                self._client.thread(understood.root_id)
                if understood.root_id
                else tuple(self._client.latest_posts(understood.channel_id, LOOK_BACK))
            )
        except MattermostNotFoundError:
            return True  # the thread is gone: there is nobody to tell
        return any(p.user_id == me and p.props.get(ANSWER_PROP) == understood.answers for p in thread)

    # Decisions

    def _decide(
        self, said: replies.Request, asker: User, root: Post | None, channel_id: str
    ) -> tuple[tuple[tuple[str, str], ...], str, tuple[str, str, str] | None, str]:
        wishes = self._book.of(asker.username)
        match said:
            case replies.Stop():
                return (("stopped", "yes"),), "You get no more messages from me. **start** brings them back.", None, ""
            case replies.Start():
                return (("stopped", "no"),), "Welcome back: you get my messages again.", None, ""
            case replies.More(subject=subject, less=less):
                word = "less" if less else "more"
                return ((word, subject),), f"Noted: {word} about {inert(subject)}. {NEXT}", None, ""
            case replies.Length(length=length, step=step):
                now = wishes.length or "medium"
                wanted = length or LENGTHS[max(0, min(len(LENGTHS) - 1, LENGTHS.index(now) + step))]
                if wanted == now and not length:
                    return (), f"Your summaries are as {'long' if step > 0 else 'short'} as I can make them.", None, ""
                return (("length", wanted),), f"Noted: {wanted} summaries. {NEXT}", None, ""
            case replies.Only(kinds=kinds):
                what = " and ".join(KINDS[k] for k in kinds) + " alone" if kinds else "everything again"
                return (("only", " ".join(kinds)),), f"Noted: {what}. {NEXT}", None, ""
            case replies.Language(code=code):
                text = (
                    f"Noted: {LANGUAGES[code]}, where the language model of this server can write it; what it cannot "
                    f"stays in the language of the call. {NEXT}"
                )
                return (("locale", code),), text, None, ""
            case replies.Settings():
                return (), listed(wishes), None, ""
            case replies.Help(understood=True):
                return (), self._help(), None, ""
            case replies.Help():
                return (), f"I did not understand that.\n\n{self._help()}", None, ""
        call = self._call(root or self._newest_summary(asker, channel_id), asker)
        if call is None:
            return (), NO_CALL, None, ""
        if isinstance(said, replies.Voice):
            text, voice = self._voice(said, call, asker)
            return (), text, voice, call.job.source.media_id if voice else ""
        if isinstance(said, replies.About):
            return (), self._about(said.subject, call, asker), None, ""
        return (), why(call.summary), None, ""

    def _voice(self, said: replies.Voice, call: RecalledCall, asker: User) -> tuple[str, tuple[str, str, str] | None]:
        if not self._may_read(call, asker):
            return GONE, None
        names = [s.name for s in call.conversation.speakers if s.name.lower() == said.speaker.lower()]
        if not names:
            known = ", ".join(inert(s.name) for s in call.conversation.speakers)
            return f"There is no {said.speaker} in that call; there are: {known}.", None
        if not said.who:
            return f"I could not tell. If you know, say: **{said.speaker} is** and the name.", None
        if not call.attended(asker.username):
            return "Only those who were in the call can say who a voice is.", None
        people = self._possible(call)
        found = named(said.who, people)
        if len(found) != 1:
            many = "several people are called that" if found else "nobody in that call or its channel is called that"
            return f"I know no {inert(said.who, limit=60)} there: {many}. A username is understood too.", None
        (user,) = found
        text = f"Thank you: {said.speaker} is {inert(user.name)}. The messages about that call are being corrected."
        return text, (call.job.source.media_id, names[0], user.username)

    def _possible(self, call: RecalledCall) -> tuple[User, ...]:
        ids = set(call.job.source.participant_ids)
        if call.job.source.channel_id is not None:
            ids |= set(self._client.channel_member_ids(call.job.source.channel_id))
        return tuple(u for u in self._client.users(ids) if not u.is_bot)

    def _about(self, subject: str, call: RecalledCall, asker: User) -> str:
        if not self._may_read(call, asker):
            return GONE
        found = passages_about(
            call.conversation, subject, embedder=self._embedder(), attended=call.attended(asker.username)
        )
        about = inert(subject, limit=80)
        if not found:
            return f"I found nothing about {about} in that call."
        return "\n".join([f"About {about}, in the order it was said:", *(line(b) for b in found)])

    def _left_out(self, call: RecalledCall, asker: User) -> str:
        """What a longer summary would have told besides."""
        if not self._may_read(call, asker):
            return GONE
        kept = KeptContext(self._settings, self._client.url)
        contexts = read_contexts(self._client, [asker], now=_began(call), kept=kept, reading=Reading())
        person, context = self._book.apply(person_of(asker), contexts[asker.username], now=_began(call) / 1000)
        persona = build_persona(
            replace(person, length="long", only=()), context, profiles=read_profiles(self._settings.profiles)
        )
        (longer,) = summarize(
            call.conversation,
            [persona],
            writer="extract",
            embedder=self._embedder(),
            attended=set(call.conversation.participants) or None,
        )
        had = {tuple(b["evidence"]) for b in call.summary["bullets"]}
        more = [b for b in longer.bullets if b.evidence not in had and not b.confidential]
        if not more:
            return "Nothing of weight was left out; the transcript holds all."
        return "\n".join(["What was left out:", *(line(b) for b in more[:MAX_LISTED])])

    # Facts

    def _asker(self, user_id: str) -> User | None:
        if user_id == self._client.me().id:
            return None
        try:
            user = self._client.user(user_id)
        except MattermostNotFoundError:
            return None
        return None if user.is_bot or user.delete_at else user

    def _root(self, post: Post) -> Post | None:
        return self._existing(post.root_id) if post.root_id else None

    def _existing(self, post_id: str) -> Post | None:
        try:
            post = self._client.post(post_id)
        except (MattermostNotFoundError, MattermostForbiddenError):
            return None
        return None if post.delete_at else post

    def _is_summary_of(self, post: Post, asker: User) -> bool:
        """Whether a post is a summary that the bot sent to this person: nobody asks by way of another's."""
        key = post.props.get(KEY_PROP)
        return post.user_id == self._client.me().id and isinstance(key, str) and key.endswith(f":{asker.id}")

    def _newest_summary(self, asker: User, channel_id: str) -> Post | None:
        posts = self._client.latest_posts(channel_id, LOOK_BACK)
        return next((p for p in posts if self._is_summary_of(p, asker)), None)

    def _call(self, post: Post | None, asker: User) -> RecalledCall | None:
        if post is None or not self._is_summary_of(post, asker):
            return None
        media_id = str(post.props[KEY_PROP]).split(":")[0]
        call = recall(self._store, media_id, asker.username)
        if call is None:
            return None
        edits = read_edits(self._settings, media_id)
        return replace(call, conversation=told(call.conversation, edits, attended=call.attended(asker.username)))

    def _may_read(self, call: RecalledCall, asker: User) -> bool:
        channel_id = call.job.source.channel_id
        return channel_id is None or self._client.is_channel_member(channel_id, asker.id)

    def _embedder(self) -> Any:
        from meetings.llm import open_embedder

        return open_embedder(self._settings)


def _began(call: RecalledCall) -> int:
    from meetings.stages import start_ms

    return start_ms(call.job)
