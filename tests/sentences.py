# ruff: noqa: E501
"""Sentences with what they mean, written by hand.

A line: sentence | subject: classes | worn and colours | actions | positions.
Classes: each must weigh at least .5 and no other may weigh more ("any": none, or all but people).
Worn and colours: every colour, garment and accessory of the subject, as word@region; no others.
Actions: verb=kind:directions, in the order of the sentence. "-" is nothing; "_" joins words.
"""

from __future__ import annotations

from tests.sentences_careless import CARELESS, MIXED, RARE

HCSTVG = """
The man in white clothes bends down and looks down then sits in the chair next to him. | man: person | white@whole | bends=limb:down looks=still sits=still | -
The woman in the gray sweater walks away to the right. | woman: person | sweater@upper gray@upper | walks=move:away,right | -
The man in the black hat turns around and walks to the door. | man: person | hat@head black@head | turns=limb walks=move:to | -
The man in the blue shirt takes the cup from the woman in red and drinks. | man: person | shirt@upper blue@upper | takes=limb drinks=limb | -
The woman in a red dress walks to the man, hugs him and turns away. | woman: person | dress@whole red@whole | walks=move:to hugs=limb turns=limb | -
The bald man stands up, opens the door and leaves the room. | man: person | - | stands=limb:up opens=limb leaves=move:out | -
The man wearing a blue shirt and black pants walks to the woman and waves. | man: person | shirt@upper blue@upper pants@lower black@lower | walks=move:to waves=limb | -
The woman with blonde hair picks up the phone and talks. | woman: person | blonde@head | picks=limb talks=talk | -
The boy in the striped shirt jumps over the fence and runs away. | boy: person | shirt@upper | jumps=jump runs=move:away | -
The man in the suit walks down the stairs, then stops and looks at the woman in white. | man: person | suit@whole | walks=move:down stops=still looks=still | -
The woman in black turns her head to the left and smiles. | woman: person | black@whole | turns=limb smiles=talk | -
The man in the green jacket pushes the man in the white shirt and walks away. | man: person | jacket@upper green@upper | pushes=move walks=move:away | -
The girl with the red backpack runs towards the camera. | girl: person | backpack@upper red@upper | runs=move:closer | -
The old man with a white beard puts down the book and stands up. | man: person | white@head | puts=limb stands=limb:up | -
The man in the brown coat gets out of the car and walks to the left. | man: person | coat@upper brown@upper | gets=move:out walks=move:left | -
The man on the left walks to the right and shakes hands with the woman. | man: person | - | walks=move:right shakes=limb | left
The woman in the yellow dress sits down on the sofa, then lies down. | woman: person | dress@whole yellow@whole | sits=limb:down lies=limb:down | -
The soldier in the helmet crouches down and aims the rifle. | soldier: person | helmet@head | crouches=limb:down aims=limb | -
The man in a dark suit and a red tie nods and points to the door. | man: person | suit@whole dark@whole tie@upper red@upper | nods=limb points=limb | -
The man raises his hand, then he turns back and walks out of the room. | man: person | - | raises=limb turns=limb:back walks=move:out | -
The woman in the purple coat enters the room and closes the door. | woman: person | coat@upper purple@upper | enters=move:in closes=limb | -
The boy sitting on the chair gets up and goes to the window. | boy: person | - | sitting=still gets=limb:up goes=move:to | -
The man walks to the table while the woman in blue sits on the sofa. | man: person | - | walks=move:to | -
The man gives the woman a cup and she drinks. | man: person | - | gives=limb | -
The woman hands the cup to the man, and the man in red drinks. | woman: person | - | hands=limb | -
The man takes off his hat and bows. | man: person | - | takes=limb bows=limb:down | -
The man who is wearing glasses stands up and walks past the woman in the white coat. | man: person | glasses@head | stands=limb:up walks=move | -
The man next to the woman who is laughing walks away. | man: person | - | walks=move:away | -
The man in black clothes follows the girl in the pink skirt. | man: person | black@whole | follows=move | -
The short-haired woman in the light blue shirt kneels down next to the child. | woman: person | shirt@upper light_blue@upper | kneels=limb:down | -
The man in gray clothes walks forward a few steps and then squats down to pick up the box. | man: person | gray@whole | walks=move:front squats=limb:down pick=limb | -
The woman in the navy jacket walks backwards slowly. | woman: person | jacket@upper navy@upper | walks=move:back | -
The man in a white robe raises his arms and walks towards the man in the black cloak. | man: person | robe@whole white@whole | raises=limb walks=move:to | -
The woman wearing a white apron stirs the soup and tastes it. | woman: person | apron@upper white@upper | stirs=limb tastes=limb | -
The man in the orange vest climbs the ladder. | man: person | vest@upper orange@upper | climbs=move:up | -
The man slaps the other man in the face and runs out of the house. | man: person | - | slaps=limb runs=move:out | -
The little girl in the red dress skips across the yard to her mother. | girl: person | dress@whole red@whole | skips=jump:to | -
The bearded man lifts the box, turns to the left and walks out. | man: person | - | lifts=limb turns=limb:left walks=move:out | -
The man in the white hat rides a horse up the hill. | man: person | hat@head white@head | rides=move:up | -
The woman in the green dress, holding a glass, walks to the bar. | woman: person | dress@whole green@whole | holding=still walks=move:to | -
The man ran to the door, took the key and left. | man: person | - | ran=move:to took=limb left=move:out | -
The woman stood up and walked to the window. | woman: person | - | stood=limb:up walked=move:to | -
The policeman in the blue uniform gets in the car and drives away. | policeman: person | uniform@whole blue@whole | gets=move:in drives=move:away | -
The man in red starts walking to the left. | man: person | red@whole | walking=move:left | -
The woman with long black hair and a white scarf looks back and waves. | woman: person | black@head scarf@upper white@upper | looks=still waves=limb | -
"""

