"""People and programs sign in with an account, whose role says what it may.

roles           the one table of who may do what
users           what holds for accounts, whoever changes them
sign_in         the one check of name and password
known_places    where a person has signed in before
first_password  a password that was made up, until its owner has changed it
own_password    the page on which people change their own
audit           who did or saw what
hashers         passwords as the original kept them
tokens          access tokens
authentication  who a request's token names
permissions     whether the role allows an endpoint's verb
addresses       where a request comes from
forms           signing in to the admin
admin_forms     what administrators fill in about an account
idle            who leaves the admin alone is signed out
oidc            signing in by OpenID Connect
retention       how long the audit trail is kept
first_admin     the account of a first start
"""
