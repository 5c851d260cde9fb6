"""Nouns for animals, vehicles and things as detector classes, and the detector's class names.

A line reads ``class weight, class weight: nouns``; several words of one noun are joined by ``_``.
Weights below 1 are either broader nouns or look-alikes that the detector takes one for the other.
"""

from __future__ import annotations

from functools import cache

CLASSES = tuple(
    name.replace("_", " ")
    for name in """person bicycle car motorcycle airplane bus train truck boat traffic_light
    fire_hydrant stop_sign parking_meter bench bird cat dog horse sheep cow elephant bear zebra
    giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard sports_ball kite
    baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife
    spoon bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch
    potted_plant bed dining_table toilet tv laptop mouse remote keyboard cell_phone microwave oven
    toaster sink refrigerator book clock vase scissors teddy_bear hair_drier toothbrush""".split()
)

ANIMALS = """
dog: dog puppy pup doggy doggie hound canine mutt pooch whelp mongrel sheepdog bulldog
dog: retriever labrador husky poodle terrier beagle chihuahua dachshund corgi pug collie spaniel
dog: shepherd_dog german_shepherd dalmatian rottweiler doberman mastiff greyhound pomeranian samoyed
dog: golden_retriever border_collie shiba akita malamute boxer_dog great_dane saint_bernard setter
dog: rottie lab bichon jack_russell lapdog guide_dog police_dog watchdog
dog: schnauzer whippet pekingese shih_tzu maltese newfoundland
dog 1, sheep .2: malamute_dog
dog .9, cat .3, bear .2: wolf coyote jackal dingo
dog .9, cat .5: fox raccoon
cat: tom mog moggy calico siamese persian_cat
cat: cat kitten kitty tabby feline tomcat kittycat pussycat
cat .7, dog .4, bear .2: lion lioness tiger leopard cheetah jaguar
cat .7, dog .4, bear .2: panther ocelot bobcat wildcat lynx cougar puma
cat .6, dog .4: rabbit bunny hare ferret weasel squirrel chipmunk otter
cat .4, dog .3, bird .2: hamster guinea_pig rat rodent hedgehog mongoose meerkat
horse: cob nag roan filly bay_horse percheron palomino clydesdale thoroughbred racehorse
horse: horse stallion mare foal colt filly steed gelding bronco mustang_horse
horse 1, cow .3, dog .2: pony donkey mule
horse .7, cow .5, giraffe .2: dromedary camel llama alpaca
horse .6, cow .5, sheep .4, dog .3: deer stag doe fawn elk moose reindeer antelope gazelle
horse .5, cow .5, dog .3: kangaroo wallaby
sheep: sheep lamb ewe
sheep 1, cow .4, dog .4, horse .3: goat ram
cow .8, horse .5: wildebeest gnu
giraffe .6, horse .5, zebra .4: okapi
cow: cow bull calf ox cattle buffalo bison yak heifer bovine
cow .6, sheep .5, dog .5, bear .3: pig piglet hog boar swine
elephant: elephant
elephant .6, cow .6, bear .3: rhino rhinoceros hippo hippopotamus
bear: bear cub grizzly
bear .9, dog .4, sheep .2, teddy_bear .2: panda polar_bear
bear .4, dog .4, cat .4, teddy_bear .2: koala sloth
zebra: zebra
giraffe: giraffe
person .4, bear .4, dog .3, cat .3: monkey ape gorilla chimpanzee baboon orangutan macaque
bird: bird duck goose swan pigeon dove seagull gull parrot eagle hawk falcon owl crow raven sparrow
bird: puffin ibis cormorant egret lark starling swallow cuckoo wren drake mallard kookaburra
bird: robin hen chicken rooster cock turkey_bird peacock flamingo pelican stork heron crane_bird
bird: duckling chick ostrich emu toucan parakeet cockatoo vulture finch magpie hummingbird fowl
bird: poultry gosling cygnet woodpecker kingfisher budgie canary
bird .9, dog .2, person .1: penguin
bird .4, boat .3, surfboard .2: dolphin whale seal shark walrus sea_lion
bird .3, cat .2: fish turtle tortoise frog lizard snake crocodile alligator crab butterfly insect
bird .3, cat .2: stingray
dog .8, cat .8, bird .8, horse .8, sheep .8, cow .8, bear .7, elephant .7, zebra .7, giraffe .7: \
animal pet creature beast wildlife critter
horse .7, cow .8, sheep .8: livestock
"""

