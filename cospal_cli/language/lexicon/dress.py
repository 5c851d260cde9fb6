"""What people wear and carry: garment -> region of the body; body parts; describing words."""

from __future__ import annotations

UPPER = set(
    """shirt t-shirt tshirt tee sweater jumper jacket coat hoodie top blouse vest sweatshirt
    cardigan pullover blazer jersey undershirt tank polo parka anorak windbreaker overcoat
    trenchcoat
    raincoat waistcoat tunic camisole corset bra bikini apron shawl poncho turtleneck singlet
    sleeve sleeves fleece cloak cape bib button-down crop dinner_jacket life_jacket lifejacket
    button-up button-down polo_neck polo_shirt dress_shirt knitwear knit_top pinafore gilet
    bodice tabard jerkin doublet smock smocks cagoule mackintosh pea_coat peacoat bomber_jacket
    duffel_coat frock_coat flannel chemise basque bolero pashmina henley guernsey halterneck
    leather_jacket tank_top crop_top turtle_neck long-sleeve longsleeve lifevest""".split()
)
LOWER = set(
    """jeans pants trousers shorts skirt leggings slacks tights miniskirt trunks sweatpants joggers
    chinos khakis overalls dungarees capris breeches kilt culottes underpants underwear briefs
    stockings pantyhose denims cords corduroys jeggings pantaloons jodhpurs knickers
    plus-fours knickerbockers
    hotpants hot_pants pedal_pushers bermudas bottoms cutoffs sarong jean pant diaper nappy
    swimming_trunks leg_warmers""".split()
)
HEAD = set(
    """hat cap helmet beanie hood glasses sunglasses spectacles goggles hairband headband crown
    turban headscarf hijab veil mask bandana bonnet beret sombrero fedora headphones earphones
    headset wig visor tiara balaclava shades eyeglasses headdress earring earrings top_hat
    bowler_hat
    headgear crash_helmet bike_helmet bicycle_helmet stetson trilby boater skullcap
    kippah yarmulke bobble_hat tuque stocking_cap flat_cap hard_hat hardhat straw_hat kerchief
    deerstalker shako kufi fez cowboy_hat baseball_cap sun_hat headwear wreath niqab
    monocle""".split()
)
FEET = set(
    """shoe shoes boots boot sneakers sneaker sandals sandal socks sock slippers slipper heels
    brogues pumps stilettos plimsolls moccasins clogs wellies wellingtons espadrilles galoshes
    oxfords high-tops high-heels shoelaces loafers trainers flip-flops cleats footwear
    high_heels flip_flops skates""".split()
)
WHOLE = set(
    """dress suit clothes outfit uniform robe gown costume jumpsuit swimsuit tuxedo kimono sari
    pajamas pyjamas clothing garment attire nightgown sundress tracksuit wetsuit spacesuit armor
    armour leotard dungaree two-piece silks three-piece pjs jammies get-up getup togs livery
    vestments pantsuit boilersuit
    boiler_suit
    trouser_suit muumuu kaftan caftan qipao cheongsam dirndl tutu business_suit waders
    finery romper onesie bathrobe overall frock fatigues camouflage apparel toga abaya
    cassock spacesuit lab_coat bathing_suit wedding_dress evening_dress habit scrubs ensemble
    garments saree swimwear sportswear unitard bodysuit catsuit regalia garb""".split()
)
NECK = set(
    """scarf tie necktie necklace bow_tie bowtie collar cravat ascot bow dickie_bow dicky_bow
    dickie dicky neckerchief choker muffler neckwear necklet garland lanyard pendant
    tippet""".split()
)
HANDS = set(
    """glove gloves mitten mittens watch wristwatch bracelet bangle bangles ring armband
    wristband""".split()
)
BELT = set("belt sash suspenders".split())
CARRIED = set("backpack rucksack knapsack badge medal harness quiver holster".split())
# Words for clothes in general: they say where a colour shows and nothing else.
PLAIN = set("clothes outfit clothing garment garments attire apparel ensemble garb".split())

HAIR = set(
    """hair ponytail pigtail pigtails braid braids beard moustache mustache bangs curls bun afro
    dreadlocks mohawk goatee sideburns stubble tresses locks ringlets plaits plait topknot
    quiff barnet coiffure crewcut crew_cut
    cornrows mullet whiskers hairdo tresses updo hairstyle haircut fringe dreads locks
    mane""".split()
)
BODY = set(
    """hand hands arm arms leg legs head face eye eyes foot feet finger fingers mouth nose ear ears
    neck shoulder shoulders knee knees chest stomach belly waist hip hips tail paw paws wing wings
    torso back_of_head body elbow thumb palm fist lips lip cheek chin forehead skin skinned
    tongue tooth teeth thigh
    wrist ankle hoof horn horns beak fur trunk_nose lap toe toes""".split()
)