DECLARATIVE = """
there is an adult in black beside a car | adult: person | black@whole | - | -
there is a child in red next to the white dog outdoors. | child: person | red@whole | - | -
the toddler in front of the sofa leans on the chair | toddler: person | - | leans=limb | -
an adult in white holds a baby on the beach. | adult: person | white@whole | holds=still | -
a white dog chases a yellow ball on the grass. | dog: dog | white@whole | chases=move | -
a ball is kicked by the child | ball: sports_ball | - | kicked=move | -
a red car is driven by the man in the hat | car: car | red@whole | driven=move | -
the bicycle next to the adult in blue falls down. | bicycle: bicycle | - | falls=move:down | -
there is a black cat above the brown sofa. | cat: cat | black@whole | - | -
a child in a striped shirt rides a red bicycle. | child: person | shirt@upper | rides=move | -
an adult with a black hat pushes a stroller away from the camera. | adult: person | hat@head black@head | pushes=move:away | -
the horse pulls a cart with a man in brown. | horse: horse | - | pulls=move | -
the adult in the black jacket leans on the white bus. | adult: person | jacket@upper black@upper | leans=limb | -
a brown horse is ridden by a girl with a helmet. | horse: horse | brown@whole | ridden=move | -
there is a dog with a red collar behind a woman in white. | dog: dog | red@upper collar@upper | - | -
a guitar is played by a man with long hair. | guitar: any | - | played=unknown | -
the elephant walks away from the man in the white shirt. | elephant: elephant | - | walks=move:away | -
an adult wearing white shoes and blue jeans kicks the ball. | adult: person | shoes@feet white@feet jeans@lower blue@lower | kicks=limb | -
a cat lies on a gray bed. | cat: cat | - | lies=still | -
the bird flies above the water to the left. | bird: bird | - | flies=move:left | -
there are two children in red playing with a ball. | children: person | red@whole | playing=limb | -
a silver car parked near the house | car: car | silver@whole | parked=still | -
the boat with a white sail moves from left to right. | boat: boat | - | moves=move:right | -
the train moves from right to left. | train: train | - | moves=move:left | -
the child pats the dog that is lying on the floor. | child: person | - | pats=limb | -
the dog that the girl pets | dog: dog | - | - | -
the dog which is chasing the cat barks. | dog: dog | - | chasing=move barks=talk | -
a baby in pink crawls toward the adult in green. | baby: person | pink@whole | crawls=move:to | -
a toy is held by a baby in yellow. | toy: teddy_bear | - | held=still | -
the sheep in front of the black car moves closer to the camera. | sheep: sheep | - | moves=move:closer | -
the rabbit hops away. | rabbit: cat | - | hops=jump:away | -
there is a yellow taxi in the background. | taxi: car | yellow@whole | - | back
a white duck swims past a black swan. | duck: bird | white@whole | swims=move | -
"""

