"""What the worklist holds of one participant is found here, told, and made nobody's.

people      who has a patient ID, and what is theirs
traces      whether a text names a participant
technical   what of a data set says how something was done, and not to whom
pseudonyms  what takes the place of names and identifiers
items       items made nobody's, with their history
steps       performed steps made nobody's, with their history
asked       queries that name a participant
mentions    what people wrote of a participant elsewhere
erasing     all of it, in the caller's transaction
telling     what is known of a participant, as rows for a file
"""
