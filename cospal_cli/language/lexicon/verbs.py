"""Verbs by what the picture would show: kind -> verbs, irregular forms, particles."""

from __future__ import annotations

from functools import cache

MOVE = frozenset(
    """
walk run jog sprint dash rush hurry race stroll wander stride march pace stagger stumble limp crawl
creep sneak tiptoe trot gallop canter go come move approach leave enter exit depart arrive return
retreat advance proceed pass cross follow chase pursue lead escape flee drive ride cycle bike
bicycle pedal skate skateboard ski snowboard surf sail row paddle swim fly glide slide roll drift
travel head hike trek step tread descend ascend climb circle roam rove saunter amble shuffle scurry
scamper scuttle bolt charge speed zoom accelerate slow brake reverse overtake park land taxi cruise
steer float sink fall drop tumble slip plunge dive escort accompany patrol parade migrate stalk
hasten waddle plod trudge traipse prowl gallivant meander zigzag skid swerve veer merge disappear
appear emerge vanish withdraw evacuate board disembark dismount alight abandon vacate sidle lurch
toddle mosey bicker_off race jaywalk scoot whiz whizz hurtle sweep_past back_away move_away
promenade ramble lope sashay strut swagger bustle dart flit fare journey commute tow haul drag
push pull carry transport bring wheel trundle taxi relocate wade ford skim gallop parachute
clamber storm fetch slalom plough plow chug swan totter stomp tramp jostle weave_through nip
pootle whoosh streak proceed hie cavort gambol lollop hobble schlep galumph carom motor vamoose
decamp scram
scarper skedaddle mooch gad jaunt barrel vroom
careen career quit reappear trundle sally rumble perambulate
orbit revolve_around shadow trail tail_after tour traverse near swoop soar hover
""".split()
)
JUMP = """jump hop leap skip bounce vault spring pounce bound somersault flip backflip cartwheel
trampoline hurdle dunk prance buck""".split()
STILL = """
stand sit lie lay stay wait rest sleep nap doze lounge recline perch pose remain stop pause halt
freeze look watch stare gaze glance observe peer gape hold keep face loiter idle hang hesitate
camp squint listen think read study view see notice inspect examine contemplate meditate pray
sunbathe relax grip clutch clasp peek survey eye witness await float_still park_up settle dwell
float_on smile_still pore ponder linger seat behold regard monitor dawdle malinger roost brood
hibernate linger tarry slumber snooze
bask laze sprawl repose await
nestle
""".split()
LIMB = """
bend crouch kneel squat stoop bow lean turn spin twist rotate rise raise lift lower reach stretch
extend take give hand pick put place set grab grasp catch throw toss pitch fling hurl kick punch hit
slap strike beat smash knock tap pat pet stroke caress touch poke press squeeze rub scratch wipe
wash clean brush comb cut chop slice stir pour drink sip eat bite chew lick feed cook bake mix fill
open close shut lock unlock unfold fold wrap unwrap pack tie untie zip unzip button dress undress
wave point nod shake bob shrug clap applaud salute gesture signal beckon hug embrace kiss cuddle
wrestle fight box fence dance swing sway rock juggle play strum drum type write draw paint sketch
sign photograph film shoot aim fire load dig plant water sweep mop vacuum iron sew knit weave build
hammer saw drill nail screw fix repair assemble dismantle operate use press dial swipe scroll text
shovel rake mow polish scrub light smoke exercise stroke massage tickle pinch tug yank twirl flap
wag wiggle wriggle squirm struggle flex exercise serve bat bowl volley dribble pass_ball spike block
tackle hook cast fish hunt groom shave adjust straighten arrange lift_up remove insert attach
rearrange reposition realign reorganize reshuffle interchange permute swap reposition
fiddle fidget twiddle limber hoist tinker whisk knead jab thump prop fit unscrew lap whip vape
steam drool honk whittle
balance direct curl pirouette spit hail shoulder juggle pat_down hose rinse dab daub scribble
hack chisel hone buff ruffle fluff tousle thumb
detach hang_up peel crack break tear rip crush bury unpack pass_to deliver receive accept offer
present show collect gather scoop sprinkle spread smear dip soak rinse dry squat plank lunge
roll_over snap flick click dunk_in cradle rock_baby bathe comb pluck cover uncover plug unplug
scan spray blow inflate pop tease attack defend dodge duck push_up pull_up crouch_down celebrate
cheer bless conduct perform practice work prepare train bark_at sniff nuzzle gnaw nibble graze
graze_on peck preen slump slouch collapse_down topple wince flinch shiver tremble faint work_out
rehearse rub_down strap fasten unfasten flirt check search rummage release switch scold_wave try
attempt manipulate handle clench drape stack pile sort toss_up paw claw mount cling suck swallow
taste smell breathe yawn stretch_out dangle rip_off tuck
""".split()
TALK = """
talk speak say tell ask answer reply sing shout yell scream cry weep laugh smile grin giggle frown
whisper chat converse argue discuss lecture preach bark meow growl moo roar howl whine moan sob
sneeze cough whistle call announce explain greet thank apologize beg chant recite mutter murmur
mumble gossip complain joke tease_with rap narrate comment interview debate order scold blink wink
chuckle natter yodel holler croon jabber bellow pout sigh groan chatter communicate quarrel instruct
""".split()
# Verbs without evidence of their own: they wear, begin or own something.
WEAR = set("wear dress clothe have sport don own".split())
# Being dressed in other words; the verbs themselves are nouns of garments, or unheard of.
DRESSED = (
    "attired garbed robed decked bedecked outfitted kitted arrayed swathed enrobed "
    "gowned costumed cloaked uniformed swaddled suited togged shod"
).split()
OWN = set("comprise feature include display possess boast show".split())
HOLD = set("hold carry grip clutch clasp cradle bear tote lug grasp brandish wield".split())
ASPECT = set(
    """start begin continue keep finish try want need decide manage seem prepare plan love like
    attempt resume tend intend happen appear get stop cease use help""".split()
)
# The noun after these does the following verb: "watches the dog run", "asks her to sit".
OTHERS = set(
    """watch see help let make hear ask tell order force allow want notice observe film
    order invite teach train show follow chase catch""".split()
)
# Being done to: the one it is done to moves.
MOVED = set(
    """kick throw toss push pull carry roll drag drive ride lift drop tow haul hit pitch wheel
    chase pursue pick fling hurl bounce transport follow lead walk bat row sail fly steer raise
    lower pass""".split()
)