INTERROGATIVE = """
who is watching the ball? | person: person | - | watching=still | -
who is next to the white car? | person: person | - | - | -
who does the child in red hold? | person: person | - | - | -
who is the woman in blue hugging? | person: person | - | - | -
who in white rides the bicycle? | person: person | white@whole | rides=move | -
who wears a red hat and dances? | person: person | hat@head red@head | dances=limb | -
what is next to the adult in white? | object: any | - | - | -
what is the child in red holding? | object: any | - | - | -
what does the adult ride? | object: any | - | - | -
what vehicle drives away? | vehicle: car | - | drives=move:away | -
what animal is running to the left? | animal: dog | - | running=move:left | -
which dog jumps over the fence? | dog: dog | - | jumps=jump | -
which man in a suit walks away? | man: person | suit@whole | walks=move:away | -
what white thing is on the left? | thing: any | white@whole | - | left
who is the man in red? | man: person | red@whole | - | -
where is the black cat? | cat: cat | black@whole | - | -
who is sitting on the brown sofa? | person: person | - | sitting=still | -
who runs toward the camera in a green shirt? | person: person | shirt@upper green@upper | runs=move:closer | -
what is kicked by the boy in white? | object: any | - | kicked=move | -
who leans on the woman in black? | person: person | - | leans=limb | -
whose dog runs away? | dog: dog | - | runs=move:away | -
what is the dog doing? | dog: dog | - | - | -
what is above the toddler with the blue hat? | object: any | - | - | -
who is behind the bus? | person: person | - | - | -
who caresses the dog in the yard? | person: person | - | caresses=limb | -
"""

SHORT = """
white car | car: car | white@whole | - | -
red cup | cup: cup | red@whole | - | -
yellow ball | ball: sports_ball | yellow@whole | - | -
man | man: person | - | - | -
player number 7 | player: person | - | - | -
guy on the left | guy: person | - | - | left
the one in red | one: person | red@whole | - | -
someone wearing a hat | someone: person | hat@head | - | -
woman's dog | dog: dog | - | - | -
find the man in red | man: person | red@whole | - | -
show me when the dog jumps | dog: dog | - | jumps=jump | -
please track the blue car on the right | car: car | blue@whole | - | right
running dog | dog: dog | - | running=move | -
the parked truck | truck: truck | - | parked=still | -
person in the middle | person: person | - | - | middle
the leftmost woman | woman: person | - | - | left
the tallest man in the background | man: person | - | - | tallest,back
the biggest dog | dog: dog | - | - | largest
the closest car | car: car | - | - | front
the car in front | car: car | - | - | front
the man in the foreground wearing sunglasses | man: person | sunglasses@head | - | front
black and white dog | dog: dog | black@whole white@whole | - | -
dark green truck | truck: truck | dark_green@whole | - | -
light blue sedan | sedan: car | light_blue@whole | - | -
girl with a ponytail | girl: person | - | - | -
red-haired woman | woman: person | red-haired@head | - | -
man with a white cap | man: person | cap@head white@head | - | -
man in blue jeans | man: person | jeans@lower blue@lower | - | -
a group of people walking | people: person | - | walking=move | -
one of the dogs | dogs: dog | - | - | -
a pair of white shoes | shoes: any | white@whole | - | -
cup of coffee | cup: cup | - | - | -
the man next to the woman in red | man: person | - | - | -
the man in red next to the woman in blue | man: person | red@whole | - | -
the car next to the red truck | car: car | - | - | -
tennis player | player: person | - | - | -
fire truck | fire truck: truck | - | - | -
school bus turning left | school bus: bus | - | turning=move:left | -
on the left a man in black | man: person | black@whole | - | left
the woman behind the man in the white shirt | woman: person | - | - | -
the woman with the umbrella walking away | woman: person | - | walking=move:away | -
the red car turns right | car: car | red@whole | turns=move:right | -
the person at the top | person: person | - | - | top
the first person who enters | person: person | - | enters=move:in | first
the guy whose shirt is red | guy: person | shirt@upper red@upper | - | -
the car that is white | car: car | white@whole | - | -
woman wearing white sneakers and a gray hoodie | woman: person | sneakers@feet white@feet hoodie@upper gray@upper | - | -
dark-skinned man in white | man: person | white@whole | - | -
the dog lying on the right | dog: dog | - | lying=still | right
the cyclist riding up the road | cyclist: person | - | riding=move:up | -
the boy on the right in a green t-shirt | boy: person | t-shirt@upper green@upper | - | right
the woman leaves | woman: person | - | leaves=move:out | -
the man left the room | man: person | - | left=move:out | -
The man sitting in the white chair | man: person | - | sitting=still | -
a person walks from the right | person: person | - | walks=move:left | -
the orange cat | cat: cat | orange@whole | - | -
find the person carrying a black suitcase | person: person | - | carrying=move | -
the last car | car: car | - | - | last
he walks away | he: person | - | walks=move:away | -
a little boy in a red and blue jacket is throwing a ball to the dog | boy: person | jacket@upper red@upper blue@upper | throwing=limb | -
the smallest of the three dogs | dogs: dog | - | - | smallest
second from the left player | player: person | - | - | left
the person not wearing a hat | person: person | - | - | -
the bird on the branch takes off | bird: bird | - | takes=move:up,away | -
the car makes a left turn | car: car | - | makes=move:left | -
the man takes two steps back and looks at the camera | man: person | - | takes=move:back looks=still | -
the dog chased by the cat runs away | dog: dog | - | chased=move runs=move:away | -
the man whose shirt is red walks away | man: person | shirt@upper red@upper | walks=move:away | -
he is wearing a red hat | he: person | hat@head red@head | - | -
the man stood by the door and left | man: person | - | stood=still left=move:out | -
the boy got hit by the ball | boy: person | - | hit=move | -
the teddy bear | teddy bear: teddy_bear | - | - | -
"""

