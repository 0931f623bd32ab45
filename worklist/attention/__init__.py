"""What a coordinator must look at is found here.

points       points of attention: found, opened once, resolved
archived     points of what an archive's answers show: opened, changed, resolved
awaiting     of which items it is not known yet that nothing was performed
identity     who the worklist said it was, against whom the scanner reported
whose_id     whose a patient ID is, by the items that carry it
overdue_qa   QA scans whose time has long passed
as_sent      what a device was sent of an item where that is not what is stored
stock_notes  what people often write when they resolve a point
"""
