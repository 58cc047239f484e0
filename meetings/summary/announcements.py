"""The words that announce a confidence, point back to it, or lead out of it: English, German, French, Spanish.

Drawn wide on purpose: a passage too many that is kept from those who were not there is mended by asking, one too few is
not. All languages are looked for at once, since people change them in the middle of a call.
"""

from __future__ import annotations

import re

from meetings.summary.wording import expression

# Said of something: it is to stay where it is.
_STAYS = (
    r"(?:stays|has to stay|must stay|should stay|needs to stay|will stay|remains) "
    r"(?:(?:in|inside|within) (?:this|the|our|that) (?:\w+ )?(?:call|room|meeting|team|group|circle|round|company)|"
    r"(?:with|between|among) (?:us|you|the \w+ of us|ourselves)|here|confidential|internal|private|secret)"
)
_PLACE = r"(?:this|the) (?:room|call|meeting|team|group|circle)"
_CONFIDENTIAL = expression(
    rf"\b(?:(?:this|that|it|what i (?:just )?said|everything|the following) {_STAYS}|"
    r"keep (?:this|that|it) (?:(?:strictly |just )?(?:between|among) (?:us|you|ourselves)|to ourselves|to yourselves|"
    r"to yourself|quiet|confidential|private|secret|internal|inside|in this (?:call|room|meeting|group)|"
    r"under (?:wraps|your hats?|our hats?|lock))|"
    r"just between us|between us for now|between you and me|in confidence|confidentially|off the record|"
    r"(?:strictly|this is|that's|that is|it's|is|highly|still) confidential|for (?:your|our) ears only|"
    r"not for the (?:record|notes|minutes|summary)|not public yet|under (?:nda|embargo)|"
    r"leave (?:this|that|it) out of the (?:notes|minutes|summary)|"
    r"(?<!we )(?<!i )(?<!they )(?:don't|do not|nobody should|no one should) "
    r"(?:tell|share|repeat|mention|spread|forward) "
    r"(?:anyone|anybody|others|this|it|that|any of this)\b|nobody outside|no one outside|"
    rf"not (?:leave|leaves|to leave|go outside|outside) {_PLACE}|nothing (?:leaves|goes outside) {_PLACE}|"
    r"(?:doesn't|does not|must not|mustn't|shouldn't|should not|can't|cannot|don't let (?:this|that|it)) "
    rf"leave {_PLACE})"
)
_BACK_REFERENCE = expression(
    r"\b(?:that (?:stays|has to|must|should|is confidential|was|doesn't|does not|must not)|what i (?:just )?said|"
    r"(?:keep|leave) (?:that|it)|repeat (?:that|it)|don't (?:share|mention|repeat|tell))\b"
)
_BACK_TO_OPEN = expression(
    r"\b(?:back (?:to|on) (?:the )?(?:record|agenda|topic|normal|business|our|what)|on the record|moving on|"
    r"next (?:topic|item|"
    r"point|on the)|(?:that's|that is|that was) (?:it|all) (?:for|on|about) (?:that|the confidential)|"
    r"end of (?:the )?aside|"
    r"okay,? (?:so )?(?:next|moving)|let's (?:move|go|get) (?:on|back)|back to)\b"
)

