"""Function words with their tag, fixed phrases that are one word, and particles.

Tags: DET POSS PRON NUM PREP PRT (particle) CONJ SUB (subordinator) REL WH AUX TO ADV NEG, and for
content words NOUN ADJ VB VZ VD VN VG (see ``words_verbs.forms``), POS (position), PUNCT.
"""

from __future__ import annotations

CLOSED = {
    word: tag
    for tag, words in {
        "DET": "a an the this these those every each some any no all both either neither",
        "POSS": "his its their my your our whose",
        "PRON": """he she it they him them himself herself itself themselves i you we me us
            there another something everything nothing anything hers theirs mine yours each_other
            one_another""",
        "NUM": """two three four five six seven eight nine ten eleven twelve several many few
            dozen dozens multiple various numerous countless hundreds twenty""",
        "PREP": """in on at with by of for from beside besides behind under underneath beneath below
            above near into onto toward towards against among amongst between across along
            alongside through around about inside outside within without after before until till
            past over during via per off beyond opposite like as_well_as throughout upon
            next_to in_front_of on_top_of out_of close_to up_to because_of instead_of
            astride atop amid amidst aboard aside_from adjacent_to along_with
            together_with at_the_back_of at_the_front_of
            in_back_of except ahead_of down_from up_from back_to over_to""",
        "PRT": """closer nearer up down away out back forward forwards backward backwards together
            apart aside""",
        "CONJ": "and or but then nor plus &",
        "SUB": """while as when where because if although though whereas once since so
            after_that""",
        "REL": "who whom which",
        "WH": "what why how",
        "AUX": """is are was were be been being am 's does do did can could will would may might
            shall should must isn't aren't doesn't don't didn't has_been have_been is_being""",
        "TO": "to",
        "NEG": "not never n't",
        "ADV": """very quickly slowly just now again also too soon finally suddenly first_of_all
            really only still already there_ here_ later afterwards afterward next_ alone ahead
            straight directly always often sometimes quietly carefully gently happily together_
            home downstairs upstairs outdoors indoors immediately eventually simultaneously else
            clockwise counterclockwise sideways anticlockwise abroad overhead nearby
            leftwards rightwards leftward rightward upwards downwards upward downward
            forth uphill downhill back_and_forth to_and_fro side_to_side round_and_round there's
            fast ever even almost partially fully mostly completely quite rather most
            more
            so_far twice please currently obviously clearly at_first at_last at_once a_bit""",
    }.items()
    for word in words.replace("_\n", " ").split()
}
CLOSED = {word.replace("_", " ").strip(): tag for word, tag in CLOSED.items()}


# What people say around a query, matched as whole words at its start, longest first.
OPENINGS = tuple(
    phrase.split()
    for phrase in """can you find|could you find|i want to see|i want to find|i am looking for|
    i'm looking for|looking for|look for|search for|show me|find me|give me|point out|point to|
    point at|please find|please show me|please show|please track|please|
    find|show|track|locate|detect|identify|segment|highlight|follow|mark|
    ground|get me|select|spot|seek|the moment when|the moment|
    the part where|the clip where|the clip of|the scene where|the video of|a video of|
    the time when|the moment that|i see|we see|we can see|you can see|it is|it's|this is|here is|
    the segment where|the box of|a photo of|a picture of|an image of|that's|
    this video shows|the video shows|in this video|in the video|in the clip|
    at the beginning|at first|first of all|in the beginning""".replace("\n", " ").split("|")
)  # fmt: skip

# Nouns of surroundings: known, without a detector class; never the subject's class.
SCENE = set(
    """room kitchen bedroom bathroom office hall hallway corridor door doorway window wall floor
    ceiling house home building garage garden yard backyard street road path sidewalk pavement
    highway lane crosswalk intersection corner bridge park field grass lawn beach sea ocean lake
    river pool water sand snow ice forest wood woods tree bush hill mountain rock stone ground
    stairs stair staircase step steps ladder elevator escalator lift stage court track pitch goal
    net fence gate railing rail pole post roof platform station airport parking_lot parking shop
    store market restaurant bar cafe school church hospital bank town city village square
    playground slide swing trampoline rope camera screen_wall light lamp curtain carpet rug mat
    cushion pillow blanket towel sheet shelf cabinet cupboard drawer closet wardrobe mirror
    picture painting photo poster map flag banner board blackboard whiteboard paper pen pencil
    marker brush broom mop shovel rake hose tool hammer drill axe gun rifle pistol weapon
    cigarette cigar pipe lighter candle fire smoke guitar piano violin drum drums flute trumpet
    saxophone cello microphone mic speaker music song instrument bread cheese meat fish egg rice
    noodle soup sauce sugar salt milk coffee tea beer wine juice soda food_ candy chocolate
    ice_cream
    cookie money coin coins key keys wallet watch_ badge gift present toy_ doll_ ring game chess
    card cards wheel tire seat handle pedal engine_ sky sun cloud rain wind air space place spot
    area side edge end top_ line row direction distance way time moment scene video second minute
    day night morning evening floor_ world number name word story news conversation question answer
    help work job party wedding show concert match race dance walk talk look trip ride jump
    fall kiss hug smile laugh noise sound voice breath call message letter_ shot goal_ point
    colour color size shape pair_ piece_ part_ rest_ lot_ kind_ thing_ bottom_ attention care
    crate_ counter_ bar_ stick_ branch leaf leaves log stump hay straw dirt mud puddle boulder
    cliff cave sand_ shore pier dock harbor port runway rink arena stadium gym ring_ lane_ tunnel
    ramp half_pipe course slope obstacle hoop basket cone pin stand tent campfire grill barbecue
    hole pit ditch trench cage kennel stable barn farm pasture meadow zoo nest perch leash collar_
    saddle reins bridle bone treat lid cap_ cork straw_ napkin tablecloth tissue glue tape string
    wire cable cord chain hook lock bolt screw nail button zipper pocket sleeve_ interior exterior
    orb_ cobble cobbles cobblestone masonry tarmac asphalt bollard bollards burrow rack
    bus_stop taxi_rank zebra_crossing gridlock
    traffic sole soles wrist_ plaza turn sleep fight drink_ drop cross lead rate left_
    right_ group_ couple_ pillar column statue
    fountain sculpture monument booth podium desk_ sidewalk_ curb roadside driveway lap balcony
    terrace porch deck veranda aisle basement attic lobby entrance exit_ classroom gymnasium
    trolley shopping_cart shopping_bag pram_ rod fishing_rod oar surf wave foam splash lever
    puzzle lego block blocks cube cubes pile stack bundle wrapper trash garbage rubbish bin
    trash_can dumpster recycling machine washing_machine dishwasher fan electric_fan heater
    fireplace chimney
    furnace crowd_ ceremony parade festival circus event class_ lesson dollar bill ticket phone_call
    suit_case rail_ medicine pill syringe needle thread cloth fabric wool_ cotton_ bandage
    pint distance_ feeder bowl_ leftovers crumbs dough flour batter_ butter jam honey
    ketchup""".split()
)
SCENE = {noun.replace("_", " ") for noun in SCENE if not noun.endswith("_")}