ACCESSORY = HEAD | FEET | NECK | HANDS | BELT | CARRIED


def _regions() -> dict[str, str]:
    named = ((UPPER, "upper"), (LOWER, "lower"), (HEAD | HAIR, "head"), (FEET, "feet"))
    found = {word: region for words, region in named for word in words}
    found |= dict.fromkeys(NECK | CARRIED, "upper") | dict.fromkeys(HANDS | BELT | WHOLE, "whole")
    return {word.replace("_", " "): region for word, region in found.items()}


REGION = _regions()

# Adjective -> kind of attribute. Colours are not here: ``colours`` knows them.
ADJECTIVES = {
    word: kind
    for kind, words in {
        "age": """young old elderly little aged middle-aged teenage youthful grown newborn
            senior juvenile younger older grown-up""",
        "gender": "male female",
        "size": """big large huge small tiny giant tall short fat thin slim skinny heavy chubby
            overweight slender stout obese bulky massive enormous mini miniature petite plump
            rotund portly tubby podgy pudgy lofty wiry scrawny willowy gaunt hefty brawny corpulent
            teensy teeny wee minuscule colossal gigantic hulking squat diminutive towering
            muscular stocky strong broad wide narrow long shorter
            medium full-sized compact lanky burly heavyset large-sized small-sized""",
        "hair": """bald bearded blond blonde brunette redhead redheaded red-haired dark-haired
            black-haired brown-haired blond-haired blonde-haired gray-haired grey-haired
            white-haired long-haired short-haired fair-haired curly-haired curly balding
            mustached moustached unshaven hairy fluffy shaggy ponytailed wavy haired shaved
            light-haired ginger-haired furry silver-haired spiky shaven clean-shaven""",
        "skin": """dark-skinned light-skinned fair-skinned tanned black-skinned white-skinned
            brown-skinned pale-skinned""",
        "pattern": """striped plaid checkered chequered spotted dotted patterned floral flowered
            checked polka-dot camouflage printed colorful colourful multicolored multicolour
            multicolored multi-colored tie-dye paisley tartan plain dappled brindle
            black-and-white multicoloured flowery polka-dotted spotty stripy
            two-tone flecked speckled mottled pinstriped pin-striped pinstripe
            marled
            herringbone houndstooth argyle hooped gingham dotty zigzag ribbed mottled""",
        "material": """leather denim wooden metal metallic plastic wool woolen woollen knitted fur
            silk cotton velvet lace satin nylon rubber steel glassy woven paper
            sleeveless knit crocheted quilted suede tweed corduroy lycra spandex
            chiffon linen canvas
            flannel cashmere mohair satiny sequined sequinned crochet polyester
            transparent sheer shiny glossy mesh straw stone concrete""",
        "state": """open closed empty full broken wet dirty clean new naked nude shirtless topless
            barefoot barefooted bare happy sad angry tired drunk asleep awake beautiful pretty
            handsome cute lovely nice good bad ugly homeless blind pregnant injured wounded dead
            alive sick rich poor busy alone lone single solitary main same other another next
            different real fake armed famous hooded masked sick lively playful electric
            bareheaded bare-chested bare-headed hatless bespectacled formal casual military
            traditional formally casually smart loose tight baggy fancy elegant dressed oversized
            round square rectangular oval flat thick deep shallow soft hard loud quiet
            caucasian asian african american indian chinese european western british french
            german japanese russian mexican italian arab hispanic latino korean
            hot cold icy fresh cooked whole half chief national local public upper
            moving visible far circular stationary vintage shiny pallid extreme matching cartoon
            animated timber crash rusty battered antique derelict well-dressed barefaced""",
    }.items()
    for word in words.split()
}

# Words for where in the picture: adjective or noun -> position of the contract.
POSITION = {
    word: position
    for position, words in {
        "left": "left leftmost left-most lefthand left-hand left-side",
        "right": "right rightmost right-most righthand right-hand right-side",
        "middle": "middle center centre central middlemost midst centermost",
        "top": "top upper topmost uppermost highest",
        "bottom": "bottom lowest bottommost lower lowermost",
        "front": "front foreground nearest closest frontmost foremost",
        "back": "back background rear farthest furthest backmost hindmost",
        "largest": "bigger larger largest biggest hugest fattest heaviest widest",
        "smallest": "smaller smallest tiniest littlest thinnest",
        "tallest": "taller tallest",
        "first": "first",
        "last": "last",
    }.items()
    for word in words.split()
}
# Of these, the ones that rank: they are positions before a noun without "on the".
ORDINALS = set(
    """second third fourth fifth sixth seventh eighth ninth tenth 1st 2nd 3rd 4th 5th shortest
    youngest oldest fastest slowest penultimate another""".split()
)
