"""What a scanner performs becomes performed steps here, linked to the items that were scheduled.

performing  a performed step from N-CREATE to its end
linking     which items it is of, by ids that find just one
reads       what a report needs to know, by statements written once
candidates  which items it may have been, for a person to choose from
weighing    whose weight holds where the scanner's differs
"""
