"""Archives file what arrives by rules of their own: these rules, and the rows of a mapping that suit.

images      what an image carries of a session's item, and what its scanner discards
filed       where an archive puts it, and what is said of that
xnat        XNAT's rules
loris       LORIS'
flywheel    Flywheel's
reproin     ReproIn's, by which HeuDiConv makes a BIDS data set
schemes     which there are, and what keeps two sessions apart in each
collisions  sessions that one archive puts into one place
presets     rows of a mapping by which each archive finds its way

Nothing here needs Django, a database or a network.
"""
