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
how many people are riding bikes? | people: person | - | - | bikes | many
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
"""

GROUPS = {"questions": QUESTIONS}
