"""What looks over all apps stands here; of this an app's admin knows the admin site alone.

admin_site  the admin site and its index
who_looked  leads from an item's page to the events that name it
audited_patients  whose patient IDs an audit event is about
extensions  in which forms other apps show their own on the admin's pages
today       the index: what needs attention, a day or a week, sources and devices
shown_days  which day or week the index shows
bookings    a day's bookings as HTML, which is kept while they stay as they are
open_points  what needs attention, a few points of it
quality     QA scans in a lane of their own
scanners    when each scanner asked last, and who may connect
first_steps  what an empty installation lacks, until all is done
plots  examinations drawn by day, scanner and study, and starts against their schedule
search  what a text finds, by kind
search_pages  the search box's answers, and the page of its results
stations    the day's items that no scanner finds for their station
live        a part of a page that keeps itself fresh
navigation  where the header of every page leads
trail       from which list a page is reached
health      whether the server lives, and whether it is ready
readiness   whether this installation can do its work
probes      what readiness tries: a row, the disk, the DICOM server
checks      system checks of a site's set-up
exposure    a warning where others reach the admin without a proxy
error_pages  what is said where a page is missing, forbidden or fails
unavailable  what is said, and kept, while the database cannot be used
"""
