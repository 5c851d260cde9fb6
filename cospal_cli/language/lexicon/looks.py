"""Words whose evidence only the appearance classifier gives -> ImageNet-1k classes.

A line reads ``class [class .weight ...]: words``. A class without a weight counts 1. Only words
that say more than a detector class and a colour: "taxi", not "car".
"""

from __future__ import annotations

from functools import cache

DRESSED = """
834 906 .3 451 .2 457 .2: suit blazer tuxedo businessman
906 834 .5: tie necktie windsor_tie
457 834 .4 451 .3: bow_tie bowtie
608: jean jeans denim
655 689 .3 601 .2: skirt miniskirt
841 474 .3 610 .3 911 .2: sweater sweatshirt hoodie jumper pullover fleece
474 841 .3 911 .3: cardigan
610 841 .2: jersey shirt t-shirt tshirt tee polo
869 617 .3 568 .3 501 .2: coat overcoat trenchcoat raincoat
617: lab_coat
578 400 .2 689 .2 601 .2: gown dress wedding_dress evening_dress bride
614: kimono
399: abaya
652 439 .2 465 .2: uniform soldier fatigues
652 465 .2: police_officer policeman policewoman officer cop
465 461 .2: vest waistcoat
524 461 490: armor armour knight
501 735 .3: cloak cape
735: poncho
824 552 .3: scarf shawl stole
411: apron
697: pajamas pyjamas pajama
842 445 .4 639 .3 638 .3: shorts trunks swimming_trunks
638 639 445: swimsuit bathing_suit swimwear
445 459 .3: bikini bra
515 808 439 .3 452 .3 715 .3: hat cowboy_hat sun_hat fedora sombrero
452 515 .2 433 .2: bonnet
433 793: swimming_cap bathing_cap
518 560 465 .2: helmet
560 518 .4: football_helmet
836 837: sunglasses sunglass shades
836 .7 837 .7: glasses spectacles eyeglasses
836 .4 837 .4 801 .3: goggles
643 796 570 .3: mask balaclava
903: wig
679: necklace pendant
531: watch wristwatch
658: mitten mittens glove gloves
514 770 .3: boot boots
770 514 .2: sneaker sneakers trainers running_shoe
774: sandal sandals flip-flops
502 630: slippers clogs loafers loafer
806: sock socks stockings
414 748 .3 636 .3: backpack rucksack knapsack schoolbag
748 636 .4 728 .3 414 .3: handbag purse bag tote
636: satchel
728: plastic_bag shopping_bag
879: umbrella parasol
701: parachute
785: seat_belt
823: stethoscope doctor nurse
981 610 .3: batter pitcher catcher batsman ballplayer
983 801 .3: diver
982: groom bridegroom
400 667: graduate
667: mortarboard
449 .2 693: paddle oar
423 424: barber hairdresser
515 339 .3: cowboy
983: scuba_diver
"""

CREATURES = """
207 208 .3: golden_retriever
208 207 .3: labrador
207 208 205 206 209: retriever
250 248 249: husky
249 248 250 .5: malamute
265 266 267: poodle
182 187 188 189 190 191 192 193 199 200 201 202 203 185 186: terrier
162 166 .5 167 .5 161 .5: beagle
151: chihuahua
263 264: corgi
254: pug
231 232 230: collie
232 231 .3: border_collie
235 225 .3: german_shepherd shepherd_dog
251: dalmatian
234: rottweiler
236 237 .5: doberman
243 244: mastiff
245 243 .3 242 .2: bulldog
171 172: greyhound whippet
259: pomeranian
258: samoyed
246: great_dane
247: saint_bernard
229 231 .4 230 .4 222 .3 257 .3: sheepdog
217 218 219 220: spaniel
155 204: shih_tzu
154: pekingese
153: maltese
256: newfoundland
212 213 214: setter
196 197 198: schnauzer
242: boxer_dog
161 162 163 164 165 166 167 .5: hound
281 282 285: tabby
283: persian
284: siamese
277 278 280 279 .5: fox
269 270 271: wolf
272 273: coyote dingo
276: hyena
291: lion lioness
292: tiger
288 290 289: leopard
293: cheetah
290 288: jaguar
286: cougar puma
287: lynx
330 331 332: rabbit bunny hare
333: hamster
338: guinea_pig
335: squirrel chipmunk
360: otter
337: beaver
334: porcupine hedgehog
361: skunk
356 357 359: weasel ferret
341 342 .5: pig piglet hog
342: boar
343: warthog
347: bison
346 345: buffalo
345: ox bull
354: camel
355: llama alpaca
353 352 351: deer antelope gazelle stag doe
348 349 350: goat ram
344: hippo hippopotamus
104: kangaroo wallaby
105: koala
388 387 .3: panda
296: polar_bear
294: brown_bear grizzly
295: black_bear
297 364: sloth
366 367 365: ape gorilla chimpanzee orangutan
370 371 372 373 374 375 376 377 378 379 380 381 382: monkey
372: baboon
373: macaque
97 98 .5: duck
99: goose
100: swan
130: flamingo
144: pelican
145: penguin
9: ostrich
8 7 .4: hen chicken
7 8 .4: rooster cock
84: peacock
87 88 89 90: parrot
89: cockatoo
88: macaw
90: parakeet
22 21 .5: eagle hawk falcon kite_bird
24: owl
23: vulture
96: toucan
94: hummingbird
127 128: stork
131 132: heron
134: crane_bird
146: seagull gull
15 10 .4 12 .4 13 .4: robin sparrow finch
18: magpie
148 147: whale
150: seal sea_lion
2 3 4: shark
33 34 35 36 37: turtle tortoise
30 31 32: frog
49 50: crocodile alligator
52 53 54 56 57 60 61 65: snake
46 47 39 40: lizard
118 119 120 121: crab
323 321 322 324 325 326: butterfly
386 385 101: elephant
1 0: fish
"""

