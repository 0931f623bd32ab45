"""Audit messages go to the hospital's audit record repository, where ATNA_SYSLOG names one (PS3.15 A.5).

codes     coded terms of audit messages
messages  an audit message, as the XML that PS3.15 A.5.1 prescribes
syslog    a message as syslog's, and its way by TLS or UDP
sending   the thread that sends, and the queue before it
sources   who we are in a message
"""
