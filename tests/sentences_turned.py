# ruff: noqa: E501
"""Sentences whose meaning turns on a small word, a mark or the order, written by hand.

A line: sentence | subject: class | worn and colours | excluded | context | listed.
Class: the heaviest ("any": none, or all but people). Worn and colours: every colour, garment and
accessory of the subject, as word@region; no others. Excluded: everything that counts against: words
of attributes and actions, positions, other things, classes. Context: nouns that must be other
things. Listed: words that must be unresolved. "-" is nothing; "_" joins words.
"""

from __future__ import annotations

QUESTIONS = """
what is the child away from? | object: any | - | - | child | -
who is the red toy next to in the playground? | person: person | - | - | toy playground | -
what does the child in black watch? | object: any | - | - | child | -
what is the dog towards to outside the room? | object: any | - | - | dog room | -
what does the adult lean on? | object: any | - | - | adult | -
who does the dog chase? | person: person | - | - | dog | -
who is next to a dog? | person: person | - | - | dog | -
when does the cat jump | cat: cat | - | - | - | -
when is the man in the blue hat walking away? | man: person | hat@head blue@head | - | - | -
where does the bird fly to? | bird: bird | - | - | - | -
why does the boy in red stop? | boy: person | red@whole | - | - | -
how does the man in black walk? | man: person | black@whole | - | - | -
which dog does the boy in red follow | dog: dog | - | - | boy | -
which red ball does the child in blue kick? | ball: sports_ball | red@whole | - | child | -
which ball on the left does the boy throw | ball: sports_ball | - | - | boy | -
which dog with the collar does the boy pet? | dog: dog | collar@upper | - | boy | -
whose dog does the boy in red chase? | dog: dog | - | - | boy | -
which of the dogs does the boy follow? | dogs: dog | - | - | boy | -
what kind of animal does the child pet | animal: dog | - | - | child | -
what is held by the man | object: any | - | - | man | -
what is being pushed by the adult in black outdoors | object: any | - | - | adult | -
what is the ball kicked by in the garden? | object: any | - | - | ball garden | -
what is beneath the child | object: any | - | - | child | -
what is above the baby from the left? | object: any | - | - | baby | -
what is the bird above in the sky? | object: any | - | - | bird sky | -
what is the car past on the road? | object: any | - | - | car road | -
who is past the car on the road? | person: person | - | - | car road | -
what is the child in front of to outside? | object: any | - | - | child | -
what is the adult getting off of? | object: any | - | - | adult | -
who does the child shake hands with? | person: person | - | - | child | -
who does the adult wave hand to? | person: person | - | - | adult | -
what does the child point to in the room? | object: any | - | - | child room | -
who is the boy speaking to on the stage | person: person | - | - | boy stage | -
what does the boy pet | object: any | - | - | boy | -
what does the stingray touch to outside the water | object: any | - | - | stingray water | -
which bear is next to the child? | bear: bear | - | - | child | -
which bicycle is a bird above? | bicycle: bicycle | - | - | bird | -
to whom does the man in the hat talk? | person: person | - | - | man | -
on what does the adult lean? | object: any | - | - | adult | -
next to which car is the dog sitting? | car: car | - | - | dog | -
in the playground, who is next to the dog? | person: person | - | - | dog playground | -
in the room what does the baby touch? | object: any | - | - | baby room | -
the child watches what? | object: any | - | - | child | -
the dog is chasing who in the park? | person: person | - | - | dog park | -
the adult leans on which chair? | chair: chair | - | - | adult | -
who is it that the dog chases? | person: person | - | - | dog | -
find what the child watches | object: any | - | - | child | -
can you tell me what the child is holding? | object: any | - | - | child | -
tell me which dog the boy follows | dog: dog | - | - | boy | -
what do you see next to the child? | object: any | - | - | child | -
whats the dog chasin | object: any | - | - | dog | -
who're the kids next to | person: person | - | - | kids | -
who r the kids next to | person: person | - | - | kids | -
WHAT IS THE CHILD LEANING ON | object: any | - | - | child | -
what is the man holding in his hand? | object: any | - | - | man | -
what is the child who is smiling holding? | object: any | - | - | child | -
what is the child wearing red away from? | object: any | - | - | child | -
who is the man that the dog plays with? | man: person | - | - | dog | -
who is the man the dog plays with? | man: person | - | - | dog | -
who is the man standing in the corner? | man: person | - | - | corner | -
what is the man doing to the dog? | man: person | - | - | dog | -
what color is the dog that runs? | dog: dog | - | - | - | -
in which part of the video does the man run | man: person | - | - | - | -
the thing the child is away from | thing: any | - | - | child | -
the person the dog chases | person: person | - | - | dog | -
what is next to the toy the child is holding? | object: any | - | - | toy child | -
which dog is near a baby wearing a green coat? | dog: dog | - | - | baby | -
is there a dog next to the child? | dog: dog | - | - | child | -
what does the man give the dog? | object: any | - | - | man dog | -
what has the boy got in his hand? | object: any | - | - | boy hand | -
whom does the dog bite? | person: person | - | - | dog | -
who does a dog stand in front of? | person: person | - | - | dog | -
who is the one next to the dog? | one: person | - | - | dog | -
what does the man who the dog chases hold? | object: any | - | - | man dog | -
what is a dog in the water pulled by | object: any | - | - | dog water | -
what is the dog beneath the table next to? | object: any | - | - | dog table | -
who does the child hold the hand of? | person: person | - | - | child hand | -
what does the dog in front of the kid in red next to the tree watch | object: any | - | - | dog kid tree | -
who is sitting on the bench the old man is next to | person: person | - | - | bench man | -
what color of ball does the dog chase | ball: sports_ball | - | - | dog | -
when does the man in red and white stop | man: person | red@whole white@whole | - | - | -
how often does the dog bark | dog: dog | - | - | - | -
who has the dog been chasing? | person: person | - | - | dog | -
away from who is a small elephant | person: person | - | - | elephant | -
what could a white sheep lift near the door? | object: any | - | - | sheep door | -
"""

