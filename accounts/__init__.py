"""People and programs sign in with an account, whose role says what it may.

roles           the one table of who may do what
users           what holds for accounts, whoever changes them
sign_in         the one check of name and password
hashers         passwords as the original kept them
tokens          access tokens
authentication  who a request's token names
permissions     whether the role allows an endpoint's verb
addresses       where a request comes from
forms           signing in to the admin
retention       how long the audit trail is kept
first_admin     the account of a first start
"""