FAST = set(
    """run sprint dash rush hurry race gallop dart bolt charge speed zoom chase sprint hurtle
    accelerate scurry scamper whiz whizz pursue flee hasten scuttle swoop""".split()
)
SLOW = set(
    """stroll wander crawl creep sneak tiptoe limp amble saunter shuffle plod trudge meander slow
    waddle drift mosey stagger prowl ramble lope toddle""".split()
)
FAST_WORDS = set(
    """quickly fast rapidly swiftly hurriedly speedily hastily briskly suddenly full-speed
    quick""".split()
)
SLOW_WORDS = set("slowly leisurely gently gradually calmly cautiously slow carefully".split())

# Verb -> directions that it says by itself.
INHERENT = {
    "approach": ("to",), "near": ("to",), "enter": ("in",),
    "leave": ("out",), "exit": ("out",), "depart": ("away",), "ascend": ("up",),
    "escape": ("away",), "flee": ("away",), "retreat": ("away",), "withdraw": ("away",),
    "descend": ("down",), "climb": ("up",), "fall": ("down",), "drop": ("down",), "sink": ("down",),
    "rise": ("up",), "emerge": ("in",), "appear": ("in",), "disappear": ("out",), "arrive": ("in",),
    "vanish": ("out",), "bend": ("down",),
    "crouch": ("down",), "kneel": ("down",), "dive": ("down",),
    "squat": ("down",), "stoop": ("down",), "return": ("back",), "reverse": ("back",),
    "quit": ("out",),
    "decamp": ("away",), "scram": ("away",), "reappear": ("in",), "vacate": ("out",),
    "plunge": ("down",), "topple": ("down",), "evacuate": ("out",),
    "swoop": ("down",), "soar": ("up",), "slump": ("down",), "bow": ("down",),
}  # fmt: skip
# Verbs that change the posture: with "down" or "up" the box itself grows or shrinks.
POSTURE = set(
    "bend crouch kneel squat stoop bow lean rise slump topple collapse sit stand lie".split()
)
# verb + particle -> (kind, directions); "" for any particle that is not named.
PHRASAL: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("sit", "down"): ("limb", ("down",)), ("sit", "up"): ("limb", ("up",)),
    ("stand", "up"): ("limb", ("up",)), ("lie", "down"): ("limb", ("down",)),
    ("lay", "down"): ("limb", ("down",)), ("get", "up"): ("limb", ("up",)),
    ("get", "down"): ("limb", ("down",)), ("get", "in"): ("move", ("in",)),
    ("get", "into"): ("move", ("in",)), ("get", "out"): ("move", ("out",)),
    ("get", "off"): ("move", ("out",)), ("get", "on"): ("move", ("in",)),
    ("get", "onto"): ("move", ("in",)), ("get", "away"): ("move", ("away",)),
    ("get", "back"): ("move", ("back",)), ("get", "close"): ("move", ("closer",)),
    ("get", "closer"): ("move", ("closer",)), ("get", "near"): ("move", ("closer",)),
    ("wake", "up"): ("limb", ("up",)),
    ("take", "off"): ("limb", ()), ("set", "off"): ("move", ("away",)),
    ("come", "up"): ("move", ()), ("go", "up"): ("move", ("up",)), ("walk", "up"): ("move", ()),
    ("run", "up"): ("move", ()), ("step", "up"): ("move", ()), ("come", "on"): ("move", ()),
    ("look", "away"): ("still", ()), ("pull", "over"): ("move", ()), ("set", "down"): ("limb", ()),
    ("drop", "off"): ("limb", ()), ("hold", "up"): ("limb", ()), ("hold", "out"): ("limb", ()),
    ("slow", "down"): ("move", ()), ("hang", "up"): ("limb", ()), ("stand", "still"): ("still", ()),
    ("fall", "over"): ("move", ("down",)), ("show", "up"): ("move", ("in",)),
    ("pull", "out"): ("limb", ()),
    ("keep", "still"): ("still", ()), ("step", "down"): ("move", ("down",)),
    ("step", "aside"): ("move", ()),
    ("bring", "up"): ("limb", ()), ("straighten", "up"): ("limb", ("up",)),
    ("turn", "back"): ("limb", ("back",)), ("drop", "down"): ("limb", ("down",)),
    ("stretch", "out"): ("limb", ()),
    ("reach", "out"): ("limb", ()), ("head", "out"): ("move", ("out",)),
    ("squeeze", "between"): ("move", ()), ("squeeze", "through"): ("move", ()),
    ("squeeze", "past"): ("move", ()), ("dance", "across"): ("move", ()),
    ("push", "through"): ("move", ()), ("spin", "across"): ("move", ()),
    ("get", "to"): ("move", ()), ("get", "past"): ("move", ()), ("get", "through"): ("move", ()),
}  # fmt: skip

