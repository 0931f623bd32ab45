"""What looks over all apps stands here; of this an app's admin knows the admin site alone.

admin_site  the admin site and its index
stations    the day's items that no scanner finds for their station
health      whether the server lives, and whether it is ready
readiness   whether this installation can do its work
checks      system checks of a site's set-up
"""
