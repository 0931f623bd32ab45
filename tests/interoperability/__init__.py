"""Clients, servers and converters of the field, run against the product as people have them.

`make interoperability`, or `python -m tests.interoperability [NAME...]`: no part of the tests, for it
installs other people's software, pinned, into a temporary folder. docs/interoperability.md tells of it.

- `scripts`: one module for each tool, with its pins, its row of the page and what it does.
- `recorded`: what each script saw; a run that sees something else fails.
- `tool`: what a script says of its tool, and where it finds it.
- `installing`: a tool is installed, or the sentence that says why it cannot be.
- `server`: the product runs on the loopback address.
- `people`: whom it offers.
- `interview`: the questions that every client asks.
- `images`: what a scanner would make of them.
- `page`: the table of docs/interoperability.md, from the scripts.
"""

from __future__ import annotations
