"""Servers of any kind of source are asked over HTTP here, without Django and without a database.

transport   time-outs, retries, no redirects, answers within bounds
limiter     how often a host is asked
address     a server's address as people type it
bodies      an answer's body as text and JSON, and what is neither
markup      labels and titles without their HTML
words       a server as errors name it
"""
