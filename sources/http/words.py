"""An error names the server that was asked, and what of its address a person has typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerWords:
    name: str  # REDCap
    address: str  # what its address is called: API URL
    example: str  # of such an address
    secret: str  # what goes to it: token
    less: str  # how to ask for less at once
    moved: str  # what to do where it redirects elsewhere

    @property
    def nobody_asks(self) -> str:
        return f"The {self.address} leads to an address of a network link's or a cloud's own use."
