"""Nouns for people. All of them are the detector class ``person``."""

from __future__ import annotations

# The noun also says a gender or an age, which the detector's class cannot confirm.
MALE = set(
    """man men guy boy gentleman gentlemen lad dude male father dad daddy papa grandfather grandpa
    granddad son brother uncle nephew husband boyfriend king prince waiter policeman fireman
    fisherman businessman salesman workman postman mailman cowboy groom bridegroom actor lord sir
    monk priest gent geezer codger laddie mister toff squire bachelor patriarch bloke chap
    fellow fella schoolboy cameraman sportsman swordsman horseman milkman
    handyman doorman stuntman grandson widower emperor duke wizard""".split()
)
FEMALE = set(
    """woman women girl lady gal female mother mom mum mommy mama grandmother grandma granny
    daughter sister aunt niece wife girlfriend queen princess waitress policewoman businesswoman
    saleswoman bride actress nun madam maid schoolgirl ballerina cheerleader hostess stewardess
    granddaughter widow lass lassie dame missus matron heroine spinster matriarch maiden
    ladies gal-pal
    usherette damsel housewife cowgirl empress duchess witch nanny""".split()
)
YOUNG = set(
    """child children kid baby toddler infant newborn teenager teen youngster youth adolescent
    preschooler tot kiddo schoolchild student pupil minor juvenile boy girl lad lass schoolboy
    schoolgirl""".split()
)
OLD = set("adult elder senior pensioner grandfather grandmother grandpa grandma granny".split())

# Everyone else.
ROLES = set(
    """person people human individual somebody someone anybody anyone everyone everybody nobody
    whoever folk folks butler ranger barrister wrangler streaker bobby passer-by passers-by
    pedaller pedaler conjuror motorist cabby toddler
    punter wayfarer
    rambler wheelman scooterist tyke urchin nipper tween pensioner
    oldster senior septuagenarian octogenarian bambino preteen adolescent crowd audience
    couple family team friend neighbor neighbour stranger guest visitor
    player driver cyclist biker bicyclist motorcyclist rider skater skateboarder rollerblader
    skier snowboarder surfer swimmer diver runner jogger walker sprinter athlete gymnast dancer
    singer musician guitarist pianist drummer violinist cellist saxophonist trumpeter flutist
    bassist rapper vocalist conductor performer artist painter sculptor photographer cinematographer
    videographer cameraperson director presenter host anchor reporter journalist speaker lecturer
    teacher professor instructor tutor trainer coach referee umpire goalkeeper goalie keeper striker
    defender midfielder forward quarterback pitcher batter batsman catcher bowler golfer boxer
    wrestler fighter fencer archer shooter hunter angler fisher sailor rower kayaker canoeist
    climber hiker camper tourist traveler traveller passenger commuter pedestrian passerby bystander
    spectator viewer onlooker fan worker employee staff laborer labourer builder carpenter plumber
    electrician mechanic engineer technician welder farmer gardener rancher shepherd lumberjack
    miner janitor cleaner sweeper courier deliveryman messenger porter bellboy chauffeur cabbie
    trucker pilot captain attendant steward clerk cashier seller vendor shopkeeper salesperson
    shopper customer buyer client barista bartender barkeeper barman barmaid chef cook baker butcher
    server receptionist secretary manager boss chairman chairperson businessperson executive banker
    accountant lawyer judge attorney doctor nurse surgeon dentist physician medic paramedic
    therapist patient pharmacist veterinarian vet scientist researcher chemist programmer
    developer officer police cop guard sergeant detective sheriff soldier marine trooper warrior
    knight firefighter lifeguard guide leader president politician mayor minister magician clown
    juggler acrobat model hairdresser barber tailor beautician biker thief robber burglar criminal
    prisoner suspect victim pirate ninja samurai jockey equestrian caddie hitchhiker beggar homeless
    monk acolyte bishop pope imam rabbi owner parent grandparent sibling twin cousin relative mate
    colleague coworker classmate teammate partner opponent rival lover newlywed toddler blonde
    brunette redhead participant contestant competitor champion winner loser member figure guy
    operator assistant helper volunteer inspector courier lodger tenant resident citizen villager
    local native foreigner immigrant hipster punk hippie goth wanderer stroller-pusher dog-walker
    skydiver parachutist astronaut cosmonaut mountaineer juggler busker gambler smoker drinker eater
    reader writer author poet librarian graduate freshman scholar candidate speaker narrator
    comedian
    entertainer puppeteer stuntperson trampolinist hurdler jumper thrower kicker racer marathoner
    sentry curator sommelier yodeler aristocrat maestro teenybopper
    chaperone bouncer valet stylist masseur masseuse docent usher concierge bellhop page
    squire peasant noble nobleman harlequin mime conjurer contortionist wrestler cadet recruit
    private corporal lieutenant colonel general admiral trainee intern apprentice foreman surveyor
    architect builder roofer bricklayer mason blacksmith cobbler tanner weaver brewer vintner
    florist
    grocer tobacconist optician midwife orderly caregiver babysitter nursemaid bodyguard
    paddler wakeboarder windsurfer kitesurfer longboarder roller-skater footballer cricketer
    basketballer baseballer shortstop linebacker lineman goaltender wicketkeeper ballplayer
    serviceman servicewoman clergyman craftsman sportsperson sportswoman layperson crew cast squad
    platoon band choir orchestra trio duo""".split()
)

# Who is what he is by the thing beside him: role -> the thing's noun.
IMPLIED = {
    role: thing
    for thing, roles in {
        "bicycle": "cyclist bicyclist biker pedaller pedaler",
        "motorcycle": "motorcyclist motorcycle_rider",
        "skateboard": "skater skateboarder longboarder",
        "surfboard": "surfer windsurfer",
        "skis": "skier",
        "snowboard": "snowboarder",
        "horse": "jockey equestrian horseman horsewoman",
        "baseball bat": "batter batsman",
        "boat": "sailor rower kayaker canoeist paddler",
    }.items()
    for role in roles.split()
}

PERSON = MALE | FEMALE | YOUNG | OLD | ROLES | {"police officer", "scuba diver"}

# Heads that say nothing of their own: the class follows from what is said about them.
GENERIC = set(
    "one ones other others those these thing object item something subject target".split()
)

# Nouns of amount before "of": the next noun is meant ("a group of people").
PARTITIVE = set(
    """group pair couple bunch crowd herd flock pack team line row set number lot lots piece kind
    type sort one some any all both each none neither most many two three four class squad crew
    swarm school couple dozen plenty slice image picture video view sight rest half part side color
    colour""".split()
)

_NOT_PEOPLE = set("talisman caiman fist wrist mist twist list glacier frontier barrier".split())
AGENTIVE = (
    "man",
    "woman",
    "person",
    "boy",
    "girl",
    "men",
    "women",
    "ist",
    "eer",
    "ier",
    "ian",
    "monger",
    "smith",
)

GENDER = {**dict.fromkeys(MALE, "he"), **dict.fromkeys(FEMALE, "she")}


def is_person(lemma: str) -> bool:
    """True for a person noun of the lists, or of an occupation's shape ("watchman", "florist")."""
    if lemma in PERSON:
        return True
    return len(lemma) > 5 and lemma.endswith(AGENTIVE) and lemma not in _NOT_PEOPLE
