"""What Prometheus reads at /metrics: counts, states and ages, and nothing of a participant.

exposition  all of it as text
families    what is shown, put into the library's forms
kept        what all processes have counted, and say of themselves
stored      how sources, queue, points of attention and today's items stand
machine     disk, database, version, certificates of the sources' authorities
expiring    certificates that end soon, in sentences for people
http        answers of the web server are counted
views       who may read it
"""
