"""The DICOM server offers four services (PS3.4 Annexes A, F and K).

They are Verification, Modality Worklist, Modality Performed Procedure Step and its Retrieve.

server        one process: listen, serve, stop without cutting off what runs
processes     several of them on one listening socket
door          connections are accepted, and wait until they ask for an association
visitors      a connection that has not asked yet, TLS handshake included
farewells     a refused peer reads why before its connection is closed
reception     who has asked is given a thread
workers       the threads
places        how many associations are open, in all and from an address
association   one association from the judgement to its end
admission     who may associate
refusals      who was refused is told, and not a thousand times
tls           certificates
requests      one request while it is answered
services      which operations each SOP class has
verification  C-ECHO
find          a query and its answers
outbox        the answers leave in batches
mpps          reports of performed steps
measuring     what happens is counted, for /metrics
recording     the rows that tell what was done on an association
records       the thread that writes them, after it was answered
implementation  the name and number that associations say we are
quiet         nothing of what a peer has sent is logged by libraries
memory        what is freed goes back to the system
audit_messages  what is told to the hospital's audit record repository
watching      what time alone brings about
echo_scu      C-ECHO to a device
arrived       how many answers came to a question of ours
own_echo      C-ECHO to this server, by the site itself
"""
