"""These endpoints are the worklist by REST.

items            a scanner's items: list, create, change, delete, history
item_fields      the fields of an item, as serializers
item_rows        many items in JSON's values, from their columns
item_filters     the parameters of a list of items
bodies           what a client wrote
marks            that an item was performed, or that nobody came, as a person says
writing          what it wrote, through intake and lifecycle
renderers        items as CSV and as DICOM JSON
dates            dates and times as clients write them
devices          what a device did, what it would be answered, why an item is missing
performed_steps  what scanners reported
attention        what a coordinator must look at
calendar_feeds   appointments as a calendar, by a private address
"""
