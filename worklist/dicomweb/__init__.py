"""The worklist and performed steps are served here as DICOM Web Services (PS3.18 chapters 14 and 15).

search           GET /modality-scheduled-procedure-steps
performed_steps  /modality-performed-procedure-steps/{mppsUID}: create, update, retrieve
views            what both share: whose device it is, warnings, what is recorded of a contact
keys             query parameters, and the identifier that a C-FIND of the same keys has
media_types      what a client accepts, and how a body is written
payloads         data sets as JSON and XML, single and in parts
bodies           a request's body as the bytes of a data set
schema           what the OpenAPI schema says of all this
"""
