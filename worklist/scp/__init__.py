"""The DICOM server over pynetdicom offers four services (PS3.4 Annexes A, F and K).

They are Verification, Modality Worklist, Modality Performed Procedure Step and its Retrieve.

server        one process: listen, serve, stop without cutting off what runs
processes     several of them on one listening socket
tls           certificates
admission     who may associate
verification  C-ECHO
find          a query and its answers
mpps          reports of performed steps
sending       answers as prepared P-DATA
recording     the rows that tell what was done on an association
records       the thread that writes them, after it was answered
implementation  the name and number that associations say we are
connections   socket options, what is logged about a peer
watching      what time alone brings about
echo_scu      C-ECHO to a device
"""
