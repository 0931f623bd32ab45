"""The DICOM server: Verification and Modality Worklist (PS3.4 Annexes A and K) over pynetdicom.

server      one process: listen, serve, stop without cutting off what runs
processes   several of them on one listening socket
admission   who may associate
find        a query and its answers
rows        the items of a query, read in chunks
sending     answers as prepared P-DATA
connections socket options, what is logged about a peer
config      the configuration file's allowed_aet
"""