VEHICLES = """
car 1, truck .2: car automobile auto sedan hatchback five-door three-door
car 1, truck .2: four-door motor_car coupe convertible limousine roadster motorcar
car 1, truck .2: sports_car race_car racecar racing_car police_car patrol_car cruiser limo saloon
car 1, truck .2: toyota ford bmw mercedes audi tesla ferrari porsche honda volkswagen mustang
car 1, truck .2: lamborghini nissan chevrolet camaro corvette volvo fiat runabout
car 1, truck .2: sportscar compact beetle cabriolet
car 1, truck .2, bus .1: taxi cab taxicab
car .9, truck .5: landrover four-by-four
car .9, truck .5: suv jeep station_wagon crossover off-roader
car .8, truck .6, bus .4: van minivan camper_van camper ambulance people_carrier
truck 1, car .6: pickup pickup_truck
truck 1, bus .3, car .3: truck lorry semi trailer fire_truck fire_engine tow_truck garbage_truck
truck 1, bus .3, car .3: dump_truck tanker big_rig delivery_truck semi-truck juggernaut hauler
truck .8, car .5, train .1: tractor bulldozer excavator forklift digger tank harvester loader
bus 1, truck .2: bus coach_bus school_bus minibus double-decker trolleybus shuttle_bus
train 1, bus .3: train locomotive tram streetcar subway metro railcar trolley_car engine
bicycle 1, motorcycle .3: velocipede penny-farthing bmx
bicycle 1, motorcycle .3: bike bicycle cycle pushbike mountain_bike tricycle unicycle tandem
motorcycle 1, bicycle .5: harley superbike minibike
motorcycle 1, bicycle .5: motorcycle motorbike two-wheeler motor-bike motor_bike
motorcycle 1, bicycle .5: moped scooter dirt_bike vespa chopper
motorcycle .8, bicycle .3, car .2: quad_bike snowmobile
airplane: airplane plane aeroplane aircraft jet airliner jetliner warplane biplane
airplane: seaplane airbus boeing bomber fighter_jet monoplane
airplane .7, kite .2, bird .2: helicopter drone glider airship zeppelin
boat 1: boat ship sailboat yacht canoe kayak ferry dinghy rowboat speedboat raft vessel gondola
boat 1: trawler frigate schooner ketch sloop punt cutter skiff trimaran submarine steamer
boat 1: motorboat catamaran warship barge tugboat lifeboat steamboat
boat .8, motorcycle .4: jet_ski
car .9, truck .8, bus .8, motorcycle .6: vehicle motor_vehicle automobiles
car .7, truck .6, bus .6, train .5: transport
car .5, truck .3, bicycle .3: cart carriage buggy wagon rickshaw go-kart golf_cart
bicycle .3, chair .4, motorcycle .2: wheelchair
chair .6: baby_seat car_seat high_chair
chair .3, bicycle .3, suitcase .3: stroller pram baby_carriage pushchair baby_walker walker_frame
person .3, bicycle .2: kick_scooter
"""

