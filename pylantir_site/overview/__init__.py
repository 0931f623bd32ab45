"""What looks over all apps: nothing but the site's own routes and settings imports this.

admin_site  the admin site and its index
health      whether the server lives, and whether it is ready
readiness   whether this installation can do its work
checks      system checks of a site's set-up
"""