# German
_ONES = r"(?:dich|euch|sich|uns|ihnen|mich)"
_CONFIDENTIAL_DE = expression(
    r"\b(?:(?:das|dies|es|alles|was ich (?:jetzt |gerade |eben )?(?:sage|gesagt habe|erzähle)|folgendes) "
    r"(?:bleibt|muss|soll|sollte) (?:(?:unter|zwischen) uns|(?:hier )?(?:in|im|innerhalb) (?:diese[rmns]?|der|des|dem) "
    r"(?:\w+ )?(?:raum\w*|runde|kreis\w*|meetings?|calls?|gesprächs?|team\w*|gruppe|firma|besprechung)|im "
    r"(?:raum|kreis|team|meeting|call)|hier|intern|vertraulich|geheim)|"
    r"bleibt (?:das |es |alles )?unter uns|unter uns (?:gesagt|bleiben|bleibt)|unter vier augen|"
    r"im vertrauen(?! (?:dar)?auf)|"
    rf"behalt\w* (?:\w+ )?(?:das|es|dies) für {_ONES}|für {_ONES} behalten|"
    r"(?:ist|sind|bleibt|streng|noch|absolut|das|bitte) (?:noch |streng |absolut )?vertraulich|vertraulich behandeln|"
    r"nicht (?:für|ins|in das|im) (?:das )?protokoll|off the record|noch nicht (?:öffentlich|spruchreif)|"
    r"nicht (?:weiter ?(?:sagen|erzählen|geben|leiten|tragen|sagt|gebt|erzählt)|(?:he)?rumerzählen|"
    r"nach (?:draußen|außen))|"
    r"(?:sagt?|erzählt?|sagen sie|erzählen sie) (?:das |es |davon )?(?:\w+ )?(?:niemand\w*|keinem|nicht weiter)|"
    r"(?:darf|soll|sollte|muss|kann) (?:\w+ )?(?:niemand|keiner) (?:wissen|erfahren|hören)|"
    r"(?:darf|soll|sollte) (?:\w+ )?(?:nicht|nichts) (?:\w+ )?(?:raus|rausgehen|hinausgehen|nach draußen|nach außen)|"
    r"(?:verlässt|darf) (?:diesen raum|den raum|diese runde|diesen kreis) nicht)"
)
_BACK_REFERENCE_DE = expression(
    r"\b(?:das (?:bleibt|muss|soll|sollte|darf|ist|war)|was ich (?:gerade |eben |jetzt )?(?:gesagt|erzählt)|"
    r"behalt\w* (?:\w+ )?(?:das|es)|(?:sagt?|erzählt?) (?:das|es)|bleibt (?:das |es )?unter uns)\b"
)
_BACK_TO_OPEN_DE = expression(
    r"\b(?:zurück (?:zu[mr]?|auf|in die) |nächste[rsnm]? (?:punkt|thema|tagesordnungspunkt)|"
    r"weiter (?:im text|mit (?:der|dem|den) )|(?:kommen|gehen|machen) wir (?:weiter|zurück|zum|zur)|"
    r"(?:das )?ende des vertraulichen)"
)

# French
_CONFIDENTIAL_FR = expression(
    r"\b(?:(?:ça|cela|ceci|tout ça|tout cela|ce que je (?:dis|viens de dire|vais dire)) "
    r"(?:reste|restera|doit rester|devrait rester) (?:entre (?:nous|ces murs)|ici|confidentiel|interne|secret|"
    r"dans (?:cette|ce|la|notre|l'?) ?(?:salle|pièce|réunion|appel|équipe|groupe|cercle))|"
    r"que ça reste entre nous|(?:juste|strictement|soit dit|dit|reste|rester) entre nous|"
    r"gard(?:e|ez|ons) (?:ça|cela|ceci|le|la) pour (?:toi|vous|nous)|"
    r"gard(?:e|ez|ons) (?:ça|cela|ceci|le) (?:confidentiel|secret|entre nous)|"
    r"(?:c'est|est|reste|strictement|encore|top) (?:encore |strictement |très )?(?:confidentiel|secret)|"
    r"en (?:toute )?confiden(?:ce|tialité)|off the record|en off\b|"
    r"(?:pas|rien) (?:\w+ )?(?:au|dans le) (?:compte[ -]rendu|procès[ -]verbal)|pas encore (?:publi[cq]|officiel)|"
    r"(?:répét|dis|dit|parl|diffus|partag)\w* (?:ça |cela |en )?(?:pas |rien )?à personne|"
    r"ne (?:le|la|les) (?:répét|diffus|partag)\w* pas|personne (?:ne )?doit (?:le )?savoir|"
    r"(?:ne )?(?:doit|sort|sorte|sortira) (?:pas |rien )(?:sortir )?(?:d'ici|de (?:cette|la) (?:salle|pièce|réunion)))"
)
_BACK_REFERENCE_FR = expression(
    r"\b(?:(?:ça|cela|ceci|tout ça) (?:reste|doit|devrait)|ce que je viens de dire|c'est confidentiel|"
    r"gard(?:e|ez|ons) (?:ça|cela|le)|que ça reste)\b"
)
_BACK_TO_OPEN_FR = expression(
    r"\b(?:rev(?:enons|iens|enir) (?:à|au|aux|sur)|retour (?:à|au)|(?:point|sujet) suivant|prochain (?:point|sujet)|"
    r"passons (?:à|au|aux)|on (?:passe|revient|reprend)|reprenons)\b"
)

