"""What archives have shown is put on the admin's pages here.

item_panel  an item's page: where its images are, and whether they are whose they should be
item_marks  marks and a filter of the items' list
timeline    when images arrived, in an item's timeline
arrivals    how much has arrived by study and month: a page and its file
counting    those counts, by the database
"""
