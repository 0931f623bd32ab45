"""What happened to an item is told here as one list for people, whoever did it.

whole      all of it, the newest first
entries    one thing that happened, and who did it in words
changes    what people, sources and devices wrote, by the item's history
performed  examinations: begun, ended, linked by a person
attention  points that were opened and resolved
asked      when scanners asked for the item
readable   a field's name and value as people read them
"""
