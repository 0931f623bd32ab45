"""All rooms of the REST API share what is here.

views     the base of every endpoint: who may, what is audited
errors    one shape for every error
paging    bare lists with X-Total-Count
parsing   JSON that the database can keep
routes    the API's paths, and what follows from them
logs      what the log says of a request that was refused
schema    how the OpenAPI schema is made
docs      /docs, /redoc, /openapi.json
audit     who asked what, from where
"""
