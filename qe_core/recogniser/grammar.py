"""Sentences that our own small Whisper learns: a phrase grammar of some six hundred words."""

import hashlib
import re
from collections.abc import Iterator

import numpy as np

__all__ = ["is_held_out_sentence", "sentence", "sentences", "vocabulary"]

_HELD_OUT_OF_256 = 8
_SLOT = re.compile(r"<(\w+)>")

_DIGITS = "zero one two three four five six seven eight nine"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.strip().split("|"))


_SLOTS: dict[str, tuple[str, ...]] = {
    "digit": _words(_DIGITS),
    "teen": _words(_TEENS),
    "tens": _words(_TENS),
    "number": ("<digit>", "<teen>", "<tens>", "<tens> <digit>"),
    "few": _words("two three four five six seven eight nine ten twelve fifteen twenty thirty"),
    "digits": (
        "<digit> <digit> <digit>",
        "<digit> <digit> <digit> <digit>",
        "<digit> <digit> <digit> <digit> <digit>",
    ),
    "day": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "month": _words(
        "January February March April May June July August September October November December"
    ),
    "ordinal": _words("first second third fourth fifth sixth seventh eighth ninth tenth last next"),
    "when": _phrases(
        "today|tomorrow|yesterday|this morning|this afternoon|this evening|tonight"
        "|on <day>|next <day>"
        "|last <day>|next week|last week|next month|in <month>|in <few> days|in <few> minutes"
        "|before noon|after lunch|at <hour>|before six|by <day>|right now|any time before <hour>"
    ),
    "hour": _phrases(
        "<digit> in the morning|<digit> in the evening|half past <digit>|noon|midnight"
        "|<teen>|<digit>"
    ),
    "name": _words(
        "Susan Peter Anna Thomas Maria James Laura Robert Emma Daniel Julia Martin Sarah"
        " David Helen"
        " George Alice Simon Nina Paul"
    ),
    "title": _words("Doctor Mister Missus Professor"),
    "surname": _words(
        "Miller Baker Turner Walker Carter Brown Wilson Cooper Fisher Morgan Hill Wood"
    ),
    "person": ("<name>", "<name>", "<title> <surname>", "<name> <surname>"),
    "who": _phrases(
        "the doctor|the driver|the manager|the teacher|my neighbor|my brother|my sister"
        "|the customer"
        "|our engineer|the whole team|somebody|nobody|the office|the children"
        "|the committee|<person>"
    ),
    "city": _words(
        "London Berlin Paris Boston Dublin Madrid Vienna Oslo Chicago Denver Toronto"
        " Sydney Rome Prague"
    ),
    "place": _phrases(
        "the station|the bridge|the bakery|the airport|the hospital|the library"
        "|the school|the garage"
        "|the market|the park|the river|the church|the museum|the bank|the hotel|the post office"
        "|the city hall|the corner|the warehouse|the harbor|the village|the kitchen|the garden"
    ),
    "street": _phrases(
        "Garden Street|Station Road|Market Square|River Road|Church Lane|Bridge Street|Mill Lane"
        "|Park Avenue|Castle Hill|Green Lane|Harbor Street|School Road"
    ),
    "side": _words("left right"),
    "item": _phrases(
        "the parcel|the letter|the order|the ticket|the invoice|the contract|the report|the key"
        "|the new phone|the computer|the printer|the budget|the plan|the menu|the map|the radio"
        "|the camera|the box|the book|the bag|the coat|the umbrella|the lamp|the bicycle|the car"
        "|the microphone|the battery|the password|the table|the window|the door"
    ),
    "food": _phrases(
        "coffee|tea|bread|butter|cheese|apples|oranges|soup|rice|fish|chicken|cake|milk|sugar|water"
        "|potatoes|tomatoes|eggs|honey|salad"
    ),
    "color": _words("red blue green yellow black white brown gray orange silver"),
    "quality": _words(
        "new old good bad broken ready late early cheap expensive heavy small big clean empty full"
        " closed open wrong correct lost safe quiet loud warm cold dark long short"
    ),
    "feeling": _words("happy sorry sure afraid glad tired proud worried surprised ready"),
    "verb": _words(
        "send bring check repair change open close move print sign find return order cancel collect"
        " deliver clean replace read finish start stop buy sell carry"
    ),
    "verbed": _words(
        "sent checked repaired changed opened closed moved printed signed found returned ordered"
        " canceled delivered cleaned replaced finished started stopped"
    ),
    "modal": _phrases("can|could|will|would|should|must|might|did not|do not|does not|has to"),
    "topic": _phrases(
        "the weather|the summer|the winter|the holiday|the new law|the election|the music|the price"
        "|the traffic|the project|the water supply|public transport|the health service|the noise"
        "|the meeting|the agenda|the journey|climate change|energy|safety|education|the rent"
    ),
    "vote": _phrases("for|against|in favor of"),
    "amount": ("<number> dollars", "<number> cents", "<digit> hundred", "<digit> thousand <few>"),
    "please": _phrases("Please|Please|Could you please|Can you|Would you|Could you|Could somebody"),
    "polite": _phrases("Thank you for|Thanks for|I am calling about|We are sorry about|Sorry for"),
}

