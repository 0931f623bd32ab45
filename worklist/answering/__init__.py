"""A query is led here from its bytes to its answers, whether the DICOM server or a page asks.

compiled    a query's keys and the plan of its answers, remembered
selecting   the statements that find the items of a query, remembered
rows        the items of a query, read in chunks
remembered  what was made of the last rows
search      all of it together
statuses    the status of each response
requests    queries made, recorded and moved to today
previews    what a device would be answered, and an item as a scanner receives it
explaining  why an item is not among the answers
unfound     the day's items that no scanner finds for their station
happened    what became of an item that is over
verdicts    the same for every device, and whether more is kept out by it
omitting    the coming items that a device's rules would keep from it
"""
