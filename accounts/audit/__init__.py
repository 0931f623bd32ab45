"""The audit trail keeps who did or saw what, when and from where: one table, to which rows are only added.

events       an event is written; one that cannot be waits in memory for the next
actors       who is at work, for what is noticed below a request
pages        what is kept of a page of the admin
accounts     sign-ins, sign-outs, and changes of accounts
chain        each event's digest holds the one before it
append_only  triggers by which the database refuses changes
messages     what of it is told by PS3.15's audit messages
export       events as lines, for whoever must give account
"""
