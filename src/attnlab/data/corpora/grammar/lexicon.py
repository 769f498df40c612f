"""The words of the ``grammar`` data set: each English word has one German one, or its context decides which.

Tables are text, to be checked as a dictionary is; ";" and line ends part the entries. A noun's letters are
its kind (p person, a animal, f food, r something to read, t thing, v vehicle, l place) and then what can be
done with it (e switch on, c open, w wash, m repair, i be in it, n be near it, o be on it, u be under it, d go
to it, h go through it).
"""

from typing import NamedTuple

from attnlab.data.corpora.grammar.forms import ACCUSATIVE, DATIVE


class Noun(NamedTuple):
    english: tuple[str, str]  #: singular, plural
    german: tuple[str, str, str, str]  #: singular, its accusative and dative, plural, dative plural
    gender: int
    traits: str


class Adjective(NamedTuple):
    english: str
    german: str
    stem: str
    kinds: str


class Preposition(NamedTuple):
    english: tuple[str, ...]
    head: int  #: the English word that the German one surely translates
    german: str
    case: int
    traits: str


class Adverb(NamedTuple):
    english: tuple[str, ...]
    german: tuple[str, ...]
    sure: tuple[tuple[int, int], ...]
    tenses: str  #: p present, a past, f future or with a modal verb


class Verb(NamedTuple):
    english: tuple[str, str, str]  #: base, third person, past ("" where it is not used)
    particle: str  #: of the English verb; a word for "look at"
    movable: bool  #: "pick him up", but "look at him"
    german: tuple[str, str, str]  #: first person, third person, infinitive and plural, without the particle
    participle: str
    auxiliary: str  #: of the perfect tense
    prefix: str  #: the separable particle
    frame: str  #: what it takes besides a subject; see :data:`VERBS`
    subjects: str
    objects: str
    preposition: Preposition | None


_NOUNS = """
man men Mann m Männer p; woman women Frau f Frauen p; child children Kind n Kinder p
boy boys Junge w Jungen p; girl girls Mädchen n Mädchen p; teacher teachers Lehrer m Lehrer p
friend friends Freund m Freunde p; neighbor neighbors Nachbar w Nachbarn p
student students Student w Studenten p; doctor doctors Arzt m Ärzte p; mother mothers Mutter f Mütter p
father fathers Vater m Väter p; sister sisters Schwester f Schwestern p; brother brothers Bruder m Brüder p
aunt aunts Tante f Tanten p; queen queens Königin f Königinnen p; dog dogs Hund m Hunde aw
cat cats Katze f Katzen a; bird birds Vogel m Vögel a; horse horses Pferd n Pferde aw
mouse mice Maus f Mäuse a; cow cows Kuh f Kühe a; bear bears Bär w Bären a; pig pigs Schwein n Schweine a
apple apples Apfel m Äpfel f; cake cakes Kuchen m Kuchen f; egg eggs Ei n Eier f
potato potatoes Kartoffel f Kartoffeln f; pear pears Birne f Birnen f; book books Buch n Bücher r
letter letters Brief m Briefe r; newspaper newspapers Zeitung f Zeitungen r; poem poems Gedicht n Gedichte r
table tables Tisch m Tische tnoum; chair chairs Stuhl m Stühle toum; lamp lamps Lampe f Lampen tem
radio radios Radio n Radios tem; cup cups Tasse f Tassen tw; ball balls Ball m Bälle t
box boxes Kiste f Kisten tc; bottle bottles Flasche f Flaschen tcw; bag bags Tasche f Taschen tc
key keys Schlüssel m Schlüssel t; knife knives Messer n Messer tw; picture pictures Bild n Bilder t
coat coats Mantel m Mäntel tw; shirt shirts Hemd n Hemden tw; gift gifts Geschenk n Geschenke tc
clock clocks Uhr f Uhren tm; window windows Fenster n Fenster tcwn; car cars Auto n Autos vwmin
bicycle bicycles Fahrrad n Fahrräder vwmn; bus buses Bus m Busse vmin; train trains Zug m Züge vi
ship ships Schiff n Schiffe vmo; house houses Haus n Häuser lind; garden gardens Garten m Gärten lih
school schools Schule f Schulen lind; church churches Kirche f Kirchen lind; city cities Stadt f Städte lih
forest forests Wald m Wälder lih; village villages Dorf n Dörfer lih; kitchen kitchens Küche f Küchen li
park parks Park m Parks lihd; hotel hotels Hotel n Hotels lind; museum museums Museum n Museen lind
room rooms Zimmer n Zimmer li; bridge bridges Brücke f Brücken loud; tree trees Baum m Bäume lnu
"""