NEGATIONS = """
the cyclist who is not wearing a helmet | cyclist: person | - | helmet | - | -
the cyclist who isn't wearing a helmet | cyclist: person | - | helmet | - | -
the cyclist who isnt wearing a helmet | cyclist: person | - | helmet | - | -
cyclist not wearin a helmet | cyclist: person | - | helmet | - | -
cyclist w/o helmet | cyclist: person | - | helmet | - | -
the man with no hat | man: person | - | hat | - | -
the man without a hat | man: person | - | hat | - | -
the man without a hat in red | man: person | red@whole | hat | - | -
the man without wearing a shirt | man: person | - | shirt | - | -
the man not wearing a hat in the red shirt | man: person | shirt@upper red@upper | hat | - | -
the man in the red shirt without a hat | man: person | shirt@upper red@upper | hat | - | -
the man not wearing a red hat | man: person | - | red | - | -
the man in a non-red shirt | man: person | shirt@upper | red | - | -
the man wearing anything but red | man: person | - | red | - | -
the man not only wearing a hat but also gloves | man: person | hat@head gloves@whole | - | - | -
the man wearing a hat but not a coat | man: person | hat@head | coat | - | -
the man who wears neither a hat nor gloves | man: person | - | hat gloves | - | -
the man with neither hat nor scarf | man: person | - | hat scarf | - | -
the woman without a hat or gloves | woman: person | - | hat gloves | - | -
the woman with no hat and a red scarf | woman: person | scarf@upper red@upper | hat | - | -
the woman with no hat and no scarf | woman: person | - | hat scarf | - | -
the man who lacks a hat | man: person | - | hat | - | -
the man lacking a hat | man: person | - | hat | - | -
the man sans hat | man: person | - | hat | - | -
the man with nothing on his head | man: person | - | hat | - | -
the woman no longer wearing a coat | woman: person | - | coat | - | -
the woman who never wears a coat | woman: person | - | coat | - | -
the woman who hasn't got a bag | woman: person | - | bag | - | -
the man who doesn't hold a cup | man: person | - | cup | - | -
the man not holding an umbrella | man: person | - | umbrella | - | -
the hatless man | man: person | - | hat | - | -
the helmetless cyclist | cyclist: person | - | helmet | - | -
the bareheaded woman | woman: person | - | hat | - | -
the shirtless man | man: person | - | shirt | - | -
the un-helmeted rider | rider: person | - | helmeted helmet | - | -
the unmasked man | man: person | - | masked | - | masked
the man without any shoes | man: person | - | shoes | - | shoes
the man who does not have a beard | man: person | - | beard | - | beard
the dog without a leash | dog: dog | - | leash | - | leash
the man who is not without a hat | man: person | hat@head | - | - | -
the man who isn't hatless | man: person | hat@head | - | - | -
the woman never without her hat | woman: person | hat@head | - | - | -
the car that is not non-white | car: car | white@whole | - | - | -
the non-white car | car: car | - | white | - | -
the nonwhite car | car: car | - | white | - | -
the dog that is not black | dog: dog | - | black | - | -
a dog thats not black | dog: dog | - | black | - | -
the dog that isn't black or white | dog: dog | - | black white | - | -
the dog that isn't black but brown | dog: dog | brown@whole | black | - | -
the dog that is neither black nor white | dog: dog | - | black white | - | -
the man not in red | man: person | - | red | - | -
the man who isn't dressed in red | man: person | - | red | - | -
the man whose shirt is not red | man: person | shirt@upper | red | - | -
the woman in the hat that is not red | woman: person | hat@head | red | - | -
the woman in a hat, not red | woman: person | hat@head | red | - | -
not the red car | car: car | - | red | - | -
the man who is not on the left | man: person | - | left | - | -
the man not on the left | man: person | - | left | - | -
the man who is not standing on the left | man: person | - | left | - | -
the man standing not on the left but on the right | man: person | - | left | - | -
the car not next to the bus | car: car | - | bus | - | -
the dog not far from the car | dog: dog | - | - | car | -
the man without a dog | man: person | - | dog | - | -
the chair that nobody sits on | chair: chair | - | person | - | -
the bike with nobody on it | bike: bicycle | - | person | - | -
the woman who is not walking | woman: person | - | walking | - | -
the woman who isn't running or jumping | woman: person | - | running jumping | - | -
the woman who is not running but walking | woman: person | - | running | - | -
who is neither running nor jumping | person: person | - | running jumping | - | -
the man that's not moving | man: person | - | moving | - | -
the man who is not talking | man: person | - | - | - | not talking
the man who cannot see | man: person | - | - | - | not see
the animal that is not a dog | animal: cat | - | - | - | -
the vehicle that's not a car | vehicle: truck | - | - | - | -
any animal except the dog | animal: cat | - | - | - | -
the person who is not a child | person: person | - | child | - | -
the man other than the one with the helmet | man: person | - | helmet | - | -
everyone except the man in the suit | everyone: person | - | suit | - | everyone man
everyone but the man in the suit walks away | everyone: person | - | suit | - | everyone
everyone apart from the woman in red | everyone: person | - | red | - | everyone
the men besides the one on the left | men: person | - | - | - | men
all the dogs except the white one | dogs: dog | - | white | - | all
all the dogs but the white one | dogs: dog | - | white | - | all
the white car rather than the black one | car: car | white@whole | black | - | -
the man in blue instead of the man in red | man: person | blue@whole | red | - | -
the man, not the woman, in red | man: person | red@whole | - | - | woman
the tall man, not the short one | man: person | - | short | - | -
the man in the suit, not the one in red | man: person | suit@whole | red | - | -
not the man in red but the woman in blue | woman: person | blue@whole | red | - | -
nobody but the man in the suit walks away | man: person | suit@whole | - | - | -
the man next to the woman without a hat | man: person | - | - | woman | -
the man next to the dog that is not black | man: person | - | - | dog | -
the leftmost man who is not in black | man: person | - | black | - | -
who is not wearing a hat? | person: person | - | hat | - | -
which dog isn't black? | dog: dog | - | black | - | -
the man in the blue shirt, who isn't wearing a hat, walks away | man: person | shirt@upper blue@upper | hat | - | -
the man holding nothing | man: person | - | - | - | nothing
the woman carrying no bag | woman: person | - | bag | - | -
the dog not on a leash | dog: dog | - | leash | - | -
don't show the man in red | man: person | - | red | - | -
the man who is not the one in red | man: person | - | red | - | -
the man who's not in the red jacket but in the blue jacket | man: person | jacket@upper blue@upper | red | - | -
the white dog unlike the black dog runs | dog: dog | white@whole | black | - | -
everybody except for those in red | everybody: person | - | red | - | everybody
no hat man | man: person | - | hat | - | -
man no shirt running | man: person | - | shirt | - | -
the cat and not the dog | cat: cat | - | - | - | -
the man never seen without a hat | man: person | hat@head | - | - | -
the not so tall man | man: person | - | tall | - | -
the man without a suit but with a tie | man: person | tie@upper | suit | - | -
the man wearing no suit but a tie | man: person | tie@upper | suit | - | -
the man who never, ever wears a hat | man: person | - | hat | - | -
what is not red? | object: any | - | red | - | -
except the man in red, everyone walks | everyone: person | - | red | - | everyone
the man who refuses to sit | man: person | - | sit | - | -
nobody in red | person: person | red@whole | - | - | no
neither of the men | men: person | - | - | - | neither
"""