_PATTERNS = _phrases(
    """
    Thank you for calling, this is <person> from <place>.
    |Thank you for calling. I can see that <item> left <place> <when>.
    |<please> <verb> <item> <when>?|<please> <verb> <item> and <item>.
    |<please> <verb> <item> to <person>?
    |I have been waiting for <few> weeks, and <who> has returned any of my calls.
    |I have been waiting since <day>, and <who> has <verbed> <item>.
    |My new address is <number> <street>, on the <ordinal> floor, next to <place>.
    |The order number is <digits>, and the total comes to <amount>.
    |My phone number is <digits> <digits>.|The code is <digits>.
    |Your number is <digits>, please write it down.
    |For security reasons, please tell me the last <few> digits of your account.
    |<who> is running late <when>, so please take a seat and we will call your name.
    |Turn <side> after <place>, and you will see <place> on your <side> hand side.
    |Turn <side> at <place> and follow <street> for <few> minutes.
    |The train to <city> leaves from platform <number> in about <few> minutes.
    |The next train from <city> to <city> is <few> minutes late.
    |The flight to <city> leaves at <hour>.
    |Can you hear me now? I think there is something wrong with <item>.
    |I think <item> is <quality>.|<item> is <quality> and <item> is <quality>.|Is <item> <quality>?
    |The next item on the agenda is the plan for <topic> and who will be away.
    |The <ordinal> item on the agenda is <topic>.
    |Before we close, <who> <modal> <verb> <item> <when>.
    |Before we close, could somebody <verb> <item> by <day>?
    |Could you repeat the last sentence? I did not write down the <ordinal> name.
    |Could you repeat the <ordinal> word, please?|I did not hear the <ordinal> number.
    |Hello, this is <name> from <place>.|Good morning, my name is <person>.
    |Hello, may I speak to <person>?
    |Your car is ready, and you can pick it up <when>.
    |We <verbed> <item> and <few> of the <food>, but <item> still makes that noise.
    |We changed the oil and two of the tires, but <item> still makes that noise.
    |If you want us to look at it again, please call me back <when>.|Have a nice <day>.
    |Have a nice evening.
    |The meeting is on <day> at <hour>.|The meeting starts <when> in room <number>.
    |<person> will be away <when>.|<person> and <person> will meet <when> near <place>.
    |I would like to <verb> <item> <when>.|I would like <few> <food> and some <food>.
    |We need more <food> and <food> for <few> people.|The soup of the day is <food> with <food>.
    |<who> <modal> <verb> <item> <when>.|<who> has <verbed> <item>.|<when> <who> <verbed> <item>.
    |The price of <food> is <amount>.|That makes <amount>, please.|It costs <amount> in <city>.
    |We voted <vote> <topic> <when>.|Members of the committee spoke about <topic> and <topic>.
    |I am <feeling> about <topic>.|We are <feeling> that <item> is <quality>.
    |<polite> <topic>.|<polite> <item>.|The house near <place> is <color> and <quality>.
    |She found a <color> bag and a <quality> book near <place>.
    |He lives in <city>, at <number> <street>.
    |They live in a <quality> house on <street>.|There is a <color> car in front of <place>.
    |On <month> <ordinal> we travel to <city>.|It was <quality> and <quality> in <city> <when>.
    |Yes, that is <quality>.|No, that is not <quality>.|I do not know where <item> is.
    |Where can I find <item>?|When does <who> <verb> <item>?|How much is <item>?
    |Who <verbed> <item>?
    |The temperature in <city> is <number> degrees.|<few> of <few> people are <vote> <topic>.
    |<digit>, <digit>, <digit>.|<number> and <number> is <number>.|One moment, please.
    """
)


def sentence(rng: np.random.Generator) -> str:
    """Draw one sentence with capitals and punctuation; all numbers are words."""
    text = _PATTERNS[int(rng.integers(len(_PATTERNS)))]
    while match := _SLOT.search(text):
        choices = _SLOTS[match[1]]
        text = (
            text[: match.start()] + choices[int(rng.integers(len(choices)))] + text[match.end() :]
        )
    return text[0].upper() + text[1:]


def sentences(count: int, *, held_out: bool, seed: int) -> Iterator[str]:
    """Draw sentences of one side of the split; frequent short ones may repeat.

    Args:
        count: how many
        held_out: sentences that are never trained on, or those that may be
        seed: the same seed draws the same sentences
    """
    rng = np.random.default_rng(seed)
    while count:
        text = sentence(rng)
        if is_held_out_sentence(text) == held_out:
            count -= 1
            yield text


def is_held_out_sentence(text: str) -> bool:
    """Whether a sentence is kept for evaluation (about 3 %), decided by its text for ever."""
    return hashlib.sha256(text.encode()).digest()[0] < _HELD_OUT_OF_256


def vocabulary(*, num_sentences: int = 20_000, seed: int = 0) -> tuple[str, ...]:
    """The words that the grammar uses, lower-case, sorted."""
    rng = np.random.default_rng(seed)
    words = {
        word for _ in range(num_sentences) for word in re.findall(r"[a-z']+", sentence(rng).lower())
    }
    return tuple(sorted(words))
