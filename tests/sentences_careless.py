# ruff: noqa: E501
"""Sentences as people type them in a hurry, and with words that few people use.

Lines as in ``sentences.py``.
"""

from __future__ import annotations

CARELESS = """
Who jumps over the fence in a yellow raincoat? | person: person | raincoat@upper yellow@upper | jumps=jump | -
The boy who has curly hair and kicks the ball. | boy: person | - | kicks=limb | -
The girl that wears a pink tutu and dances. | girl: person | tutu@whole pink@whole | dances=limb | -
Who carries a ladder across the street? | person: person | - | carries=move | -
What rolls down the hill? | object: any | - | rolls=move:down | -
The lady who walks her dog and has a red scarf. | lady: person | scarf@upper red@upper | walks=move | -
a gentleman robed in purple bows before the altar | gentleman: person | purple@whole | bows=limb:down | -
a sailor decked out in white waves from the boat | sailor: person | white@whole | waves=limb | -
the youngster kitted out in a green jersey dribbles past the defender | youngster: person | jersey@upper green@upper | dribbles=limb | -
a suited man steps out of the taxi | man: person | suited@whole | steps=move:out | -
the bearded, hatted fisherman reels in his line | fisherman: person | hatted@head | reels=unknown | -
a helmeted rider speeds past on a scooter | rider: person | helmeted@head | speeds=move | -
the leather-clad biker revs up beside the pump | biker: person | - | revs=unknown | -
a black-clad figure sneaks along the wall | figure: person | black-clad@whole | sneaks=move | -
the silver-haired dame knits on the porch | dame: person | silver-haired@head | knits=limb | -
a flaxen-haired toddler crawls towards the sofa | toddler: person | flaxen-haired@head | crawls=move:to | -
the hooded youth leans on the railing | youth: person | hooded@head | leans=limb | -
a denim-clad lass strums a guitar | lass: person | denim-clad@whole | strums=limb | -
the uniformed guard paces back and forth | guard: person | uniformed@whole | paces=move | -
a woman in a two-tone dress twirls | woman: person | dress@whole | twirls=limb | -
the plum-coloured sedan reverses out of the driveway | sedan: car | plum-coloured@whole | reverses=move:back,out | -
a mint-green scooter parked outside the bakery | scooter: motorcycle | mint-green@whole | parked=still | -
the man in salmon trousers and an olive jacket | man: person | trousers@lower salmon@lower jacket@upper olive@upper | - | -
a russet pony grazing by the gate | pony: horse | russet@whole | grazing=limb | -
the obsidian stallion gallops across the meadow | stallion: horse | obsidian@whole | gallops=move | -
a lady with raven tresses and coral slacks | lady: person | raven@head slacks@lower coral@lower | - | -
the girl in a blue-and-white striped blouse | girl: person | blouse@upper blue@upper white@upper | - | -
brown dog left side | dog: dog | brown@whole | - | left
red truck far right | truck: truck | red@whole | - | right
girl w/ green backpack running | girl: person | backpack@upper green@upper | running=move | -
old man n dog walkin | man: person | - | walking=move | -
yellow jacket guy climbing ladder | guy: person | jacket@upper yellow@upper | climbing=move:up | -
red dress lady dancing | lady: person | dress@whole red@whole | dancing=limb | -
white cap boy throws ball | boy: person | cap@head white@head | throws=limb | -
black coat person sitting on bench | person: person | coat@upper black@upper | sitting=still | -
blue hoodie riding skateboard | hoodie: person | hoodie@upper blue@upper | riding=move | -
lil black cat sleepin on couch | cat: cat | black@whole | sleeping=still | -
woman red hat | woman: person | hat@head red@head | - | -
green shirt n white shorts kid | kid: person | shirt@upper green@upper shorts@lower white@lower | - | -
dude on motorbike goin fast | dude: person | - | going=move | -
blonde girl pink top | girl: person | blonde@head top@upper pink@upper | - | -
guy w/o shirt swimmin | guy: person | - | swimming=move | -
big brown hrose runing | horse: horse | brown@whole | runing=move | -
the wmoan in the yelow dress | woman: person | dress@whole yellow@whole | - | -
What is barking at the mailman? A small white dog. | dog: dog | white@whole | barking=talk | -
Who is it? The woman in the green coat. | woman: person | coat@upper green@upper | - | -
By whom is the cart being pushed? By an old man in overalls. | man: person | overalls@lower | pushing=move | -
What is flying above the lake? It's a seagull. | seagull: bird | - | flying=move | -
Who opens the door? The butler in a black tailcoat. | butler: person | tailcoat@upper black@upper | opens=limb | -
What is the boy holding? A blue balloon. | balloon: sports_ball | blue@whole | - | -
Which car is turning left? The red one. | car: car | red@whole | turning=move:left | -
Who is the ball thrown by? | person: person | - | throwing=limb | -
a stationary tour bus waits at the kerb | bus: bus | - | waits=still | -
a spotted toy horse rocks to and fro | horse: horse | - | rocks=limb | -
the man sitting in the back of the truck waves | man: person | - | sitting=still waves=limb | -
the woman in the front of the boat paddles | woman: person | - | paddles=move | -
the cat in the lower left corner licks its paw | cat: cat | - | licks=limb | left,bottom
the cyclist at far left brakes | cyclist: person | - | brakes=move | left
the leftmost horse shakes its mane | horse: horse | - | shakes=limb | left
the boat on the right hand side drifts away | boat: boat | - | drifts=move:away | right
the waiter leaves the counter and goes to the kitchen | waiter: person | - | leaves=move:out goes=move:to | -
the woman leaves her purse on the chair | woman: person | - | leaves=limb | -
the musician is leaving the stage | musician: person | - | leaving=move:out | -
the boy quits the room | boy: person | - | quits=move:out | -
a running boy in red shorts | boy: person | shorts@lower red@lower | running=move | -
the flying drone with four arms | drone: airplane | - | flying=move | -
a trench-coated detective peers through the window | detective: person | trench-coated@upper | peers=still | -
hands typing on a laptop | hands: person | - | typing=limb | -
grey horse white mane trotting | horse: horse | grey@whole white@head | trotting=move | -
the lorry, seen from the front, rumbles closer | lorry: truck | - | rumbles=move:closer | -
a bespectacled professor with a checked bow tie points at the board | professor: person | bespectacled@head bow_tie@upper | points=limb | -
the footballer whose socks are red runs back | footballer: person | socks@feet red@feet | runs=move:back | -
a puppy having a nap on the rug | puppy: dog | - | having=still | -
umbrella lady crossing street | lady: person | - | crossing=move | -
the tangerine kayak bobs on the waves | kayak: boat | tangerine@whole | bobs=limb | -
an elderly chap attired in a charcoal three-piece suit dozes | chap: person | suit@whole charcoal@whole | dozes=still | -
"""