PARAPHRASES = """
the barista in crimson strolls to the right | barista: person | crimson@whole | strolls=move:right | -
the azure hatchback speeds off | hatchback: car | azure@whole | speeds=move:away | -
a hound trots toward the camera | hound: dog | - | trots=move:closer | -
the pedestrian dashes across the street | pedestrian: person | - | dashes=move | -
the gentleman in the charcoal blazer saunters away | gentleman: person | blazer@upper charcoal@upper | saunters=move:away | -
the lass in the scarlet gown twirls | lass: person | gown@whole scarlet@whole | twirls=limb | -
a toddler toddles to the left | toddler: person | - | toddles=move:left | -
the feline leaps down | feline: cat | - | leaps=jump:down | -
the ivory sedan pulls over | sedan: car | ivory@whole | pulls=move | -
the lorry reverses | lorry: truck | - | reverses=move:back | -
the chap in the burgundy jumper ambles off to the left | chap: person | jumper@upper burgundy@upper | ambles=move:away,left | -
the goalkeeper dives to the right | goalkeeper: person | - | dives=move:down,right | -
the chef with the beige apron chops carrots | chef: person | apron@upper beige@upper | chops=limb | -
the puppy scampers away from the camera | puppy: dog | - | scampers=move:away | -
the motorcyclist overtakes the van | motorcyclist: person | - | overtakes=move | -
the stallion gallops to the left | stallion: horse | - | gallops=move:left | -
the settee | settee: couch | - | - | -
the crimson mug | mug: cup | crimson@whole | - | -
the fishmonger in teal | fishmonger: person | teal@whole | - | -
the maroon SUV heads left | suv: car | maroon@whole | heads=move:left | -
the woman clad in turquoise | woman: person | turquoise@whole | - | -
an infant in lavender scoots backward | infant: person | lavender@whole | scoots=move:back | -
the waitress sporting a fuchsia top hurries away | waitress: person | top@upper fuchsia@upper | hurries=move:away | -
the labrador dozes | labrador: dog | - | dozes=still | -
the hiker treks up the hill | hiker: person | - | treks=move:up | -
"""

GROUPS = {
    "hcstvg": HCSTVG,
    "declarative": DECLARATIVE,
    "interrogative": INTERROGATIVE,
    "careless": CARELESS,
    "rare": RARE,
    "mixed": MIXED,
    "short": SHORT,
    "paraphrase": PARAPHRASES,
}
