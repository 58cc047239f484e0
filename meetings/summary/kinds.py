"""What a sentence does in a meeting: decides, promises or assigns work, warns, asks, counts, or informs.

Rules over words, in English, tuned for precision: a wrong "decision" costs a reader's trust, a missed one is still
found as something worth knowing. Whom a task falls to is read here as it was said (`me`, `you`, a name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from meetings.summary.dates import Due, find_due

# Questions below this strength are small talk or run the meeting: heard as questions, worth next to nothing.
QUIET = 0.5
KINDS = ("decision", "action", "risk", "question", "number", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sentence does. `owners` says how those responsible are called: `me`, `you`, or a name."""

    kind: str
    strength: float
    owners: tuple[str, ...] = ()
    due: Due | None = None
    named: str | None = None


def _r(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


# A subject that stands for the group and opens its clause: in `the materials we're going to use` it opens none.
_WE = (
    r"(?:^|[,;:] |\b(?:so|and|but|now|well|okay|know|definitely|basically|finally|(?:decided|agreed|means) that|i say|today),? )"
    r"(?:i guess |actually |basically |also )?we"
)
_WE_WILL = rf"{_WE}(?:'ll| will|'re going to| are going to|'re gonna| are gonna)"
_HEDGED = _r(
    r"\b(?:if we|if i|if you|maybe|might|perhaps|could we|should we|shall we|do we|did we|have we|would we|whether|"
    r"not sure|unless we|suppose|what if|i wonder|would be|could be|haven't decided|not decided|yet to decide|"
    r"can't decide|undecided|didn't decide|don't think we)\b"
)
_AGREED = r"(?:decided|agreed|settled|concluded|approved|signed off)"
_DECISION = (
    _r(rf"(?<!points )(?<!things )(?<!what )(?<!which )(?<!as )(?<!like )(?<!unless )"
       rf"\bwe(?:'ve| have|'d| had)? (?:all |now |just |finally |also |already |basically |then )*{_AGREED}\b"
       rf"(?! to (?:meet|discuss|talk)\b| before\b| (?:up)?on[.,;]|, (?:'cause|because|yeah|right\b(?!\?)))"),
    _r(r"\b(?:it|that)(?:'s| is| has been|'s been| was) (?:now |all |then )?(?:decided|agreed|settled|approved|final|"
       r"a decision)\b"),
    _r(r"\b(?:the|our|final|a) decision (?:is|was|then is|stands|here is)\b|^decision\b|(?<!no )\bdecision made\b"),
    _r(rf"(?:\b(?:let's|let us|i say we)|{_WE}(?:'ll| will|'re| are| then)) (?:just |all |not |definitely )*"
       r"(?:go(?:ing)? )(?:ahead )?(?:with|for)\b(?! (?:it|that|this|you|me|(?:an? )?(?:\d|one|two|three|four|five|six|seven|zero))\b)"),
    _r(r"^(?:so |okay |ok |good |right |then |and |all right )*[, ]*(?:decided|agreed|settled|approved)\b[,.:;]"
       r"(?! (?:i|i'll)\b)(?= \w+ \w+ \w+)"),
    _r(rf"{_WE_WILL} (?:not |only |also |now |just |all )*(?:ship|launch|release|use(?! (?:it|that|this|them)\b)|keep(?! \w+ in mind| in mind)|drop|"
       r"postpone|delay|stick|stay with|switch|freeze|hold off|cancel|remove|add|support|charge|hire|buy|"
       r"adopt|publish|announce|go live|move (?:it|the)|cut(?! to)|push (?:it|the)|skip (?:it|the|this))(?=\W+\w+)"),
    _r(r"\blet's (?:ship|launch|release|use|keep (?!\w+ in mind|in mind|going)|drop|postpone|delay|stick (?:to|with)|"
       r"stay with|switch to|freeze|hold off|cancel|settle on|make it|move (?:it|that|the|this) to|do it)\b"),
    _r(rf"{_WE}(?:'re| are) (?:not )?(?:shipping|launching|releasing|keeping|dropping|postponing|delaying|"
       r"sticking|switching|freezing|cutting|cancelling|canceling|hiring|moving (?:it|the)|(?<=not )(?:gonna|going to) "
       r"(?:work with|have(?! to)|include|do|make|offer|build|go))\b"),
)  # fmt: skip
# `We'll go with rubber, yeah?` seeks assent to what it settles.
_TAG = _r(
    r",? (?:yeah|right|okay|yes|no|then|huh|is that (?:okay|right)|(?:is|are|was|does|do|have|has|would)n't (?:it|they|you|"
    r"that))\?$"
)
# A plan laid down: `the release moves to the tenth`, `two factor login is required from Monday`.
_LAID_DOWN = _r(
    r"\b(?:moves|goes|is moving|is going|shifts|is moved|is postponed|is pushed|is pulled) (?:back |forward |"
    r"out |up |live )?"
    r"(?:to|until|from|on)\b|\b(?:is|are|was|were|has been|have been|got|gets) (?:now |finally |hereby |officially )?"
    r"(?:approved|signed off|cancelled|canceled|postponed|called off)\b|"
    r"\b(?:is|are) (?:now |hereby )?(?:required|mandatory|forbidden|frozen) (?:from|as of|starting|until)\b"
)
_RULED = _r(r"approved|signed off|cancel|postponed|called off")
_WEAK_DECISION = frozenset({5, 6, 7})
_SOFT = frozenset({3, 5, 6, 7})

_DOES = (
    r"sends|writes|drafts|prepares|fixes|updates|checks|schedules|sets up|books|files|reviews|publishes|"
    r"finishes|ships|"
    r"orders|calls|shares|creates|adds|follows up|tests|patches|deploys|posts|makes|builds|contacts|"
    r"looks (?:at|into)|"
    r"takes|handles|owns|organi[sz]es|arranges|invites|documents|designs|edits|translates|investigates|collects|runs|"
    r"plans|presents|confirms|brings|delivers|starts|covers"
)
_BUSY = (
    r"working on|looking (?:at|into|for)|thinking about|preparing|writing|handling|doing|taking care|responsible for"
)
_DOING = (
    r"send|write|draft|negotiate|research|study|prepare|fix|update|check|ask|talk to|speak (?:to|with)|schedule|set up|book|file|review|"
    r"publish|"
    r"finish|ship|order|call|e-?mail|share|create|add|follow up|test|patch|deploy|rotate|post|make|build|get|"
    r"put|find|"
    r"contact|reach out|look (?:at|into|up)|work on|take care|take (?:that|this|it|over)|handle|own|organi[sz]e|"
    r"arrange|"
    r"invite|document|design|record|edit|translate|investigate|measure|compare|collect|run|move|remove|clean|merge|"
    r"upload|submit|sign|pay|buy|plan|present|report|confirm|circulate|bring|do|have|deliver|provide|come up|"
    r"start|open|"
    r"close|sort|cover|coordinate|announce|tell|let|turn|rewrite|migrate|upgrade|change|replace|interview|hire|screen"
)
# The running of a meeting: its rooms, tools and times. Nothing said of these is a decision, and few things are a task.
_MEETING = _r(
    r"\b(?:meetings?|session|agenda|slides?|presentations?|present(?:ing)?|lunch|coffee|breaks?|white ?board|smart ?board|"
    r"drawing|draw|animals?|pens?|laptop|microphone|discuss(?:ion|ing)?|talk(?:ing)? about|next (?:point|topic|item|"
    r"question)|exercise|tools?|evaluat(?:e|ion)|minutes (?:left|again|ago)|move on|start|close|break off|keep in mind)\b"
)
# Done on the spot, before everyone's eyes.
_ON_THE_SPOT = _r(
    r"\b(?:white ?board|story-?board|slides?|screen|(?:the|on) board|discuss|already|pens?|page|sheet|presentations?|draw|animals?|scores?|now|"
    r"for a (?:second|minute|moment)|in a (?:second|minute|moment)|exercise|editing|apologi[sz]e|move on|"
    r"take (?:some |the )?(?:minutes|notes)|make (?:some )?notes?|(?:a )?notes? of (?:that|it|this)|(?:that|this|it) down|"
    r"make a note|rub|erase|wipe|show|this board|write down|back on|go (?:over|through)|guess)\b"
)
# Sending and the like happen after a meeting, whatever else is said of them.
_AFTERWARDS = _r(
    r"\b(?:send|e-?mail|mail|circulate|publish|upload|deploy|order|book|schedule|follow up|hire|interview|"
    r"folder)\b"
)
_NEEDS_DATE = frozenset(
    ["have", "start", "open", "close", "turn", "move", "change", "let", "tell", "present", "report", "run", "buy", "add",
     "put", "come up", "design", "own", "remove"]
)  # fmt: skip
_ASSIGNED = _r(
    r"\byou(?: will|'ll|'re (?:gonna|going to)| are (?:gonna|going to)) be (?P<verb>working on|looking (?:at|into|for)|"
    r"thinking about|preparing|responsible for)\b|"
    r"(?:^|, |\b(?:and|so|then) )you (?:two |both )?(?:have to|need to|will|'re (?:gonna|going to)|are (?:gonna|going to)) "
    r"(?:work on|look into|prepare)\b|\byou(?:'re| are) (?:gonna|going to) work on\b"
)
# Promises that are about the meeting itself, or no promises at all.
_TALK = _r(
    r"\bi(?:'ll| will|'m going to| am going to|'m gonna) (?:just |also |now |quickly |briefly |then )*"
    r"(?:go (?:through|over|on|first|back)|start (?:with|by|off)|begin|show (?:you )?(?:now|this|that|the|a|my|"
    r"what|how|some)|"
    r"share (?:my|the) screen|say|tell you|explain|talk about|let you|give you|have to|be (?:honest|brief|"
    r"quick)|skip|"
    r"come (?:back )?to|do (?:it|this|that) (?:now|quickly)|put (?:it|that|this) (?:up|on the)|"
    r"get (?:to|into|back to) (?:that|this|it)|open (?:the|my|this)|turn (?:it )?over|make (?:it|this) (?:quick|"
    r"short)|"
    r"share (?:with|some|this)|ask you|be able|pretend|finish (?:up|off|with)|take (?:this|that|it|these) (?:time|away|out|off)|invite|bring (?:in|up)|do something|be working|find (?:it|him|her|that)|get rid|"
    r"never|always|have (?:a|to|the)|present (?:you|my|the|to you)|just)\b"
)
_I_WILL = _r(
    r"(?<!what )(?<!how )(?<!when )(?<!where )(?<!way )(?<!scenario, )\bi(?:'ll| will|'m going to| am going to|'m gonna| can| could|'ve got to| have to| need to| "
    r"should) "
    rf"(?:just |also |then |definitely |try to |go and |make sure to |take an action to |be |"
    rf"personally )*(?P<verb>{_DOING})\b"
)
_FIRM = _r(r"\bi(?:'ll| will|'m going to| am going to|'m gonna)\b")
_MAYBE_I = _r(r"\bif i\b|\bmaybe i\b|\bi (?:might|could)\b")
_I_OWN = _r(
    r"\b(?:i(?:'ll| will) (?:take|own|do|handle|drive) (?:(?:it|that|this)(?=[.,;!]|$| (?:on|over|from|up)\b)|care)|that(?:'s| is) (?:mine|on me|my action)|"
    r"leave (?:it|that|this) (?:with|to) me|i(?:'ve| have) got (?:it|that|this)(?=[.,;!]|$)|i'm on it)\b"
)
_YOU = _r(
    r"\b(?:(?:can|could|will|would) you (?:please |also |just |maybe |then |kindly )*|please |i need you to |"
    r"i(?:'d| would) like you to |you(?:'ll| will|'re going to| need to| have to| should| must) "
    rf"(?:please |also |just |then )*)(?P<verb>{_DOING})\b"
)
_YOU_TALK = _r(
    r"\b(?:can|could|will|would) you (?:please |just |maybe )*(?:tell|explain|say|repeat|show|hear|see|"
    r"give (?:us|me)|"
    r"talk|go (?:on|back|first|ahead)|start|open (?:the|your|it|that)|speak up|share (?:your|the) screen|"
    r"put (?:it|that|the) "
    r"|do (?:that|it|this)\b|have|get (?:that|this|it)\b|make (?:it|that)|turn|move (?:on|to|the mouse)|remind|let)"
    r"|\byou(?:'ll| will| should| need to| have to|'re going to| must) (?:have|get|do (?:it|that|this)|find|add|put|"
    r"turn|move|change|let|run|start|open|close|make|come)\b"
)
_ACTION_ITEM = _r(r"\b(?:action item|action point|action for|to-?do for|next step:|next action)\b")
_WE_NEED = _r(
    rf"\b(?:we|someone|somebody) (?:need|have|needs|has|must|should|ought) (?:to )?(?:also |still |"
    rf"then )*(?P<verb>{_DOING})\b"
)
_OWNED_BY = (
    r"(?:\b(?P<name>{names}) (?:(?:will|'ll|is going to|is gonna|gonna|should|has to|needs to|must|has agreed to|"
    r"promised to) (?:also |then |please )*(?:be )?(?:" + _BUSY + r"|{doing})|(?:also |then )?(?:" + _DOES + r"))|"
    r"(?:^|[,;:] |\band |\b(?:ask|asked|get|tell|told|want|need) )(?P<told>{names}) to (?:also )?(?:{doing}))\b"
)
_VOCATIVE = (
    r"(?:^|[,.;:!?—-] ?|\b(?:and|so|okay|ok|thanks|then) )(?P<name>{names})(?=[,?!:]| (?:can|could|will|would|"
    r"please|do) you|"
    r" please| you(?:'ll| will| need))|, (?P<last>{names})[?.!]?$"
)

_RISK = _r(
    r"\b(?:risks?|risky|at risk|(?:i'm|i am|we're|we are|bit|very|really|quite|still) (?:worried|concerned(?! with)|afraid (?:of|that))|"
    r"worries me|(?:my|our|one|main|biggest|real|serious|big|a|only) (?:worry|concern(?! of ours))|concerns me|"
    r"danger(?:ous)? (?:of|that|is|for|to)|block(?:er|ers|ing us)|blocked(?! out)|bottleneck|vulnerabilit\w+|breach|leak(?:ed|s|ing)?|"
    r"incident|outage|delay(?:ed|s)|slip(?:s|ping|ped)|"
    r"(?:won't|not going to|can't|will not|cannot) (?:meet|hit|hold|finish|afford|sell|make (?:it(?! \w)|it (?:by|to|in time|on time|before)|the (?:date|deadline|"
    r"launch|release)))|behind schedule|falls? behind|fail(?:s|ed|ing|ures?)?|"
    r"(?:would|will|'ll|could|might|may|can|gonna|to|it) breaks?(?! through)|breaks? (?:down|easi\w+|every)|"
    r"los(?:e|ing|t) (?:\w+ )?(?:customers?|clients?|users?|money|data|revenue|trust|sales|the (?:deal|contract|account))|"
    r"churn\w*|(?:big|real|serious|main|major|biggest|huge|bit of a|one) problems?|(?:real|serious|main|major|biggest) issue|"
    r"(?:the|a|another|one|only) (?:problem|trouble|drawback|disadvantage|downside|difficulty|catch) (?:is|was|with|you'd|here)|have a catch|"
    r"(?:be|causes?|have (?:a|one|another)) (?:\w+ ){0,3}problems?|be problematic|"
    r"bad news|falls? over(?! (?:my|your|his|her|their|the))|fell over|crash(?:es|ed)?|runs? out of (?:money|stock|memory|space)|"
    r"(?:customers?|clients?|partners?|team) (?:\w+ ){0,3}(?:unhappy|not happy|upset|angry|frustrated|complain\w*)|"
    r"(?:may|might|could|will|threaten\w* to) (?:leave us|cancel|quit|fail|slip)|"
    r"too (?:expensive|late|slow|risky|heavy|complicated|complex|difficult|costly|fragile|bulky)|over (?:the )?budget|"
    r"can't afford|deadline is tight|overdue|understaffed|short of people|data loss|"
    r"no-?(?:one|body) (?:will|would) (?:buy|use|want)|not (?:convinced (?:we|it|that (?:we|it|this|the))|technically possible))\b"
)
# Denied, solved or only imagined.
_NO_RISK = _r(
    r"\b(?:no|not a|isn't a|without|low|zero|any|not worried|don't worry|no need to worry|not afraid|not concerned)"
    r" (?:big |real |serious |more |further )?(?:risks?|problems?|issues?|concerns?|danger|worries|about)?\b|"
    r"\b(?:(?:don't|doesn't|didn't|do not) (?:expect|think|want|see|have)|as far as|worth the risk|harder to|existing|"
    r"which (?:is|are) far|people (?:find|found|say|said)|users? (?:find|found|say|said)|rather than|in the way|"
    r"(?:my|your|the) (?:computer|machine)|out of time|technical problem|over here|(?:say|said|find|found) (?:that )?(?:they|it)|"
    r"(?:people|users?|who) (?:who )?(?:have|had) (?:\w+ ){0,2}problems?)\b|\b(?:solve\w*|avoid\w*|by-?pass\w*|wouldn't|won't|shouldn't|isn't|doesn't|don't|didn't|aren't|wasn't|not|never|instead of|without|don't think) "
    r"(?:[\w']+ ){0,6}(?:problems?|issues?|too|risks?|fail|break)\b|"
    r"\b(?:if|whether|how much) (?:[\w']+ ){0,4}(?:too|fails?|breaks?|problems?|risks?|over|afford|delayed|lose)\b|"
    r"\b(?:mics?|microphones?|laptop|pens?|powerpoint|presentation|lunch|meeting|mouse)\b"
)
_OPEN = _r(
    r"\b(?:open (?:question|point|issue)|(?:we|i) (?:still |really )?(?:don't|do not) know (?:whether|if|how|"
    r"when|who|what|yet)|"
    r"(?:still|remains?|it's|is) (?:unclear|open|undecided|unresolved)|(?:we|somebody|"
    r"someone) (?:still )?(?:need|needs|have|has) "
    r"to (?:find out|figure out|clarify|work out)|no decision (?:was |has been |is )?(?:made|taken)|"
    r"(?:don't know|dunno|not sure|wonder|wondering) (?:if|whether|how|what|which) (?:[\w']+ ){1,3}(?:should|really|need|"
    r"want|have to|be included)|to be (?:decided|clarified|confirmed)|"
    r"need (?:an answer|a decision))\b"
)
# What somebody does not know of themselves or of the meeting leaves nothing open.
_NOT_OPEN = _r(
    r"\b(?:if|whether|what|how|when) (?:i|you|everybody|everyone|anybody|there|people)\b|\b(?:minutes|later|agenda|slides?|"
    r"spend time|how useful|how it works)\b|(?:if|whether|know)(?: \w+){0,2}\.$"
)
_QUESTION_START = _r(
    r"^(?:\w+, )?(?:(?:and|so|but|okay|then) )*(?:who|what|when|where|why|how|which|do|does|did|is|are|was|were|"
    r"can|could|"
    r"should|shall|will|would|have|has|any)\b"
)
_QUESTION_WORD = _r(
    r"\b(?:what|which|how|why|where|who|when|do you think|do we|are we|is there|is that|is it|should|can we|could we)\b"
)
_SMALL_QUESTION = _r(
    r"^(?:\w+, )?(?:(?:and|so|but|okay|then) )*(?:what do you (?:think|mean)|is that (?:right|okay|it|clear|all)|"
    r"(?:does|do) (?:that|you|it) (?:make sense|know|agree)|right|okay|how are you|can (?:you|everyone)|"
    r"are you (?:ready|done|"
    r"there|sure)|do you (?:want|mean)|any(?:thing)? (?:else|questions)|who(?:'s| is| wants to go) (?:next|"
    r"first)|"
    r"what(?:'s| is) (?:next|that|it|this)|shall we|isn't it|what about you|would you like|i (?:assume|guess|think|suppose)|(?:you|anybody|anyone|who)(?: else)? (?:just )?wanna)\b|"
    r"\b(?:who(?:'s| is) (?:this|that)|your name|how (?:to|do you) (?:say|spell)|(?:am|do|did|should|shall|can|could|may|have|if|was|were) i|anybody else|"
    r"(?:you|anybody|anyone) (?:just )?(?:wanna|want to) (?:just )?(?:go|start|write|say|try|see|take))\b"
)
# A share of people who say something is a finding, whatever they say.
_SHARE = _r(r"%|\bper ?cent\b")
_NUMBER = _r(
    r"(?:[$€£]\s?\d|\d+(?:[.,]\d+)?\s?(?:%|percent|per cent|euros?|dollars?|pounds?|k\b|million|thousand|"
    r"billion|users?|"
    r"customers?|tickets?|people|hours?|days?|weeks?|ms|seconds?|minutes?|seats?|accounts?)|"
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fif\w+|twen\w+|thir\w+|for\w+ty|six\w+|"
    r"seven\w+|eigh\w+|"
    r"nine\w+|hundred|thousand|million|half|a third|a quarter|double|twice)(?:[ -]\w+){0,2} (?:percent|per cent|"
    r"euros?|dollars?|"
    r"pounds?|million|thousand|users?|customers?|tickets?|people|hours?|seats?|accounts?)\b)"
)
_SPOKEN_POINT = _r(
    r"\b(?:costs?|price|budget|target|revenue|sales) (?:is|was|of|at) (?:about |only |around )?(?:\d|(?:one|two|three|four|"
    r"five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred)\b)|"
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+) point (?:oh|zero|one|two|three|four|"
    r"five|six|seven|eight|nine)\b"
)
# The meeting's own clock, and figures of speech.
_NO_NUMBER = _r(
    r"\b(?:kinds?|types?|sorts?) of people\b|"
    r"(?:minutes?|hours?|seconds?)\b.*\b(?:left|again|meeting|lunch|presentations?|time|discuss|work)\b|"
    r"\b(?:left|again|meeting|lunch|presentations?|session|finish|close|start)\b.*(?:minutes?|hours?|seconds?)\b|"
    r"\bhundred per ?cent (?:sure|agree|certain)|^(?:one |a )?hundred per ?cent,|\b(?:euro|dollar) question\b|"
    r"\b(?:have|got|over|in|took) (?:\w+ ){0,3}(?:minutes|half an hour)\b"
)
_PAST = _r(r"\b(?:last (?:week|month|time|year|friday|monday)|yesterday|ago|already|used to|was going to)\b")


def read_sentence(text: str, *, names: Sequence[str] = (), said_on: date | None = None) -> Reading:
    """What a cleaned sentence does, to whom it falls and until when.

    Args:
        text: the sentence.
        names: how people are called (first names, full names), for `Ana, can you ...` and `Ben will ...`.
        said_on: the day of the meeting, for due dates.
    """
    asks = text.rstrip().endswith("?")
    due = find_due(text, said_on)
    named = _named(text, names)
    action = _action(text, names=names, named=named, due=due, asks=asks)
    hedged = bool(_HEDGED.search(text))
    decided = _decided(text, asks=asks, hedged=hedged)
    if decided is not None and decided not in _WEAK_DECISION:
        return Reading(kind="decision", strength=1.0, due=due, named=named)
    if action is not None:
        return action
    laid_down = not asks and not hedged and not _PAST.search(text) and _LAID_DOWN.search(text)
    if laid_down and (due or _RULED.search(laid_down.group())):
        return Reading(kind="decision", strength=0.9 if due else 0.7, due=due, named=named)
    if decided is not None:
        return Reading(kind="decision", strength=0.7, due=due, named=named)
    if asks:
        return Reading(kind="question", strength=0.6 if _is_asked(text) else 0.2, named=named)
    if _OPEN.search(text) and not _NOT_OPEN.search(text) and not _MEETING.search(text):
        return Reading(kind="question", strength=0.9, due=due, named=named)
    if _RISK.search(text) and not _NO_RISK.search(text) and not _SHARE.search(text):
        return Reading(kind="risk", strength=0.7 if hedged or _PAST.search(text) else 0.9, due=due, named=named)
    if (_NUMBER.search(text) or _SPOKEN_POINT.search(text)) and not _NO_NUMBER.search(text):
        return Reading(kind="number", strength=0.6, due=due, named=named)
    return Reading(kind="info", strength=0.3, due=due, named=named)


def _decided(text: str, *, asks: bool, hedged: bool) -> int | None:
    """Which of the ways to decide is in the sentence; None if none."""
    if asks and not _TAG.search(text):
        return None
    way = _first(_DECISION, text)
    if way is None:
        return None
    if way == 0:
        # What follows `we decided that` may be as hedged as it likes.
        match = _DECISION[0].search(text)
        return way if match and not _HEDGED.search(text[: match.end()]) else None
    return None if hedged or (way in _SOFT and _MEETING.search(text)) else way


def _is_asked(text: str) -> bool:
    """Whether a question is about the work, and not small talk or the running of the meeting."""
    length = len(text.split())
    if length < 5 or _SMALL_QUESTION.search(text) or _TAG.search(text) or _MEETING.search(text):
        return False
    return length >= 7 or bool(_QUESTION_START.search(text) or _QUESTION_WORD.search(text))


def _first(patterns: Sequence[re.Pattern[str]], text: str) -> int | None:
    return next((i for i, p in enumerate(patterns) if p.search(text)), None)


def _action(text: str, *, names: Sequence[str], named: str | None, due: Due | None, asks: bool) -> Reading | None:
    """The sentence as a task: promised, taken, asked for, or laid down; None if it is none."""
    dated = 0.2 if due else 0.0
    hedged = bool(_HEDGED.search(text))
    others = () if asks or hedged else _others(text, names)
    if not asks and not _MAYBE_I.search(text):
        will = _I_WILL.search(text)
        promised = will and ((due and will.group("verb").lower() != "have") or _is_promise(text, will))
        if promised or (_I_OWN.search(text) and not _ON_THE_SPOT.search(text)):
            return Reading(
                kind="action",
                strength=0.7 + dated,
                owners=_once("me", *others, *_with(text, names)),
                due=due,
                named=named,
            )
    if others:
        return Reading(kind="action", strength=0.8 + dated, owners=others, due=due, named=named)
    asked = _YOU.search(text)
    # `You'll have to change it in a week` may be anybody, unless it is said to somebody.
    if (
        asked
        and (named or (due and not asked.group().lower().startswith("you")))
        and (due or not _YOU_TALK.search(text))
    ):
        strength = (0.8 if named else 0.6) + dated
        return Reading(kind="action", strength=strength, owners=(named or "you",), due=due, named=named)
    if _ASSIGNED.search(text) and not asks and not hedged and not _ON_THE_SPOT.search(text):
        return Reading(kind="action", strength=0.7 + dated, owners=(named or "you",), due=due, named=named)
    if _ACTION_ITEM.search(text) and not asks:
        return Reading(kind="action", strength=0.8 + dated, owners=_once(named), due=due, named=named)
    needed = _WE_NEED.search(text)
    if due and not asks and needed and needed.group("verb").lower() != "have" and not hedged:
        return Reading(kind="action", strength=0.7, due=due, named=named)
    return None


def _is_promise(text: str, will: re.Match[str]) -> bool:
    """Whether `I will ...` without a date promises work that outlasts the meeting."""
    if not _FIRM.search(will.group()) or _TALK.search(text):
        return False
    if _AFTERWARDS.search(text, will.start()) and not re.search(r"\balready\b", text):
        return True
    return will.group("verb").lower() not in _NEEDS_DATE and not _ON_THE_SPOT.search(text)


def _once(*owners: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(o for o in owners if o))


def _others(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those who are said to do something: `Ben will send`, `and Ben checks the facts`, `ask Emma to update`."""
    if not names:
        return ()
    pattern = _r(_OWNED_BY.format(names=_alternatives(names), doing=_DOING))
    found = (m.group("name") or m.group("told") for m in pattern.finditer(text))
    # `Mark will send it` is a person, `the mark will do` is none.
    return _once(*(name.lower() for name in found if name[0].isupper()))


def _with(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those with whom the speaker promises to do something: `together with Tom`."""
    if not names:
        return ()
    return _once(
        *(m.group(1).lower() for m in _r(rf"\b(?:together with|along with) ({_alternatives(names)})\b").finditer(text))
    )


def _named(text: str, names: Sequence[str]) -> str | None:
    """The person whom the sentence addresses: `Ana, can you ...`, `... right, Ben?`."""
    if not names:
        return None
    match = _r(_VOCATIVE.format(names=_alternatives(names))).search(text)
    return (match.group("name") or match.group("last")) if match else None


def _alternatives(names: Iterable[str]) -> str:
    return "|".join(re.escape(n) for n in sorted(set(names), key=lambda n: (-len(n), n)))