_ADJECTIVES = """
old alt alt partvl; young jung jung pa; small klein klein paftvl; big groß groß paftvl
beautiful schön schön partvl; strong stark stark pa; tired müde müd pa; clever klug klug pa
sad traurig traurig parl; happy glücklich glücklich pa; friendly freundlich freundlich pa; sick krank krank pa
hungry hungrig hungrig pa; new neu neu trvl; red rot rot aftv; black schwarz schwarz atv
green grün grün aftvl; heavy schwer schwer artv; dirty schmutzig schmutzig atvl; cheap billig billig afrtv
good gut gut pfrl; famous berühmt berühmt prl
"""

#: English (the head marked by *), German, case, the traits of the noun that may follow
_PREPOSITIONS = """
in | in d i; behind | hinter d n; in *front of | vor d n; next to | neben d n; under | unter d u; on | auf d o
into | in a i; to | zu d d; through | durch a h; out of | aus d i
with | mit d pa; without | ohne a pa; for | für a pa
"""

#: a letter of the frame (i alone, t with an accusative object, d with a dative object, g with both, m going
#: somewhere, s being somewhere, o with a prepositional object, c with a clause, q with a question, z with an
#: infinitive, b the copula, w of the weather), the kinds of subjects, the kinds of objects
_VERBS = """
sleep sleeps slept | schlafe schläft schlafen geschlafen h | i pa
laugh laughs laughed | lache lacht lachen gelacht h | i p
work works worked | arbeite arbeitet arbeiten gearbeitet h | i p
dance dances danced | tanze tanzt tanzen getanzt h | i p
sing sings sang | singe singt singen gesungen h | i p
get gets got up | stehe steht stehen aufgestanden s auf | i p
wake wakes woke up | wache wacht wachen aufgewacht s auf | i pa
arrive arrives arrived | komme kommt kommen angekommen s an | i pv
come comes came back | komme kommt kommen zurückgekommen s zurück | i pav
depart departs departed | fahre fährt fahren abgefahren s ab | i pv
see sees saw | sehe sieht sehen gesehen h | t pa pafrtvl
love loves loved | liebe liebt lieben geliebt h | t p pafrl
buy buys bought | kaufe kauft kaufen gekauft h | t p frtv
sell sells sold | verkaufe verkauft verkaufen verkauft h | t p frtv
eat eats ate | esse isst essen gegessen h | t pa f; read reads - | lese liest lesen gelesen h | t p r
write writes wrote | schreibe schreibt schreiben geschrieben h | t p r
carry carries carried | trage trägt tragen getragen h | t p frt
find finds found | finde findet finden gefunden h | t pa pafrtv
need needs needed | brauche braucht brauchen gebraucht h | t p pfrtv
wash washes washed | wasche wäscht waschen gewaschen h | t p w
visit visits visited | besuche besucht besuchen besucht h | t p pd
repair repairs repaired | repariere repariert reparieren repariert h | t p m
hear hears heard | höre hört hören gehört h | t pa pa; have has - | habe hat haben gehabt h | t p aftv
look looks looked at | sehe sieht sehen angesehen h an | t pa partvl
look looks looked for | suche sucht suchen gesucht h | t pa pafrtv
call calls called | rufe ruft rufen angerufen h an | t p p
invite invites invited | lade lädt laden eingeladen h ein | t p p
pick picks picked +up | hole holt holen abgeholt h ab | t p pa
turn turns turned +on | mache macht machen angemacht h an | t p e
open opens opened | mache macht machen aufgemacht h auf | t p c
close closes closed | mache macht machen zugemacht h zu | t p c
bring brings brought +back | bringe bringt bringen zurückgebracht h zurück | t p artv
take takes took +along | nehme nimmt nehmen mitgenommen h mit | t p pafrt
help helps helped | helfe hilft helfen geholfen h | d p pa
thank thanks thanked | danke dankt danken gedankt h | d p p
follow follows followed | folge folgt folgen gefolgt s | d pa pav
answer answers answered | antworte antwortet antworten geantwortet h | d p p
listen listens listened to | höre hört hören zugehört h zu | d p p
give gives gave | gebe gibt geben gegeben h | g p afrtv
show shows showed | zeige zeigt zeigen gezeigt h | g p afrtvl
send sends sent | schicke schickt schicken geschickt h | g p frt
lend lends lent | leihe leiht leihen geliehen h | g p art; go goes went | gehe geht gehen gegangen s | m pa
run runs ran | laufe läuft laufen gelaufen s | m pa
stand stands stood | stehe steht stehen gestanden h | s pav
sit sits sat | sitze sitzt sitzen gesessen h | s pa; lie lies lay | liege liegt liegen gelegen h | s part
play plays played | spiele spielt spielen gespielt h | s pa
live lives lived | wohne wohnt wohnen gewohnt h | s p
wait waits waited @for | warte wartet warten gewartet h @auf a | o p pv
think thinks thought @of | denke denkt denken gedacht h @an a | o p pal
talk talks talked @about | spreche spricht sprechen gesprochen h @über a | o p pafrtvl
dream dreams dreamed @of | träume träumt träumen geträumt h @von d | o pa pal
know knows knew | weiß weiß wissen gewusst h | c p; say says said | sage sagt sagen gesagt h | c p
believe believes believed | glaube glaubt glauben geglaubt h | c p
hope hopes hoped | hoffe hofft hoffen gehofft h | c p; ask asks asked | frage fragt fragen gefragt h | q p
try tries tried | versuche versucht versuchen versucht h | z p
forget forgets forgot | vergesse vergisst vergessen vergessen h | z p
promise promises promised | verspreche verspricht versprechen versprochen h | z p
begin begins began | beginne beginnt beginnen begonnen h | z p
rain rains rained | - regnet regnen geregnet h | w -; snow snows snowed | - schneit schneien geschneit h | w -
be is was | bin ist sein - - | b paftvlr
"""