RARE = """
a lanky teenager clad head to toe in grey lopes across the car park | teenager: person | grey@whole | lopes=move | -
a portly waiter balancing a tray squeezes between the chairs | waiter: person | - | balancing=limb squeezes=move | -
two nuns | nuns: person | - | - | -
The chap whose beard is ginger and who holds a pint. | chap: person | ginger@head | holds=still | -
tabby asleep windowsill | tabby: cat | - | - | -
jogger blue top white headband | jogger: person | top@upper blue@upper headband@head white@head | - | -
person in hi-vis vest directing traffic | person: person | vest@upper | directing=limb | -
man w/ beard and glasses on phone | man: person | glasses@head | - | -
man with beard n glasses | man: person | glasses@head | - | -
biker dude black helmet | dude: person | helmet@head black@head | - | -
white van turning right | van: car | white@whole | turning=move:right | -
the white one on the right | one: any | white@whole | - | right
the dog thats jumping | dog: dog | - | jumping=jump | -
girl who is wearing purple and runs | girl: person | purple@whole | runs=move | -
a ginger tom curled up on the armchair | tom: cat | ginger@whole | curled=limb | -
The lady pushing a pram wears a cream trench coat. | lady: person | coat@upper cream@upper | pushing=move | -
Which man wears a striped jumper? | man: person | jumper@upper | - | -
Who has the ball? | person: person | - | - | -
Who's that walking past the shop in a grey hoodie? | person: person | hoodie@upper grey@upper | walking=move | -
What is the girl in red riding? A horse. | horse: horse | - | - | -
Who is the tall man talking to? A policeman. | policeman: person | - | - | -
a weather-beaten trawler chugs out of the harbour | trawler: boat | - | chugs=move:out | -
the crimson double-decker trundles along the high street | double-decker: bus | crimson@whole | trundles=move | -
a mud-spattered jeep ploughs through the puddle | jeep: car | - | ploughs=move | -
an ivory-coloured limousine glides to a halt | limousine: car | ivory-coloured@whole | glides=move | -
a jet-black labrador fetches the stick | labrador: dog | jet-black@whole | fetches=move | -
the piebald cob canters round the paddock | cob: horse | - | canters=move | -
the chestnut mare nuzzles her foal | mare: horse | chestnut@whole | nuzzles=limb | -
a mottled hen pecks at the grain | hen: bird | - | pecks=limb | -
the bird that perches on the uppermost branch | bird: bird | - | perches=still | -
the yellow submarine-shaped balloon floats up | balloon: sports_ball | yellow@whole | floats=move:up | -
the teapot with the broken spout | teapot: bowl | - | - | -
the rightmost mug steams | mug: cup | - | steams=limb | right
the suitcase being wheeled by the stewardess | suitcase: suitcase | - | wheeled=move | -
laptop closest to the window | laptop: laptop | - | - | front
The surfer, clad in a wetsuit, wades into the sea. | surfer: person | wetsuit@whole | wades=move:in | -
a ballerina in a lilac leotard pirouettes | ballerina: person | leotard@whole lilac@whole | pirouettes=limb | -
the groom, resplendent in a navy tailcoat, kisses the bride | groom: person | tailcoat@upper navy@upper | kisses=limb | -
the short-skirted woman hails a cab | woman: person | short-skirted@lower | hails=limb | -
a red-jacketed skier slaloms down the piste | skier: person | red-jacketed@upper | slaloms=move:down | -
the pink-haired punk spits | punk: person | pink-haired@head | spits=limb | -
shirtless guy on a surfboard falls off | guy: person | - | falls=move:down,away | -
someone in scrubs rushing down the corridor | someone: person | scrubs@whole | rushing=move:down | -
kid in the striped pjs | kid: person | pjs@whole | - | -
girl next to the red car w/ long hair | girl: person | - | - | -
black and white dog chasing ball | dog: dog | black@whole white@whole | chasing=move | -
woman brown boots beige coat | woman: person | boots@feet brown@feet coat@upper beige@upper | - | -
older woman, gray hair, blue cardigan | woman: person | gray@head cardigan@upper blue@upper | - | -
man: red cap, white shirt | man: person | cap@head red@head shirt@upper white@upper | - | -
guy checkered shirt left of table | guy: person | shirt@upper | - | left
red car overtaking the truck | car: car | red@whole | overtaking=move | -
cop car w flashing lights | car: car | - | - | -
firefighter carryin hose | firefighter: person | - | carrying=move | -
the smallest puppy | puppy: dog | - | - | smallest
the taller of the two men | men: person | - | - | tallest
the woman clutching a clutch bag storms off | woman: person | - | clutching=still storms=move:away | -
a bride whose gown trails behind her | bride: person | gown@whole | trails=move | -
a hiker shouldering a massive rucksack plods uphill | hiker: person | - | shouldering=limb plods=move:up | -
the person leaving the building with an umbrella | person: person | - | leaving=move:out | -
the man who leaves his seat and exits stage left | man: person | - | leaves=move:out exits=move:out,left | -
"""