# Spanish
_CONFIDENTIAL_ES = expression(
    r"\b(?:(?:esto|eso|todo esto|todo eso|lo que (?:digo|dije|acabo de decir|voy a decir)) "
    r"(?:se )?(?:queda|quede|debe quedar|tiene que quedar|debería quedar|quedará) (?:entre nosotr[oa]s|aquí|en secreto|"
    r"(?:en|dentro de) (?:esta|este|la|el|nuestr[oa]) (?:sala|habitación|reunión|llamada|equipo|grupo|círculo))|"
    r"que (?:esto |eso )?(?:se )?quede entre nosotr[oa]s|(?:dicho|solo|sólo|queda|quede|quedar) entre nosotr[oa]s|"
    r"(?:guard(?:a|en|ad|emos) (?:esto|eso|el)|guárd(?:alo|enlo|adlo)) (?:en )?(?:secreto|para (?:ti|ustedes))|"
    r"(?:es|está|sigue siendo|estrictamente|todavía|aún) (?:muy |estrictamente )?confidencial|confidencialmente|"
    r"en (?:confianza|confidencia)\b|off the record|(?:no|nada) (?:\w+ )?(?:en|para) (?:el acta|las actas|la minuta)|"
    r"(?:todavía|aún) no (?:es|está) públic[oa]|no (?:es|está) públic[oa] (?:todavía|aún)|"
    r"no (?:se )?(?:lo |la |esto |eso )?(?:dig\w+|cuent\w+|compart\w+|coment\w+|repit\w+)(?: \w+)? a nadie|"
    r"nadie (?:\w+ )?(?:debe|puede|tiene que) saber\w*|"
    r"(?:no|nada) (?:debe |puede )?(?:sale|salga|salir|saldrá) de (?:aquí|esta (?:sala|reunión|llamada)))"
)
_BACK_REFERENCE_ES = expression(
    r"\b(?:eso (?:se )?(?:queda|quede|debe|tiene)|(?:esto|eso) es confidencial|lo que (?:dije|acabo de decir)|"
    r"no (?:se )?lo (?:dig|cuent|compart|coment|repit)\w+|que (?:esto |eso )?(?:se )?quede entre)\b"
)
_BACK_TO_OPEN_ES = expression(
    r"\b(?:volv(?:amos|emos|iendo|er) (?:a|al)|de vuelta (?:a|al)|(?:siguiente|próximo) (?:punto|tema)|"
    r"pas(?:amos|emos) (?:a|al)|sigamos|seguimos|continuemos)\b"
)

# Something new comes: `Noch etwas, und das bleibt unter uns` means what follows, whatever `das` may stand for.
_NEW = expression(
    r"\b(?:(?:one more|another|one other|one last) thing|noch (?:et)?was|(?:noch|nur) eine sache|folgendes|"
    r"(?:encore une|une autre|une dernière) chose|(?:otra|una última) cosa|una cosa más)\b"
)
_SAID_BEFORE = expression(r"\b(?:i (?:just )?said|gesagt|erzählt|viens de dire|dije|acabo de decir)\b")

_ANNOUNCED = (_CONFIDENTIAL, _CONFIDENTIAL_DE, _CONFIDENTIAL_FR, _CONFIDENTIAL_ES)
_POINTED = (_BACK_REFERENCE, _BACK_REFERENCE_DE, _BACK_REFERENCE_FR, _BACK_REFERENCE_ES)
_LED_BACK = (_BACK_TO_OPEN, _BACK_TO_OPEN_DE, _BACK_TO_OPEN_FR, _BACK_TO_OPEN_ES)

# What people put between the words of an announcement, and what makes it stronger.
_BETWEEN = expression(
    r"\b(?:u+h+m*|u+m+|e+r+m*|h+m+|m{2,}|like|please|really|actually|absolutely|definitely|obviously|basically|just|"
    r"all|only|strictly|very|totally|quite|you know|i mean|sort of|kind of|i'd say|of course|for now|"
    r"äh+m*|öh+m*|halt|eben|bitte|mal|wirklich|natürlich|erst ?mal|ganz|nur|jetzt|sozusagen|"
    r"euh+|ben|donc|enfin|vraiment|bien sûr|s'il (?:vous|te) plaît|"
    r"eh+|pues|por favor|de verdad|realmente|por supuesto)\b"
)


def announces_confidence(text: str) -> bool:
    """Whether a sentence says that something is not to be passed on."""
    return _says(_ANNOUNCED, text)


def points_back(text: str) -> bool:
    """Whether an announcement means what was said before it, too."""
    return _says(_POINTED, text) and (_SAID_BEFORE.search(text) is not None or _NEW.search(text) is None)


def leads_back(text: str) -> bool:
    """Whether a sentence leads back to what everybody may know: by its own words, since that ends a confidence."""
    return any(one.search(text) for one in _LED_BACK)


def _says(expressions: tuple[re.Pattern[str], ...], text: str) -> bool:
    return any(one.search(way) for way in (text, _fluent(text)) for one in expressions)


def _fluent(text: str) -> str:
    """The words alone, as somebody says them who does not stumble: `This, um, stays between us` is meant so, too."""
    words = re.findall(r"[\w']+", text.replace("\u2019", "'"))
    return " ".join(_BETWEEN.sub(" ", " ".join(words)).split())