GENITIVES = """
the man in the suit's bicycle | bicycle: bicycle | - | - | man | -
the man in the suit's bicycle rolls away | bicycle: bicycle | - | - | man | -
the man's bicycle | bicycle: bicycle | - | - | man | -
the bicycle of the man in the suit | bicycle: bicycle | - | - | man | -
the woman in red's bag | bag: handbag | - | - | woman | -
the man on the left's dog | dog: dog | - | - | man | -
the man wearing the suit's bicycle | bicycle: bicycle | - | - | man | -
the boy holding the umbrella's dog | dog: dog | - | - | boy | -
the man in black's red car | car: car | red@whole | - | man | -
the child in the stroller's ball | ball: sports_ball | - | - | child | -
the girl next to the boy's bike | girl: person | - | - | bike | -
the dog next to the man in the suit's car | dog: dog | - | - | car | -
the man with the dog's leash | man: person | - | - | leash | -
the boys' ball | ball: sports_ball | - | - | boys | -
the player in the goalkeeper's jersey | player: person | jersey@upper | - | - | -
the man in the suit's walking away | man: person | suit@whole | - | - | -
the woman 's red hat | hat: any | red@whole | - | woman | -
what is the man in the suit's dog chasing? | object: any | - | - | dog | -
the man in the "Lakers" jersey | man: person | jersey@upper | - | - | lakers
the man in red 🚗 walks away | man: person | red@whole | - | - | 🚗
"""

