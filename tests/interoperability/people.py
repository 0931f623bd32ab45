"""The appointments that every script meets: made-up people, written as studies write them.

As a program, in an environment of the product's, it fills the database.
"""

from __future__ import annotations

from typing import Any

# Patient ID, name, birth date; and below the age on DAY, as a scanner writes it.
NAMED = (
    ("ABC-01_x", "Müller^Jürgen", "19800229"),
    ("abc01X", "Núñez^José", "20250905"),
    ("KR01", "Hong^Gildong=洪^吉洞=홍^길동", "19500101"),
    ("JP01", "Yamada^Tarou=山田^太郎=やまだ^たろう", "20250106"),
    ("CN01", "Zhang^XiaoDong=张^小东", "19700102"),
    ("RU01", "Иванов^Иван", "20251227"),
    ("GR01", "Διονυσιος", "19700104"),
    ("AR01", "قباني^لنزار", "19700105"),
)
AGES = {"ABC-01_x": "045Y", "abc01X": "004M", "JP01": "052W", "RU01": "009D"}
EVERYBODY = 300  # more than one page of any client, and more than one segment on the network
DAY = "20260105"


def appointments() -> list[dict[str, Any]]:
    """Return the fields of each item, the named people first."""
    plain = [(f"N{number:03}", f"Doe^Number{number}", "19900101") for number in range(len(NAMED), EVERYBODY)]
    return [
        {
            "patient_id": patient_id,
            "patient_name": name,
            "patient_birth_date": born,
            "patient_sex": "F",
            "patient_weight_kg": "70.1",
            "modality": "MR",
            "scheduled_station_aetitle": "MR1",
            "scheduled_start_date": DAY,
            "scheduled_start_time": "0930",
            "protocol_name": "Brain",
            "study_instance_uid": f"2.25.{number}",
            "scheduled_procedure_step_id": f"S{number}",
            "requested_procedure_id": f"R{number}",
            "accession_number": f"A{number}",
        }
        for number, (patient_id, name, born) in enumerate((*NAMED, *plain), start=1)
    ]


def fill() -> None:
    import django

    django.setup()
    from worklist.items import intake

    for values in appointments():
        intake.create(values, actor="interoperability")


if __name__ == "__main__":
    fill()
