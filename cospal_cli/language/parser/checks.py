"""Whether a query can be parsed: words at all, in English, of sane length."""

from __future__ import annotations

import unicodedata

from cospal_cli.core.errors import UsageError
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.closed import CLOSED
from cospal_cli.language.parser.tokens import Token

MAX_CHARS = 1000
_HINT = 'describe one subject in English, for example "the man in the red jacket walks away"'

# Frequent words that English does not have, or hardly ever in these queries.
_FOREIGN = {
    "German": """der das den dem des ein eine einen einem einer und ist sind mit auf zum zur vom im
        nicht sich von nach frau mann männer kind junge mädchen hund katze wagen läuft geht sitzt
        steht trägt roten rote roter rotes weiße weißen weißer schwarze schwarzen blaue blauen
        grüne grünen rot blau grün schwarz weiss weiß links rechts neben hinter dann über für wer
        welcher trinkt fährt springt kleine kleinen alte""",
    "French": """le les un une des du et est sont dans avec sur aux qui que il elle ils elles ne pas
        puis vers homme femme garçon fille enfant chien chat voiture rouge noir noire blanc blanche
        bleu bleue vert verte gauche droite marche court assis debout porte à près derrière devant
        où saute petit petite""",
    "Spanish": """""el los las una unos unas y es está están con del al por para que quién hombre
        mujer
        niño niña perro gato coche rojo roja negro negra blanco blanca azul verde izquierda derecha
        camina corre sentado lleva hacia junto detrás en camiseta salta pequeño""",
    "Italian": """il lo gli uno una e è sono con della dello del nella nel sul che chi uomo donna
        ragazzo ragazza bambino cane gatto macchina rosso rossa nero nera bianco bianca blu sinistra
        destra cammina corre seduto verso dietro accanto""",
    "Portuguese": """o os um uma é está com na da dos das em que homem mulher menino menina
        cachorro gato carro vermelho vermelha preto preta branco branca esquerda direita anda corre
        sentado para atrás""",
    "Dutch": """""de het een en met op van naar niet zich vrouw jongen meisje kind hond auto rode
        zwarte
        witte blauwe groene links rechts loopt staat zit draagt achter naast wie""",
    "Polish": """jest na z się nie który która mężczyzna kobieta chłopiec dziewczyna pies
        czerwonym czarny biały idzie stoi siedzi""",
    "Turkish": "bir ve bu kadın adam erkek çocuk köpek kırmızı siyah beyaz yürüyor oturuyor ile",
    "Swedish": """en ett och är med på som mannen kvinnan pojken flickan hunden bilen röd svart vit
        går står sitter""",
    "Indonesian": "yang di dan dengan pria wanita anjing merah hitam putih berjalan orang sedang",
}
_FOREIGN_WORDS = {name: frozenset(words.split()) for name, words in _FOREIGN.items()}
_SCRIPTS = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean",
    "CYRILLIC": "Russian or another language in Cyrillic", "ARABIC": "Arabic", "HEBREW": "Hebrew",
    "GREEK": "Greek", "DEVANAGARI": "Hindi", "THAI": "Thai", "BENGALI": "Bengali",
    "TAMIL": "Tamil", "ARMENIAN": "Armenian", "GEORGIAN": "Georgian",
}  # fmt: skip


def shorten(text: str) -> tuple[str, tuple[str, ...]]:
    """The part of ``text`` that is parsed (offsets unchanged), with a warning where it was cut."""
    if len(text) <= MAX_CHARS:
        return text, ()
    cut = text[:MAX_CHARS]
    border = max(cut.rfind(" "), cut.rfind("\n"))
    cut = cut[:border] if border > MAX_CHARS // 2 else cut
    return cut, (f"the query has {len(text)} characters; only the first {len(cut)} are used",)


def check_script(text: str) -> None:
    """Raise UsageError if most letters are not Latin, or there are no letters at all."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        if not text.strip():
            raise UsageError("the query is empty", _HINT)
        raise UsageError(f"the query has no words: {text[:60]!r}", _HINT)
    names = [unicodedata.name(c, "").split(" ")[0] for c in letters]
    others = [name for name in names if name != "LATIN"]
    if 2 * len(others) > len(letters):
        counted = sorted(set(others), key=lambda name: (-others.count(name), name))
        if {"HIRAGANA", "KATAKANA"} & set(others):
            counted = ["HIRAGANA"]
        raise _unsupported(_SCRIPTS.get(counted[0], "another language"))


def check_words(tokens: list[Token]) -> None:
    """Raise UsageError for another language, or for a query of function words only."""
    words = [t.word for t in tokens if t.word[0].isalpha()]
    foreign = {name: len(set(words) & known) for name, known in _FOREIGN_WORDS.items()}
    best = max(foreign, key=lambda name: foreign[name])
    strange = set().union(*_FOREIGN_WORDS.values())
    english = len({w for w in words if lexicon.knows(w) and w not in strange})
    if foreign[best] > english or (foreign[best] and foreign[best] == english and english < 2):
        raise _unsupported(best)
    if all(_empty(word) for word in words):
        raise UsageError(f"the query names no subject: {' '.join(words)[:60]!r}", _HINT)


def _empty(word: str) -> bool:
    return word in CLOSED or word == "'s" or len(word) == 1


def _unsupported(language: str) -> UsageError:
    return UsageError(f"the query seems to be {language}; only English is supported", _HINT)
