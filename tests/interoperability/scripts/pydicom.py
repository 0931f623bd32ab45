"""pydicom reads the images as they came, and names in the character sets of other scanners."""

from __future__ import annotations

from collections.abc import Iterator

from tests.interoperability.images import scanned
from tests.interoperability.tool import Origin, Part, Tool, Workplace

TOOL = Tool(
    name="pydicom",
    origin=Origin.PYPI,
    packages=("pydicom==3.0.2",),
    part=Part.IMAGES,
    works="every value as the worklist gave it, names in ISO_IR 100 and ISO_IR 192",
    fails="a name in ISO 2022 IR 58 (Chinese) keeps its escape sequences: `$)A`; "
    "a name that its character set cannot hold is written as `?`, with a warning alone",
    fault="pydicom: its codec for ISO 2022 IR 58 knows no escapes",
    remedy="take the escapes out before you decode such a name; set ISO_IR 192 before you write one",
)
PROGRAM = r"""
import sys
import warnings
from pydicom import Dataset, dcmread
from pydicom.charset import decode_bytes, encode_string

warnings.simplefilter("ignore")
for folder in sys.argv[1:]:
    image = dcmread(f"{folder}/0.dcm")
    print(image.PatientID, image.PatientName, image.PatientAge, image.PatientWeight, end=" ")
    print(image.SpecificCharacterSet)
dataset = Dataset()
dataset.SpecificCharacterSet = ["", "ISO 2022 IR 58"]
encoded = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"
dataset.add_new("PatientName", "PN", encoded)
dataset.decode()
print("ISO 2022 IR 58:", ascii(str(dataset.PatientName)))
print("in Latin-1 alone:", encode_string("山田^太郎", ["iso8859"]))
"""


def see(work: Workplace) -> Iterator[str]:
    yield from work.lines("python", "-c", PROGRAM, *scanned(work.folder).values())
