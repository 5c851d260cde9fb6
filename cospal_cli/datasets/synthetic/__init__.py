"""Videos made by the program itself: who is meant and when is known, and nobody had to label it.

Figures with limbs act on a stage; a sentence describes one of them by its clothes and by what it
does. The set measures whether learning from sentences alone works, on any machine; it says little
about real video, and every file that it writes says that it is synthetic.
"""