IRREGULAR = """
be was,were been; go went gone; come came come; run ran run; sit sat sat; stand stood stood;
lie lay lain lying; lay laid laid; take took taken; give gave given; get got got,gotten; put put
put;
set set set; hold held held; leave left left; ride rode ridden; drive drove driven; fly flew flown;
swim swam swum; throw threw thrown; catch caught caught; fall fell fallen; rise rose risen;
drink drank drunk; eat ate eaten; bite bit bitten; feed fed fed; cut cut cut; hit hit hit;
shut shut shut; beat beat beaten; strike struck struck; fight fought fought; shake shook shaken;
swing swung swung; spin spun spun; write wrote written; draw drew drawn; shoot shot shot;
build built built; dig dug dug; sew sewed sewn; weave wove woven; blow blew blown; tear tore torn;
break broke broken; speak spoke spoken; say said said; tell told told; sing sang sung; see saw seen;
read read read; think thought thought; sleep slept slept; keep kept kept; hang hung hung;
bend bent bent; kneel knelt knelt; lead led led; bring brought brought; leap leapt leapt;
creep crept crept; slide slid slid; flee fled fled; sink sank sunk; wear wore worn; have had had;
do did done; clothe clothed clothed,clad; begin began begun; make made made; let let let; find
found found; show showed shown;
wake woke woken; hear heard heard; buy bought bought; sell sold sold; send sent sent; bear bore
borne;
stride strode stridden; spring sprang sprung; fling flung flung; sweep swept swept; rip ripped
ripped;
stick stuck stuck; wind wound wound; pay paid paid; meet met met; lose lost lost; win won won;
feel felt felt; spread spread spread; light lit lit; dive dove,dived dived; saw sawed sawn;
weep wept wept; teach taught taught; tread trod trodden; cling clung clung; grow grew grown;
forget forgot forgotten; hide hid hidden; understand understood understood; know knew known;
cast cast cast; quit quit quit; split split split; upset upset upset; tie tied tied tying;
die died died dying; dwell dwelt dwelt; grind ground ground; shear sheared shorn; spit spat spat;
cost cost cost; mow mowed mown; string strung strung; withdraw withdrew withdrawn; overtake overtook
overtaken; foresee foresaw foreseen; lean leaned,leant leaned,leant
"""
OTHER = """be do find buy sell send make let hear like want need begin start finish continue begin
decide manage seem meet lose win feel wake get have wear own help plan love hide die quit grow know
pay visit happen prepare join leave invite contain belong consist surround locate name call compete
react train change learn enjoy score attend marry care visit resume cease tend intend don sport
bear tote lug brandish wield clothe hear force allow collapse lean spit stick wind""".split()
DOUBLE = set(
    """run sit jog trot hop skip swim get put set cut hit shut stop drop pet pat tap hug nod clap
    wag dig grab stir chop slip spin bat step drag rub zip wrap tug skid plod bob rap chat beg mop
    flip pin sip grin tag scan plug unplug unzip dip flap spit pop hum jig nap rip plan kid slam
    swap snap trim whip strum drum don slap pour_ flit shop tip trek_ bar rig whiz pat sob scrub
    unwrap tuck_ win begin let quit split stalk_ wad lug lap dunk_ cruis_ wed strap unstrap
    flop""".split()
)


