"""People are told by mail, or a site's own programs by webhook, what waits for somebody.

facts        what is true now that a person may want to hear of
outbox       from what is true, and from the hour, to deliveries that wait: each once
digests      at which moment a digest is due, and what it tells of the day
composing    what a delivery says, without a participant's data
sending      a delivery is claimed, sent, and tried again where that fails
mailing      by mail
webhooks     by a signed POST
undelivered  why a message could not be brought
sweeping     one look: the outbox is filled, and what is due is sent
background   the web server's thread that looks every half minute
accounts     whose a subscription is, and what becomes of it with the account
retention    deliveries are kept for so long
checks       what looks wrong in a set-up
forms        what a person fills in
"""
