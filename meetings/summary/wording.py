"""The words by which `meetings.summary.kinds` tells what a sentence does, in English.

Every list was made for precision on talk as it is transcribed, with its false starts; where a list looks narrow, the
wider one took talk about the meeting itself, or about other people's products, for decisions, tasks and dangers.
"""

from __future__ import annotations

import re


def expression(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


# A subject that stands for the group and opens its clause: in `the materials we're going to use` it opens none.
WE = (
    r"(?:^|[,;:] |\b(?:so|and|but|now|well|okay|know|definitely|basically|finally|(?:decided|agreed|means) that|"
    r"i say|today),? )"
    r"(?:i guess |actually |basically |also )?we"
)
WE_WILL = rf"{WE}(?:'ll| will|'re going to| are going to|'re gonna| are gonna)"
HEDGED = expression(
    r"\b(?:if we|if i|if you|maybe|might|perhaps|could we|should we|shall we|do we|did we|have we|would we|whether|"
    r"not sure|unless we|suppose|what if|i wonder|would be|could be|haven't decided|not decided|yet to decide|"
    r"i think(?= uh\b)|i think(?=\W*$)|can't decide|undecided|didn't decide|don't think we)\b"
)
AGREED = r"(?:decided|agreed|settled|concluded|approved|signed off)"
DECISION = (
    expression(rf"(?<!points )(?<!things )(?<!what )(?<!which )(?<!as )(?<!like )(?<!unless )(?<!once )(?<!when )"
       rf"(?<!until )(?<!why )"
       rf"\bwe(?:'ve| have|'d| had)? (?:all |now |just |finally |also |already |basically |then )*{AGREED}\b"
       rf"(?! to (?:meet|discuss|talk)\b| before\b|"
       r"(?: that)? it(?:'s| is) (?:gonna|going to)\b| everything\b|,? okay\W*$|"
       r" that we(?:'re)? gon\w*(?: for)?\W*$| (?:up)?on[.,;]|, (?:'cause|because|yeah|right\b(?!\?)))"),
    expression(r"\b(?:it|that)(?:'s| is| has been|'s been| was) (?:now |all |then )?(?:decided|agreed|settled|"
       r"approved|final|"
       r"a decision(?! for (?:all of )?(?:us|you|them)))\b"),
    expression(r"\b(?:the|our|final|a) decision (?:is|was|then is|stands|here is)\b|^decision\b|"
       r"(?<!no )\bdecision made\b"),
    expression(rf"(?:\b(?:let's|let us|i say we)|{WE}(?:'ll| will|'re| are| then)) (?:just |all |not |definitely )*"
       r"(?:go(?:ing)? )(?:ahead )?(?:with|for)\b(?! (?:it|that|this|you|me|\w{1,2}\b (?:okay|no|yeah)|"
       r"(?:an? )?(?:\d|one|two|three|four|"
       r"five|six|seven|zero))\b)"),
    expression(r"^(?:so |okay |ok |good |right |then |and |all right )*[, ]*(?:decided|agreed|settled|"
       r"approved)\b[,.:;]"
       r"(?! (?:i|i'll)\b)(?= \w+ \w+ \w+)"),
    expression(rf"{WE_WILL} (?:not |only |also |now |just |all )*(?:ship|launch|release|use(?! (?:it|that|this|"
       rf"them)\b)|keep(?! \w+ in mind| in mind)|drop|"
       r"postpone|delay|stick|stay with|switch|freeze|hold off|cancel|remove|add|support|charge|hire|buy|"
       r"adopt|publish|announce|go live|move (?:it|the)|cut(?! to)|push (?:it|the)|skip (?:it|the|this))(?=\W+\w+)"),
    expression(r"\blet's (?:ship|launch|release|use|keep (?!\w+ in mind|in mind|going)|drop|postpone|delay|"
       r"stick (?:to|with)|"
       r"stay with|switch to|freeze|hold off|cancel|settle on|make it (?=\w+ \w)|move (?:it|that|the|this) to)\b"),
    expression(rf"{WE}(?:'re| are) (?:not )?(?:shipping|launching|releasing|keeping|dropping|postponing|delaying|"
       r"sticking|switching|freezing|cutting|cancelling|canceling|hiring|moving (?:it|the)|(?<=not )(?:gonna|"
       r"going to) "
       r"(?:work with|have(?! to)|include|do|make|offer|build|go))\b"),
)  # fmt: skip
# `We'll go with rubber, yeah?` seeks assent to what it settles.
TAG = expression(
    r",? (?:yeah|right|alright|okay|yes|no|then|huh|is that (?:okay|right)|(?:is|are|was|does|do|have|has|"
    r"would)n't (?:it|they|you|"
    r"that))\?$"
)
# A plan laid down: `the release moves to the tenth`, `two factor login is required from Monday`.
LAID_DOWN = expression(
    r"\b(?:moves|goes|is moving|is going|shifts|is moved|is postponed|is pushed|is pulled) (?:back |forward |"
    r"out |up |live )?"
    r"(?:to|until|from|on)\b|\b(?:is|are|was|were|has been|have been|got|gets) (?:now |finally |hereby |officially )?"
    r"(?:approved|signed off|cancelled|canceled|postponed|called off)\b|"
    r"\b(?:is|are) (?:now |hereby )?(?:required|mandatory|forbidden|frozen) (?:from|as of|starting|until)\b"
)
RULED = expression(r"approved|signed off|cancel|postponed|called off")
WEAK_DECISION = frozenset({5, 6, 7})
SOFT = frozenset({3, 5, 6, 7})

DOES = (
    r"sends|writes|drafts|prepares|fixes|updates|checks|schedules|sets up|books|files|reviews|publishes|"
    r"finishes|ships|"
    r"orders|calls|shares|creates|adds|follows up|tests|patches|deploys|posts|makes|builds|contacts|"
    r"looks (?:at|into)|"
    r"takes|handles|owns|organi[sz]es|arranges|invites|documents|designs|edits|translates|investigates|collects|runs|"
    r"plans|presents|confirms|brings|delivers|starts|covers"
)
BUSY = r"working on|looking (?:at|into|for)|thinking about|preparing|writing|handling|doing|taking care|responsible for"
DOING = (
    r"send|write|draft|negotiate|research|study|prepare|fix|update|check|ask|talk to|speak (?:to|with)|schedule|"
    r"set up|book|file|review|"
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
MEETING = expression(
    r"\b(?:meetings?|session|agenda|slides?|presentations?|present(?:ing)?|lunch|coffee|breaks?|white ?board|"
    r"smart ?board|"
    r"drawing|draw|animals?|pens?|laptop|microphone|discuss(?:ion|ing)?|talk(?:ing)? about|next (?:point|topic|item|"
    r"question)|exercise|evaluat(?:e|ion)|minutes (?:left|again|ago)|move on|break off|"
    r"keep in mind)\b"
)
# Done on the spot, before everyone's eyes.
ON_THE_SPOT = expression(
    r"\b(?:white ?board|story-?board|slides?|screen|(?:the|on) board|discuss|already|pens?|page|sheet|"
    r"presentations?|draw|animals?|scores?|now|"
    r"for a (?:second|minute|moment)|in a (?:second|minute|moment)|exercise|editing|apologi[sz]e|move on|"
    r"take (?:some |the )?(?:minutes|notes)|make (?:some )?notes?|(?:a )?notes? of (?:that|it|this)|(?:that|"
    r"this|it) down|"
    r"make a note|rub|erase|wipe|show|this board|write down|back on|go (?:over|through)|guess)\b"
)
# Sending and the like happen after a meeting, whatever else is said of them.
AFTERWARDS = expression(
    r"\b(?:send|e-?mail|mail|circulate|publish|upload|deploy|order|book|schedule|follow up|hire|interview|"
    r"folder)\b"
)
NEEDS_DATE = frozenset(
    ["have", "start", "open", "close", "turn", "move", "change", "let", "present", "report", "run", "buy",
     "put", "come up", "design", "own", "remove"]
)  # fmt: skip
ASSIGNED = expression(
    r"\byou(?: will|'ll|'re (?:gonna|going to)| are (?:gonna|going to)) be (?P<verb>working on|looking (?:at|"
    r"into|for)|"
    r"thinking about|preparing|responsible for)\b|"
    r"(?:^|, |\b(?:and|so|then) )you (?:two |both )?(?:have to|need to|will|'re (?:gonna|going to)|are (?:gonna|"
    r"going to)) "
    r"(?:work on|look into|prepare)\b|\byou(?:'re| are) (?:gonna|going to) work on\b"
)
# Small verbs promise work only of a thing of work, and on the spot otherwise: `I'll get this one`, `I'll do without`.
SMALL_VERBS = frozenset({"get", "do", "make", "take", "check", "find", "put", "have", "own", "handle"})
WORK = expression(
    r"\b(?:minutes|reports?|summary|summaries|figures|numbers|lists?|offers?|quotes?|research|folder|contracts?|tickets?|"
    r"plans?|drafts?|documents?|documentation|mails?|survey|prototypes?|costs?|prices?|tests?|designs?|specs?|budget|"
    r"invoices?|database|code|release|customers?|back to (?:you|them|him|her)|"
    r"(?:find|work|figure) (?:\w+ ){0,3}out|sure (?:that|we|it|they))\b|\b(?:do|handle) (?:that|this|it)\W*$"
)
# A sentence that breaks off does nothing yet.
BROKEN_OFF = expression(
    r"\b(?:a|an|the|my|your|our|their|its|and|or|but|which|we|i|if|gonna|going to|because|of|than|"
    r"very|make|decided okay)\W*$|"
    r"\b(?:huh|hmm)\W*$"
)
# Promises that are about the meeting itself, or no promises at all.
TALK = expression(
    r"\bi(?:'ll| will|'m going to| am going to|'m gonna) (?:just |also |now |quickly |briefly |then )*"
    r"(?:go (?:through|over|on|first|back)|start (?:with|by|off)|begin|show (?:you )?(?:now|this|that|the|a|my|"
    r"what|how|some)|"
    r"share (?:my|the) screen|say|tell you|explain|talk about|let you|give you|have to|be (?:honest|brief|"
    r"quick)|skip|"
    r"come (?:back )?to|do (?:it|this|that) (?:now|quickly)|put (?:it|that|this) (?:up|on the)|"
    r"get (?:to|into|back to) (?:that|this|it)|open (?:the|my|this)|turn (?:it )?over|make (?:it|this) (?:quick|"
    r"short)|"
    r"share (?:with|some|this)|tell (?:something|a bit|a little)|ask you|be able|pretend|"
    r"finish (?:up|off|with)|take (?:this|that|it|"
    r"these) (?:time|away|out|off)|invite|bring (?:in|up)|do something|be working|find (?:it|him|her|that)|get rid|"
    r"never|always|have (?:a|to|the)|present (?:you|my|the|to you)|just)\b"
)
I_WILL = expression(
    r"(?<!what )(?<!how )(?<!when )(?<!where )(?<!way )\bi(?:'ll| will|'m going to| am going to|"
    r"'m gonna| can| could|'ve got to| have to| need to| "
    r"should) "
    rf"(?:just |also |then |definitely |try to |go and |make sure to |take an action to |be |"
    rf"personally )*(?P<verb>{DOING})\b"
)
FIRM = expression(r"\bi(?:'ll| will|'m going to| am going to|'m gonna)\b")
MAYBE_I = expression(r"\bif i\b|\bmaybe i\b|\bi (?:might|could)\b")
I_OWN = expression(
    r"\b(?:i(?:'ll| will) (?:take|own|do|handle|drive) (?:(?:it|that|this)(?=[.,;!]|$| (?:on|over|from|up)\b)|"
    r"care)|that(?:'s| is) (?:on me|my action)|"
    r"leave (?:it|that|this) (?:with|to) me|i'm on it)\b"
)
YOU = expression(
    r"\b(?:(?:can|could|will|would) you (?:please |also |just |maybe |then |kindly )*|please |i need you to |"
    r"i(?:'d| would) like you to |you(?:'ll| will|'re going to| need to| have to| should| must) "
    rf"(?:please |also |just |then )*)(?P<verb>{DOING})\b"
)
YOU_TALK = expression(
    r"\b(?:can|could|will|would) you (?:please |just |maybe )*(?:tell|explain|say|repeat|show|hear|see|"
    r"give (?:us|me)|"
    r"talk|go (?:on|back|first|ahead)|start|open (?:the|your|it|that)|speak up|share (?:your|the) screen|"
    r"put (?:it|that|the) "
    r"|do (?:that|it|this)\b|have|get (?:that|this|it)\b|make (?:it|that)|turn|move (?:on|to|the mouse)|remind|let)"
    r"|\byou(?:'ll| will| should| need to| have to|'re going to| must) (?:have|get|do (?:it|that|this)|find|add|put|"
    r"turn|move|change|let|run|start|open|close|make|come)\b"
)
ACTION_ITEM = expression(r"\b(?:action item|action point|action for|to-?do for|next step:|next action)\b")
WE_NEED = expression(
    rf"\b(?:we|someone|somebody) (?:need|have|needs|has|must|should|ought) (?:to )?(?:also |still |"
    rf"then )*(?P<verb>{DOING})\b"
)
OWNED_BY = (
    r"(?:\b(?P<name>{names}) (?:(?:will|'ll|is going to|is gonna|gonna|should|has to|needs to|must|has agreed to|"
    r"promised to) (?:also |then |please )*(?:be )?(?:" + BUSY + r"|{doing})|(?:also |then )?(?:" + DOES + r"))|"
    r"(?:^|[,;:] |\band |\b(?:ask|asked|get|tell|told|want|need) (?:the )?)(?P<told>{names}) to "
    r"(?:also )?(?:{doing}))\b"
)
VOCATIVE = (
    r"(?:^|[,.;:!?—-] ?|\b(?:and|so|okay|ok|thanks|then) )(?P<name>{names})(?=[,?!:]| (?:can|could|will|would|"
    r"please|do) you|"
    r" please| you(?:'ll| will| need))|, (?P<last>{names})[?.!]?$"
)

RISK = expression(
    r"\b(?:risks?|risky|at risk|(?:i'm|i am|we're|we are|bit|very|really|quite|still) (?:worried|"
    r"concerned(?! with)|afraid (?:of|that(?! i)))|"
    r"worries me|(?:my|our|one|main|biggest|real|serious|big|a|only) (?:worry|concern(?! of ours))|concerns me|"
    r"danger(?:ous)? (?:of|that|is|for|to)|block(?:er|ers|ing us)|blocked(?! out)|bottleneck|vulnerabilit\w+|"
    r"breach|leak(?:ed|s|ing)?|"
    r"incident|outage|delay(?:ed|s)|slip(?:s|ping|ped)(?! (?:behind|out|down|under|off|in my|from))|"
    r"(?:won't|not going to|can't|will not|cannot) (?:meet|hit|hold|finish|afford|sell|make (?:it(?! \w)|"
    r"it (?:by|to|in time|on time|before)|the (?:date|deadline|"
    r"launch|release)))|behind schedule|falls? behind|fail(?:s|ed|ing|ures?)?|"
    r"(?:would|will|'ll|could|might|may|can|gonna|to|it) breaks?(?! (?:through|this|that|it|them)\b)|"
    r"breaks? (?:down|easi\w+|every)|"
    r"los(?:e|ing|t) (?:\w+ ){0,3}(?:customers?|clients?|users?|money|data|revenue|trust|sales|the (?:deal|contract|"
    r"account))|"
    r"churn\w*|(?:big|real|serious|main|major|biggest|huge|bit of a|one) problems?|(?:real|serious|main|major|"
    r"biggest) issue|"
    r"(?:the|a|another|one|only) (?:problem|trouble|drawback|disadvantage|downside|difficulty|catch) (?:is|was|"
    r"with|you'd|here)|have a catch|"
    r"(?:be|causes?|have (?:a|one|another)) (?:\w+ ){0,3}problems?|be problematic|"
    r"they(?:'re| are) (?:not happy|unhappy|angry|upset)|(?:the|a|our|is|are) broken|"
    r"bad news|falls? over(?! (?:my|your|his|her|their|the))|fell over|crash(?:es|ed)?|runs? out of (?:money|"
    r"stock|memory|space)|"
    r"(?:customers?|clients?|partners?|team) (?:\w+ ){0,3}(?:unhappy|not happy|upset|angry|frustrated|complain\w*)|"
    r"(?:may|might|could|will|threaten\w* to) (?:leave us|cancel|quit|fail|slip)|"
    r"too (?:expensive|late|slow|risky|heavy|complicated|complex|difficult|costly|fragile|bulky)|"
    r"over (?:the )?budget|"
    r"can't afford|deadline is tight|overdue|understaffed|short of people|data loss|"
    r"no-?(?:one|body) (?:will|would) (?:buy|use|want)|not (?:convinced (?:we|it|that (?:we|it|this|the))|"
    r"technically possible))\b"
)
# Denied, solved or only imagined; an option dismissed as it is named; what happens to the tools of the meeting.
NO_RISK = expression(
    r"\b(?:but (?:\w+ ){0,3}(?:most of the time|it works|that's (?:okay|fine)|we can)|maybe we (?:should|could) no|"
    r"what the problem|problem (?:is )?with a lot of|drawing|if (?:\w+ ){0,5}(?:is|are|gets) broken|"
    r"(?:we|you|i) (?:could|can|might|may) cancel|behind the (?:couch|sofa)|smart ?board|good news|"
    r"one is broken|you are broken|"
    r"i (?:was afraid|felt)|lower risk|spreadsheet|trouble is i|to break|when it falls|falls over it)\b|^can you\b|"
    r"\b(?:no|not a|isn't a|without|low|zero|any|not worried|don't worry|no need to worry|not afraid|not concerned)"
    r" (?:big |real |serious |more |further )?(?:risks?|problems?|issues?|concerns?|danger|worries|about)?\b|"
    r"\b(?:(?:don't|doesn't|didn't|do not) (?:expect|think|want|see|have)|know that|as far as|worth the risk|"
    r"harder to|existing|"
    r"which (?:is|are) far|people (?:find|found|say|said)|users? (?:find|found|say|said)|rather than|in the way|"
    r"(?:my|your|the) (?:computer|machine)|out of time|technical problem|over here|(?:say|said|find|"
    r"found) (?:that )?(?:they|it)|"
    r"(?:people|users?|who) (?:who )?(?:have|had) (?:\w+ ){0,2}problems?|(?:they|people) (?:are|get) worried)\b|"
    r"\b(?:solve\w*|avoid\w*|by-?pass\w*|wouldn't|won't|shouldn't|isn't|doesn't|don't|didn't|aren't|wasn't|not|"
    r"never|instead of|without|don't think) "
    r"(?:[\w']+ ){0,6}(?:problems?|issues?|too|risks?|fail|break)\b|"
    r"\b(?:if|whether|how much) (?:[\w']+ ){0,4}(?:too|fails?|breaks?|problems?|risks?|over|afford|delayed|lose)\b|"
    r"\b(?:mics?|microphones?|laptop|pens?|powerpoint|presentation|lunch|meeting|mouse)\b"
)
OPEN = expression(
    r"\b(?:open (?:question|point|issue)|(?:we|i) (?:still |really )?(?:don't|do not) know (?:whether|if|how|"
    r"when|who|what|yet)|"
    r"(?:still|remains?|it's|is) (?:unclear|open|undecided|unresolved)|(?:we|somebody|"
    r"someone) (?:still )?(?:need|needs|have|has) "
    r"to (?:find out|figure out|clarify|work out)|no decision (?:was |has been |is )?(?:made|taken)|"
    r"(?:don't know|dunno|not sure|wonder|wondering) (?:if|whether|how|what|which) (?:[\w']+ ){1,3}(?:should|"
    r"really|need|"
    r"want|have to|be included)|to be (?:decided|clarified|confirmed)|"
    r"need (?:an answer|a decision))\b"
)
# What somebody does not know of themselves or of the meeting leaves nothing open.
NOT_OPEN = expression(
    r"\bmeans?\b|"
    r"\b(?:if|whether|what|how|when) (?:i|you|everybody|everyone|anybody|there|people)\b|\b(?:minutes|later|"
    r"agenda|slides?|"
    r"spend time|how useful|how it works)\b|(?:if|whether|know)(?: \w+){0,2}\.$"
)
QUESTION_START = expression(
    r"^(?:\w+, )?(?:(?:and|so|but|okay|then) )*(?:who|what|when|where|why|how|which|do|does|did|is|are|was|were|"
    r"can|could|"
    r"should|shall|will|would|have|has|any)\b"
)
QUESTION_WORD = expression(
    r"\b(?:what|which|how|why|where|who|when|do you think|do we|are we|is there|is that|is it|should|can we|"
    r"could we)\b"
)
SMALL_QUESTION = expression(
    r"^(?:(?:sorry|pardon),? what|wait|excuse me|hang on|hold on)\b|\b(?:a|any|other|more)(?: \w+){0,2} questions?\b|"
    r"\bwhat else\b|\b(?:doing|working on) now\b|\bsame order\b|\b(?:last|next) time\b|\bwhy not\W*$|"
    r"\bis that (?:separate|different)\b|"
    r"\b(?:who wants?|who would like|what is going on|is going on|the point of|any ideas?|i don't know what|huh)\b|"
    r"^is that (?:for|over|from|your)\b|^is this (?:one of|your|the|my)\b|\bhow (?:long do we|much time)\b|"
    r"\b(?:recorded|recording|by the way|where are you|received?|got (?:an?|the|that|your) (?:e-?mail|mail|message)|"
    r"the order|anything more|have we got|what do they know|are we (?:back|done|supposed|allowed|still|finished)|"
    r"how did (?:we|you) do|how we did|we did do|are you ready|"
    r"file|folder|button to|power ?point|"
    r"screen saver|computer|mouse|lunch|write (?:it|that|this)|project documents?)\b|, (?:is|was) it\W*$|"
    r"^(?:\w+, )?(?:(?:and|so|but|okay|then) )*(?:what do you (?:think|mean)|is that (?:right|okay|it|clear|all)|"
    r"(?:does|do) (?:that|you|it) (?:make sense|know|agree)|right|okay|how are you|can (?:you|everyone)|"
    r"are you (?:ready|done|"
    r"there|sure)|do you (?:want|mean)|any(?:thing)? (?:else|questions)|who(?:'s| is| wants to go) (?:next|"
    r"first)|"
    r"what(?:'s| is) (?:next|that|it|this)|shall we|isn't it|what about you|would you like|could you just|"
    r"i (?:assume|guess|think|suppose)|(?:you|anybody|anyone|who)(?: else)? (?:just )?wanna)\b|"
    r"\b(?:who(?:'s| is) (?:this|that)|your name|how (?:to|do you) (?:say|spell)|(?:am|do|did|should|shall|can|"
    r"could|may|have|if|was|were) i|anybody else|"
    r"(?:you|anybody|anyone) (?:just )?(?:wanna|want to) (?:just )?(?:go|start|write|say|try|see|take))\b"
)
# A share of people who say something is a finding, whatever they say.
SHARE = expression(r"%|\bper ?cent\b")
NUMBER = expression(
    # From the beginning of its digits alone: a long row of them, as recognisers write, is else read from each again.
    r"(?:[$€£]\s?\d|(?<!\d)\d+(?:[.,]\d+)?\s?(?:%|percent|per cent|euros?|dollars?|pounds?|k\b|million|thousand|"
    r"billion|users?|"
    r"customers?|tickets?|people|hours?|days?|weeks?|ms|seconds?|minutes?|seats?|accounts?)|"
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fif\w+|twen\w+|thir\w+|for\w+ty|six\w+|"
    r"seven\w+|eigh\w+|"
    r"nine\w+|hundred|thousand|million|half|a third|a quarter|double|twice)(?:[ -]\w+){0,2} (?:percent|per cent|"
    r"euros?|dollars?|"
    r"pounds?|million|thousand|users?|customers?|tickets?|people|hours?|seats?|accounts?)\b)"
)
SPOKEN_POINT = expression(
    r"\b(?:costs?|price|budget|target|revenue|sales) (?:is|was|of|at) (?:about |only |around )?(?:\d|(?:one|two|"
    r"three|four|"
    r"five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred)\b)|"
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+) point (?:oh|zero|one|two|"
    r"three|four|"
    r"five|six|seven|eight|nine)\b"
)
# The meeting's own clock, and figures of speech.
NO_NUMBER = expression(
    r"\b(?:kinds?|types?|sorts?) of people\b|"
    r"(?:minutes?|hours?|seconds?)\b.*\b(?:left|again|meeting|lunch|presentations?|time|discuss|work)\b|"
    r"\b(?:left|again|meeting|lunch|presentations?|session|finish|close|start)\b.*(?:minutes?|hours?|seconds?)\b|"
    r"\bhundred per ?cent (?:sure|agree|certain)|^(?:one |a )?hundred per ?cent,|\b(?:euro|dollar) question\b|"
    r"\b(?:have|got|over|in|took) (?:\w+ ){0,3}(?:minutes|half an hour)\b"
)
PAST = expression(r"\b(?:last (?:week|month|time|year|friday|monday)|yesterday|ago|already|used to|was going to)\b")