_ADVERBS = """
today | heute | 00 | paf; now | jetzt | 00 | p; every day | jeden Tag | 00 11 | p
in the evening | am Abend | 00 21 | p; in the morning | am Morgen | 00 21 | p; yesterday | gestern | 00 | a
last week | letzte Woche | 00 11 | a; last year | letztes Jahr | 00 11 | a; tomorrow | morgen | 00 | f
soon | bald | 00 | f; next week | nächste Woche | 00 11 | f; tonight | heute Abend | 01 | f
"""


def _rows(table: str) -> list[str]:
    return [row.strip() for line in table.strip().splitlines() for row in line.split(";")]


def _noun(row: str) -> Noun:
    english, english_plural, german, gender, plural, traits = row.split()
    oblique = plural if gender == "w" else german  # weak masculines: der Junge, den Jungen
    dative = plural if plural[-1] in "ns" else plural + "n"
    number = 0 if gender == "w" else "mfn".index(gender)
    return Noun((english, english_plural), (german, oblique, plural, dative), number, traits)


def _preposition(row: str) -> Preposition:
    english, german = (part.split() for part in row.split("|"))
    head = next((i for i, word in enumerate(english) if word.startswith("*")), 0)
    return Preposition(
        tuple(word.lstrip("*") for word in english),
        head,
        german[0],
        ACCUSATIVE if german[1] == "a" else DATIVE,
        german[2],
    )


def _verb(row: str) -> Verb:
    english, german, use = (part.split() for part in row.split("|"))
    frame, subjects, *objects = use
    particle, prefix, preposition = "", "", None
    if len(english) > 3 and english[3].startswith("@"):
        preposition = _preposition(f"{english[3][1:]} | {german[5][1:]} {german[6]} -")
    else:
        particle, prefix = (english[3:] or [""])[0], (german[5:] or [""])[0]
    base, third, past = (word.strip("-") for word in english[:3])
    return Verb(
        (base, third, past),
        particle.lstrip("+"),
        particle.startswith("+"),
        (german[0].strip("-"), german[1], german[2]),
        german[3],
        {"h": "haben", "s": "sein", "-": ""}[german[4]],
        prefix,
        frame,
        subjects,
        (objects or [""])[0],
        preposition,
    )


def _adverb(row: str) -> Adverb:
    english, german, sure, tenses = (part.strip() for part in row.split("|"))
    links = tuple((int(link[0]), int(link[1])) for link in sure.split())
    return Adverb(tuple(english.split()), tuple(german.split()), links, tenses)


def _verb_name(verb: Verb) -> str:
    return " ".join(filter(None, (verb.english[0], verb.particle)))


NOUNS = {noun.english[0]: noun for noun in map(_noun, _rows(_NOUNS))}
ADJECTIVES = {row.split()[0]: Adjective(*row.split()) for row in _rows(_ADJECTIVES)}
PREPOSITIONS = {" ".join(item.english): item for item in map(_preposition, _rows(_PREPOSITIONS))}
VERBS = {_verb_name(verb): verb for verb in map(_verb, _rows(_VERBS))}
TIMES = {" ".join(item.english): item for item in map(_adverb, _rows(_ADVERBS))}
