"""People sign in by OpenID Connect where a site wants it (docs/sign_in.md).

urls      the two pages: to the provider, and back
views     what a browser is sent to, and what is told to who is refused
provider  the library's client, and the claims that it has checked
person    from claims to an account with a role
"""