COUNTS = """
two people on bikes | people: person | - | - | bikes | two
both men | men: person | - | - | - | both
every car | car: car | - | - | - | every
the people | people: person | - | - | - | people
first person to appear | person: person | - | - | - | first
the last man to leave | man: person | - | - | - | last
each of the players | players: person | - | - | - | each
a group of people walking | people: person | - | - | - | group
a couple of kids | kids: person | - | - | - | couple
several cyclists | cyclists: person | - | - | - | several
2 dogs | dogs: dog | - | - | - | 2
a dozen ducks | ducks: bird | - | - | - | dozen
multiple cars | cars: car | - | - | - | multiple
those cars | cars: car | - | - | - | those
everyone in red | everyone: person | red@whole | - | - | everyone
the twins | twins: person | - | - | - | twins
dogs | dogs: dog | - | - | - | dogs
the sheep are grazing | sheep: sheep | - | - | - | sheep
a man and a woman dance | man: person | - | - | woman | woman
the man and the dog walking | man: person | - | - | dog | dog
how many people are riding bikes? | people: person | - | - | bikes | many
"""

# One subject is asked for: nothing to warn of.
SINGLE = """
the man with two dogs
one of the men
the second man from the left
the first man
a pair of scissors
the sheep is grazing
player number 7
the glasses on the table
either man
the two-wheeler
the tallest of the men
the taller of the two men
the smallest of the three dogs
a cattle eats
no hat man
which of the dogs is black?
the man in the group photo
"""

# Written with marks ~ the plain sentence that reads the same.
MARKS = """
the 'red' car ~ the red car
the man in “red” ~ the man in red
the man in the "Lakers" jersey ~ the man in the Lakers jersey
the woman 's red hat ~ the woman's red hat
the woman ’s red hat ~ the woman's red hat
the woman’s red hat ~ the woman's red hat
the woman ' s red hat ~ the woman's red hat
the woman s red hat ~ the woman's red hat
the ‘red’ car ~ the red car
the `red` car ~ the red car
the «red» car ~ the red car
the ‹red› car ~ the red car
the „red“ car ~ the red car
"the red car" ~ the red car
'the red car' ~ the red car
“the red car drives away.” ~ the red car drives away.
the *red* car ~ the red car
the **red** car ~ the red car
the _red_ car ~ the red car
the [red] car ~ the red car
the (red) car ~ the red car
the {red} car ~ the red car
the <red> car ~ the red car
the man (in red) walks away ~ the man in red walks away
the man — in red — walks away ~ the man in red walks away
the man -- in red -- walks away ~ the man in red walks away
the man - in red - walks away ~ the man in red walks away
the man… in red walks away ~ the man in red walks away
the man... in red walks away ~ the man in red walks away
the boys' ball ~ the boys's ball
the dog does n't bark ~ the dog doesn't bark
the dog don ' t bark ~ the dog don't bark
the man in &quot;red&quot; ~ the man in red
the man in "a red hat" walks ~ the man in a red hat walks
'who' is next to the dog? ~ who is next to the dog?
what does the "child" in 'black' watch? ~ what does the child in black watch?
the man's 'red' car ~ the man's red car
the dog 'jumps' over the fence ~ the dog jumps over the fence
the man wearing a ''red'' hat ~ the man wearing a red hat
the man in the red 'hat' walks 'away' ~ the man in the red hat walks away
the car, "red," drives away ~ the car, red, drives away
the man in ″red″ ~ the man in red
the man [wearing a hat] ~ the man wearing a hat
the "man" ~ the man
the man" in red ~ the man in red
the man' in red ~ the man in red
the player (number 7) ~ the player number 7
the man in red!!! ~ the man in red
the man in red :) ~ the man in red
the man in red/black ~ the man in red/black
the dog next_to the man ~ the dog next to the man
the dog in_front_of the man ~ the dog in front of the man
"""

GROUPS = {
    "questions": QUESTIONS,
    "negations": NEGATIONS,
    "genitives": GENITIVES,
    "counts": COUNTS,
}
