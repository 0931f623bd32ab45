"""The DICOM server over pynetdicom: Verification, Modality Worklist, Modality Performed Procedure Step
and its Retrieve (PS3.4 Annexes A, F and K).

server      one process: listen, serve, stop without cutting off what runs
processes   several of them on one listening socket
admission   who may associate
find        a query and its answers
rows        the items of a query, read in chunks
mpps        reports of performed steps
datasets    the data set of a request, from its bytes
sending     answers as prepared P-DATA
connections socket options, what is logged about a peer
watching    what time alone brings about
config      the configuration file's allowed_aet
"""
