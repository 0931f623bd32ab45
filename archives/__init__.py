"""An archive holds the images: it is asked what arrived, and nothing is ever written into it.

contract    what an archive is asked, and what it answers, without Django
models      archives, when each item is to be asked for, and what was found
"""