MIXED = """
two-wheeler parked near tree | two-wheeler: motorcycle | - | parked=still | -
The teenager who sports a mohawk and a studded leather jacket. | teenager: person | leather_jacket@upper | - | -
tall skinny dude black tee | dude: person | tee@upper black@upper | - | -
ladies in saris chatting | ladies: person | saris@whole | chatting=talk | -
a copper-haired maiden in an emerald gown descends the staircase | maiden: person | copper-haired@head gown@whole emerald@whole | descends=move:down | -
Who picks up the phone in a checked shirt? | person: person | shirt@upper | picks=limb | -
the geezer with the flat cap shuffles off | geezer: person | flat_cap@head | shuffles=move:away | -
an ochre-clad monk sweeps the steps | monk: person | ochre-clad@whole | sweeps=limb | -
scooter left of the bus | scooter: motorcycle | - | - | left
pink umbrella girl walks in rain | girl: person | - | walks=move | -
The bus that stops at the corner is red. | bus: bus | red@whole | stops=still | -
grey-bearded man w/ cane | man: person | grey-bearded@head | - | -
kid w/ a blue balloon cryin | kid: person | - | crying=talk | -
a vermilion-hued sports car hurtles past | sports car: car | vermilion-hued@whole | hurtles=move | -
What does the woman carry? A basket. | basket: any | - | - | -
Who is sitting on the bench? An old couple. | couple: person | - | sitting=still | -
the goalie in fluorescent yellow dives | goalie: person | yellow@whole | dives=move:down | -
a barista, apron-clad, steams milk | barista: person | apron-clad@upper | steams=limb | -
the bay gelding clears the hurdle | gelding: horse | - | clears=unknown | -
nurse in blue scrubs pushing wheelchair | nurse: person | scrubs@whole blue@whole | pushing=move | -
the tabby that sits atop the wardrobe | tabby: cat | - | sits=still | -
black suv behind the truck | suv: car | black@whole | - | -
The woman, who has a nose ring, laughs. | woman: person | ring@whole | laughs=talk | -
dude in hoodie n shades skateboarding | dude: person | hoodie@upper shades@head | skateboarding=move | -
a khaki-uniformed ranger points at the elephant | ranger: person | khaki-uniformed@whole | points=limb | -
the couple dancing in matching white outfits | couple: person | white@whole | dancing=limb | -
someone swaddled in a tartan blanket snores | someone: person | - | snores=unknown | -
the man with his back to us wearing suspenders | man: person | suspenders@whole | - | -
girl polka dot dress jumping rope | girl: person | dress@whole | jumping=jump | -
a mauve bicycle chained to a lamppost | bicycle: bicycle | mauve@whole | chained=unknown | -
the umber spaniel laps at its bowl | spaniel: dog | umber@whole | laps=limb | -
an azure-winged magpie alights on the fence | magpie: bird | azure-winged@whole | alights=move | -
taxi driver honking | driver: person | - | honking=limb | -
the guy thats holding the red flag | guy: person | - | holding=still | -
person exiting frame left | person: person | - | exiting=move:out,left | -
Whose jacket is green? | person: person | jacket@upper green@upper | - | -
the sous-chef flips a pancake | sous-chef: person | - | flips=limb | -
a cat with a fluffy white tail | cat: cat | - | - | -
second guy from the right in a red cap | guy: person | cap@head red@head | - | right
the chubby barman with rolled-up sleeves polishes a tankard | barman: person | sleeves@upper | polishes=limb | -
pregnant lady yellow sundress strolling | lady: person | sundress@whole yellow@whole | strolling=move | -
Who's pedalling away in a turquoise helmet? | person: person | helmet@head turquoise@head | pedalling=move:away | -
a scarlet-cloaked rider on a dappled grey | rider: person | scarlet-cloaked@upper | - | -
the bulldog that has a spiked collar and drools | bulldog: dog | collar@upper | drools=limb | -
maroon hatchback middle | hatchback: car | maroon@whole | - | middle
teenage boy w glasses readin book | boy: person | glasses@head | reading=still | -
a rowing boat with peeling paint drifts leftward | boat: boat | - | drifts=move:left | -
What is the chef chopping? A carrot. | carrot: carrot | - | - | -
the drummer clad in sequins | drummer: person | - | - | -
the tot wearing dungarees waddles to granny | tot: person | dungarees@lower | waddles=move:to | -
a sandy-coloured camel kneels | camel: horse | sandy-coloured@whole | kneels=limb:down | -
the guy in the back row yawns | guy: person | - | yawns=limb | back
the freckled redhead in plaid pyjamas brushes her teeth | redhead: person | redhead@head pyjamas@whole | brushes=limb | -
blue truck top left corner | truck: truck | blue@whole | - | top,left
an usher in a burgundy waistcoat tears tickets | usher: person | waistcoat@upper burgundy@upper | tears=limb | -
two girls in matching uniforms skip rope | girls: person | uniforms@whole | skip=limb | -
guy leaving through back door | guy: person | - | leaving=move:out | -
ambulance w/ flashing blue lights speeding | ambulance: car | - | speeding=move | -
the jockey in pink silks whips the horse | jockey: person | silks@whole pink@whole | whips=limb | -
a mustachioed conductor waves his baton | conductor: person | - | waves=limb | -
the besneakered hipster vapes by the bins | hipster: person | - | vapes=limb | -
an iridescent pigeon struts about | pigeon: bird | - | struts=move | -
the woman next to the guy in the red tie | woman: person | - | - | -
person black umbrella waiting at bus stop | person: person | - | waiting=still | -
"""