THINGS = """
traffic_light: traffic_light stoplight streetlight
fire_hydrant: fire_hydrant hydrant
stop_sign: stop_sign
stop_sign .6, traffic_light .2: sign signboard road_sign street_sign
parking_meter: parking_meter
bench 1, chair .3: bench pew
backpack 1, handbag .4: backpack rucksack knapsack schoolbag
umbrella: umbrella parasol brolly
umbrella .3, kite .5: parachute
handbag 1, backpack .3, suitcase .2: handbag purse clutch tote shoulder_bag tote_bag
handbag .6, backpack .6, suitcase .4: pannier panniers
handbag .8, backpack .7, suitcase .5: bag sack satchel duffel
suitcase .8, handbag .7, backpack .5: holdall valise hamper duffle_bag duffel_bag
suitcase 1, handbag .4: suitcase briefcase luggage baggage trunk
suitcase .5, handbag .2, tv .2: box crate carton package parcel
tie: tie necktie
tie .7: bow_tie bowtie
frisbee: frisbee disc
skis 1, snowboard .4: ski skis
snowboard 1, skis .4, skateboard .3: snowboard
snowboard .5, skis .4, surfboard .2: sled sledge toboggan
sports_ball 1, orange .5, apple .4, frisbee .3: sports_ball ball orb sphere tennis_ball golf_ball
sports_ball 1, orange .4, apple .3: football soccer_ball basketball
sports_ball 1, orange .4, apple .3: volleyball baseball rugby_ball
sports_ball .8, orange .4, apple .3: ping_pong_ball beach_ball puck shuttlecock bowling_ball
sports_ball .5, kite .3: balloon
kite: kite
baseball_bat: bat baseball_bat club stick cricket_bat
baseball_glove: baseball_glove mitt
skateboard 1, surfboard .2: skateboard longboard
surfboard 1, skateboard .1, boat .2: surfboard paddleboard wakeboard bodyboard
tennis_racket: racket racquet tennis_racket badminton_racket paddle
bottle 1, vase .2: decanter phial vial
bottle 1, vase .2: bottle flask wine_bottle beer_bottle water_bottle thermos canteen
bottle .6, cup .6: can tin jar jug pitcher_jug carafe
wine_glass 1, cup .6: chalice snifter
wine_glass 1, cup .6: wine_glass goblet champagne_glass wineglass flute_glass
cup 1, wine_glass .4, bottle .1: stein tankard espresso latte cappuccino
cup 1, wine_glass .4, bottle .1: cup mug tumbler teacup beaker coffee_cup coffee_mug
cup .9, wine_glass .8, bottle .2: glass drink beverage
fork: fork
knife: machete scalpel penknife
knife: knife blade dagger cleaver sword
spoon: spoon ladle
spoon .7, fork .6, knife .6: cutlery utensil spatula chopsticks
bowl 1, cup .2: tureen ramekin
bowl 1, cup .2: bowl basin
bowl .5, cup .4, vase .3: pot pan saucepan kettle teapot bucket wok
bowl .5, frisbee .2: plate dish saucer tray
banana: banana
apple 1, orange .3: apple peach pear tomato plum
orange 1, apple .3: orange tangerine mandarin lemon grapefruit
apple .8, orange .8, banana .8: fruit
sandwich 1, hot_dog .4: sandwich burger hamburger toast wrap
broccoli: broccoli cauliflower
carrot: carrot
broccoli .5, carrot .6: vegetable salad
hot_dog 1, sandwich .3: hot_dog sausage hotdog
pizza: pizza
sandwich .6, hot_dog .5, donut .3: baguette loaf panini bun_bread
donut 1, cake .4: croissant
donut: donut doughnut bagel
cake 1, donut .2: cake cupcake pie pastry muffin dessert
pizza .4, sandwich .5, cake .4, bowl .3, hot_dog .3, donut .3: food meal snack dinner lunch
chair 1, couch .3: chair armchair stool seat recliner rocking_chair folding_chair highchair
couch .7, chair .6: ottoman footstool pouffe chaise chaise_longue
couch .8, bed .8: futon daybed
couch 1, chair .4, bed .3: couch sofa settee loveseat divan
chair .8, couch .8, dining_table .7, bed .7, bench .5: furniture
potted_plant: fern cactus orchid bonsai palm_tree succulent
potted_plant: plant potted_plant houseplant flowerpot bouquet shrub
potted_plant .6, vase .5: flower flowers
bed 1, couch .3: bed mattress crib cot bunk
dining_table: table desk dining_table counter workbench tabletop countertop
toilet: toilet lavatory
tv 1, laptop .4: tv television monitor screen display telly
laptop 1, tv .3: macbook chromebook netbook
laptop 1, tv .3: laptop notebook_computer computer
mouse: computer_mouse
mouse 1, cat .3: mouse
remote 1, cell_phone .3: remote remote_control controller gamepad joystick
keyboard 1, laptop .3: keyboard
cell_phone 1, remote .3: phone cellphone cell_phone smartphone mobile telephone mobile_phone iphone
cell_phone .7, laptop .5, tv .3: tablet ipad
cell_phone .4, remote .3: camera walkie-talkie
microwave: microwave
oven: oven stove cooker
toaster: toaster
sink: sink washbasin
refrigerator: refrigerator fridge freezer
book: book magazine notebook novel newspaper menu album
book .5: paper document letter card envelope note
clock: clock alarm_clock
vase 1, bottle .2, cup .2: vase urn
scissors: scissors shears
teddy_bear: teddy_bear teddy stuffed_animal plush plushie stuffed_toy
teddy_bear .7, sports_ball .4: toy doll puppet
hair_drier: hair_drier hair_dryer hairdryer
toothbrush: toothbrush
"""

