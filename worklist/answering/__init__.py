"""A query from its bytes to its answers, whoever asks: the DICOM server, a preview, an explanation.

offers       what a device is offered, by the rules of its row
compiled     a query's keys and the plan of its answers, remembered
rows         the items of a query, read in chunks
remembering  the last answers
search       all of it together
requests     queries made, recorded and moved to today
explaining   why an item is not among the answers
"""