OBJECTS = """
468: taxi cab taxicab
407: ambulance
555 407 .2: fire_truck fire_engine
734: police_car police_van patrol_car
656 675 .4 654 .3: van minivan
817 511 .4 751 .4: sports_car sportscar race_car racecar racing_car
751 817 .3: racer
511: convertible cabriolet
627: limousine limo
609: jeep suv
436 656 .3: hatchback station_wagon
717: pickup pickup_truck
569: garbage_truck
864: tow_truck
867 675 .4: lorry semi big_rig juggernaut
866 595 .3: tractor
595 856: harvester
561: forklift
847: tank
779: school_bus
874: trolleybus
654: minibus
829: tram streetcar trolley_car
547 820: locomotive
466: subway metro
671: mountain_bike
444: tandem
870: tricycle
880: unicycle
665 670: moped scooter vespa motorbike
573: go-kart
575: golf_cart
802: snowmobile
612: rickshaw
603: carriage
690: oxcart
404 895 .3: airliner jet jetliner
895: warplane
405: airship zeppelin
472: canoe
472 .8 693 .5: kayak
814: speedboat motorboat
914 484 871 780: sailboat yacht
628 510: ship
576: gondola
554: fireboat
625: lifeboat
537: sled sledge
791: shopping_cart trolley
428: wheelbarrow
402 546 420 .2: guitar guitarist
546: electric_guitar
402: acoustic_guitar
420: banjo
889 486 .3: violin violinist fiddle
486: cello cellist
579 881: piano pianist
541: drum drums drummer
558: flute flutist
513 566 .3: trumpet trumpeter
776: saxophone sax saxophonist
875: trombone
401: accordion
594: harp
593: harmonica
650 819 .3: microphone mic singer
805: soccer_ball football
430: basketball
890: volleyball
852: tennis_ball
429: baseball
574: golf_ball
722: ping_pong_ball
768: rugby_ball
746: puck
752: racket racquet tennis_racket badminton_racket
417: balloon
422 543: barbell dumbbell
968 504 .7: cup teacup
504 968 .7: mug coffee_mug coffee_cup
572 966 .4: goblet wine_glass wineglass
441: beer_glass
849: teapot kettle
725: pitcher_jug jug
898 737: water_bottle
907: wine_bottle
440: beer_bottle
809 659: bowl
923: plate
567 909: pan
738: pot
463 876 .3: bucket
653: milk_can
499: knife cleaver
784: screwdriver
587: hammer
740: drill
596: axe hatchet
462: broom
840: mop
792: shovel
491: chainsaw
621: lawn_mower
882: vacuum
764 413: rifle
763: gun pistol revolver
471: cannon
759 732: camera
872: tripod
745: projector
508 878: keyboard
673: computer_mouse
681 620: laptop
527: computer
487: cellphone smartphone
605 590 .5: ipod
761: remote
851: tv television
664 782: monitor screen
831: couch sofa
559: folding_chair
765: rocking_chair
703: bench
423: barber_chair
516 520: cradle crib
431: bassinet
846: lamp
892 409: clock
519: crate
478: carton
549: envelope
917: comic_book
865: toy
850: teddy teddy_bear plush plushie
470: candle
626: lighter
971: bubble
928: ice_cream
933: burger hamburger cheeseburger
934: hot_dog
963: pizza
931: bagel
930: bread
932: pretzel
927: dessert
948: apple
949: strawberry
950: orange
951: lemon
953: pineapple
954: banana
957: pomegranate
945: pepper
947: mushroom
943: cucumber
937: broccoli
985: daisy
985 .4 883 .3: flower bouquet
883: vase
716 490 .2: fence
843: swing
795: ski skis
770: runner
801: snorkel
643: masked
515 .5: hatted
"""


@cache
def table() -> dict[str, dict[int, float]]:
    """Word -> ImageNet-1k class index -> weight in (0, 1]."""
    found: dict[str, dict[int, float]] = {}
    for line in (DRESSED + CREATURES + OBJECTS).strip().splitlines():
        classes, _, words = line.partition(":")
        weights: dict[int, float] = {}
        for part in classes.split():
            if part.startswith("."):
                weights[next(reversed(weights))] = float(part)
            else:
                weights[int(part)] = 1.0
        for word in words.split():
            found.setdefault(word.replace("_", " "), weights)
    return found