# What the detector says instead, and how likely: the classes that the class behind the colon is
# taken for.
CONFUSED = """
cat .3, sheep .2, bear .2, horse .2, cow .1: dog
dog .3, sheep .1, bear .1: cat
cow .4, dog .2, sheep .2: horse
horse .4, sheep .3, dog .2: cow
cow .4, dog .3, horse .2, bear .1: sheep
dog .3, cow .2, elephant .2: bear
cow .3, bear .3: elephant
horse .3, giraffe .2: zebra
zebra .2, horse .2: giraffe
kite .2, airplane .1: bird
truck .3, bus .2, boat .1: car
car .4, bus .3, train .2: truck
truck .4, car .2, train .3: bus
bus .4, truck .2: train
bicycle .4: motorcycle
motorcycle .4: bicycle
surfboard .2, car .1: boat
kite .2, bird .1: airplane
bottle .4, wine_glass .3, vase .3, bowl .2: cup
cup .3, vase .3, wine_glass .2: bottle
cup .4, bottle .2, vase .2: wine_glass
cup .3, cake .1: bowl
bottle .3, cup .2, potted_plant .2: vase
couch .3, bench .3: chair
chair .4, bed .3: couch
chair .4, couch .1: bench
bench .3, bed .1: dining_table
couch .4: bed
laptop .4, microwave .2: tv
tv .4, keyboard .3, book .2: laptop
remote .4, mouse .1: cell_phone
handbag .4, suitcase .3: backpack
backpack .4, suitcase .3: handbag
handbag .3, backpack .3: suitcase
fork .3, spoon .3: knife
knife .3, spoon .3: fork
knife .3, fork .3: spoon
sports_ball .3, kite .2: frisbee
surfboard .3, snowboard .3: skateboard
skateboard .3, snowboard .3, boat .2: surfboard
skateboard .3, skis .3, surfboard .3: snowboard
kite .3: umbrella
umbrella .2, bird .2, airplane .2: kite
orange .5, sports_ball .3: apple
apple .5, sports_ball .4: orange
dog .2, cat .2, bear .3: teddy_bear
"""


@cache
def table() -> dict[str, dict[str, float]]:
    """Noun -> detector class name -> weight in (0, 1]: the three lists above and look-alikes."""
    confused = _weights(CONFUSED)
    beasts = CLASSES[CLASSES.index("bird") : CLASSES.index("backpack")]
    found: dict[str, dict[str, float]] = {}
    for noun, weights in _weights(ANIMALS + VEHICLES + THINGS).items():
        taken = [
            {other: weight * chance for other, chance in confused.get(name, {}).items()}
            for name, weight in weights.items()
        ]
        if noun in animals() and max(weights.values()) < 1:  # the detector has no class for it
            taken.append(dict.fromkeys(beasts, 0.3))
        names = {name: None for likely in (weights, *taken) for name in likely}
        found[noun] = {
            name: round(max(likely.get(name, 0) for likely in (weights, *taken)), 3)
            for name in names
        }
    return found


def _weights(text: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for line in text.strip().splitlines():
        classes, _, nouns = line.partition(":")
        weights = {}
        for part in classes.split(","):
            name, _, weight = part.strip().partition(" ")
            weights[name.replace("_", " ")] = float(weight or 1)
        for noun in nouns.split():
            found.setdefault(noun.replace("_", " "), weights)
    return found


def _nouns(text: str) -> frozenset[str]:
    lines = (line.partition(":")[2].split() for line in text.strip().splitlines())
    return frozenset(noun.replace("_", " ") for nouns in lines for noun in nouns)


@cache
def animals() -> frozenset[str]:
    """The nouns for animals: they move by themselves and may wear things."""
    return _nouns(ANIMALS)


@cache
def movers() -> frozenset[str]:
    """Nouns for things that move without a person being seen: vehicles and balls."""
    balls = {noun for noun, to in table().items() if max(to, key=to.__getitem__) == "sports ball"}
    return _nouns(VEHICLES) | balls