def _regular(verb: str) -> tuple[str, str, str]:
    """Forms in -s, -ed and -ing of a regular verb."""
    if verb.endswith(("s", "x", "z", "ch", "sh")) or verb in ("go", "do", "veto"):
        third = verb + "es"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        third = verb[:-1] + "ies"
    else:
        third = verb + "s"
    if verb in DOUBLE:
        stem = verb + verb[-1]
        return third, stem + "ed", stem + "ing"
    if verb.endswith("e"):
        stem = verb if verb.endswith(("ee", "oe", "ye")) else verb[:-1]
        return third, verb + "d", stem + "ing"
    if third.endswith("ies"):
        return third, verb[:-1] + "ied", verb + "ing"
    return third, verb + "ed", verb + "ing"


@cache
def kinds() -> dict[str, str]:
    """Verb -> kind of action (move, jump, still, limb, talk)."""
    listed = (("limb", LIMB), ("talk", TALK), ("still", STILL), ("jump", JUMP), ("move", MOVE))
    found = {verb: kind for kind, verbs in listed for verb in verbs if "_" not in verb}
    return found | {"sit": "still", "hand": "limb", "get": "move", "join": "move", "visit": "move"}


@cache
def forms() -> dict[str, tuple[tuple[str, str], ...]]:
    """Written form -> possible (verb, tag): VB base, VZ -s, VD past, VN participle, VG -ing."""
    found: dict[str, dict[tuple[str, str], None]] = {}

    def add(form: str, verb: str, tag: str) -> None:
        found.setdefault(form, {})[verb, tag] = None

    irregular = {}
    for entry in IRREGULAR.replace("\n", " ").split(";"):
        verb, *parts = entry.split()
        irregular[verb] = parts
    for verb in (*kinds(), *OTHER, *sorted(WEAR | HOLD | ASPECT | MOVED)):
        third, past, ing = _regular(verb)
        pasts, participles, *ings = irregular.get(verb, [past, past])
        add(verb, verb, "VB")
        add(third, verb, "VZ")
        add(ings[0] if ings else ing, verb, "VG")
        if verb.endswith("l") and verb[-2] in "aeiou" and verb not in irregular and len(verb) > 4:
            add(verb + "ling", verb, "VG")  # "pedalling", as the British write
            add(verb + "led", verb, "VD")
            add(verb + "led", verb, "VN")
        for form in pasts.split(","):
            add(form, verb, "VD")
        for form in participles.split(","):
            add(form, verb, "VN")
    add("has", "have", "VZ")
    for form in DRESSED:
        add(form, "dress", "VN")
    return {form: tuple(pairs) for form, pairs in found.items()}
