"""Who somebody is: ID, name, birth date, sex and weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sources.mapping import codes, targets
from sources.mapping.rules import Level, Rule
from sources.mapping.suggestion import scoring, units, words
from sources.mapping.suggestion.described import Described, Project
from sources.mapping.suggestion.making import Making, of_rules
from sources.mapping.suggestion.proposals import RuleCandidate
from sources.mapping.suggestion.scoring import Concept, Scored, with_points
from sources.mapping.wording import any_of

_ID_NAME = re.compile(
    r"(?:(?:study|participant|subject|subj|ppt|patient|pat|proband|probanden|patienten|studien|studien?"
    r"teilnehmer|teilnehmer) ?(?:id|nr|no|nummer|number|code|kennung)|subjid|mrn|medical record (?:number|no)"
    r"|hospital (?:number|no|nr|id)|nhs (?:number|no)|nhc|ipp"
    r"|(?:numero|n) (?:de )?(?:historia(?: clinica)?|dossier(?: medical)?)"
    r"|(?:id|numero|n|code|identifiant|codigo|identificador|identificacion) (?:du |de la |del |de l )?"
    r"(?:patient|patiente|participante?|sujet|sujeto|paciente|etude|estudio))"
)
_PREFIXED_ID = re.compile(rf"\w+ (?:id|{_ID_NAME.pattern})")
_ID_LABEL = re.compile(rf"(?:\w+ )?(?:{_ID_NAME.pattern})")
_ID_KEYS = re.compile(r"id|nr|no|n|nummer|number|code|kennung|subjid|mrn|numero|nhc|ipp|identifi.*|codigo")
_SAID_OF_IDS = (
    any_of(
        *("id", "ids", "identifi\\w+", "unique", "code", "number", "no", "mrn", "medical", "nr"),
        *("nummer", "numero"),
        *("nhs", "nhc", "ipp", "record", "de", "dossier", "permanent", "patient"),
        *("kennung", "codigo", "pseudonym\\w*", "clinic\\w*", "hospital", "historia", "etude"),
        *("estudio", "etudes"),
    ),
)
_HOSPITAL = any_of("mrn", "medical record", "hospital", "nhs", "nhc", "ipp", "historia", "dossier")


def ids(project: Project) -> list[Scored]:
    """Return the record ID field, and fields that hold another ID of the participant."""
    return sorted(_ids(project), key=lambda each: -each.score)


def _ids(project: Project) -> Iterator[Scored]:
    first = next(iter(project.fields))
    is_named_so = _ID_NAME.fullmatch(first.name) is not None
    yield Scored(first, 92 if is_named_so else 62, ("it is the record ID, which every record has once",))
    for each in project.saying(_ID_KEYS, lambda each: each.is_number or each.is_free_text):
        if each is not first and _ID_NAME.fullmatch(_id_name(each, first)):
            score = 78 if _HOSPITAL.search(each.name) else 84
            score -= 18 if words.beyond(each.label, _SAID_OF_IDS) else 0
            is_elsewhere = each.form != first.form and project.is_on_a_relatives_form(each)
            is_doubtful = is_elsewhere or project.is_another_persons(each) or project.repeats(each.field)
            yield Scored(each, score, (f"its name is {each.field.name}",), is_doubtful)
        elif each is not first and _is_called_an_id(each) and not project.is_another_persons(each):
            yield _of_this_study(project, each)


def _id_name(each: Described, first: Described) -> str:
    """Return the name; on the record ID's form, where the participant is asked for, without its prefix."""
    prefix, _, rest = each.name.partition(" ")
    is_prefix = prefix in first.form.split() or words.NEUTRAL.fullmatch(prefix) is not None
    is_prefix = is_prefix and not each.name.startswith("sub study")  # which has IDs of its own
    return rest if each.form == first.form and is_prefix and not _ID_NAME.fullmatch(each.name) else each.name


def _is_called_an_id(each: Described) -> bool:
    """Tell whether its name is one word and ID, its label an ID with a word at most: “ARS participant ID”."""
    return _PREFIXED_ID.fullmatch(each.name) is not None and _ID_LABEL.fullmatch(each.label) is not None


def _of_this_study(project: Project, each: Described) -> Scored:
    """Doubt an ID that may be another study's, unless its name has the initials of this one's title.

    A hospital's number of somebody, "Recipient MRN", is as good as the record ID: a person is asked.
    """
    label = f"its label is “{scoring.shortened(each.field.label)}”"
    if _HOSPITAL.search(each.name) and not project.repeats(each.field):
        return Scored(each, 60, (label,))
    if each.name.split()[0] not in project.initials or project.repeats(each.field):
        return scoring.doubtful(Scored(each, 60, (label,)), "it may be the ID of another study")
    return Scored(each, 80, (label, f"the initials of the study are in {each.field.name}"))


_LAST = re.compile(
    r"(?:last|family|sur) ?names?|surname|lastname|nach ?name|familien ?name"
    r"|nom(?: (?:de )?famille)?|nom (?:d )?usage|nom usuel|nom (?:de )?(?:naissance|jeune fille)"
    r"|apellidos?|primer apellido|apellido 1|apellido paterno"
)
_SECOND = re.compile(r"segundo apellido|apellido 2|apellido materno")
_FIRST = re.compile(
    r"(?:first|given|fore) ?names?|forename|firstname|vor ?namen?|prenoms?|nombres?(?: de pila)?"
)
_BESIDE_NAME = any_of("vor ?namen?", "first ?name", "given ?name", "forename")
_WHOLE = re.compile(
    r"(?:full |complete |whole )?name|(?:participant|patient|subject)s? (?:full )?name|full name|fullname"
    r"|nom complet|nom et prenom|nombre completo|nombre y apellidos|name vorname|vor und nachname"
)
_NAME_KEYS = re.compile(r".*name.*|.*nom.*|apellidos?|.*nombres?")
_SAID_OF_NAMES = (
    any_of(
        "(?:first|last|full|family|given|fore|sur|nach|vor)?names?",
        "first",
        "last",
        "family",
        "given",
        "full",
    ),
    any_of("complete", "legal", "surname", "forename", "familienname", "name"),
)
_OF_A_STUDY = any_of("study name", "name of (?:the )?(?:study|project|site|form)", "project name")
_OWN_NAME = re.compile(r"\b(?:pater|mater)n[oa]\b")


def names(making: Making, id_rule: Rule | None) -> list[RuleCandidate]:
    """Return names in two fields, names in one, and the ID in their place."""
    project = making.project
    pairs = list(_two_names(project))
    parts = {name for pair in pairs for name in pair.fields}
    found = [*pairs, *(each for each in _whole_names(making, project) if each.fields[0] not in parts)]
    if id_rule is not None:
        rule = Rule("patient_name", id_rule.field, level=id_rule.level)
        reasons = ("the ID stands for the name: a name is needed",)
        found.append(of_rules((rule,), reasons, 56, (id_rule.field,)))
    return found


def _two_names(project: Project) -> Iterator[RuleCandidate]:
    firsts = _named(project, _FIRST)
    lasts = _named(project, _LAST)
    if firsts and not lasts and _BESIDE_NAME.search(firsts[0].described.said):
        lasts = _named(project, re.compile("name"))
    for last in lasts:
        same = [first for first in firsts if first.described.field.form == last.described.field.form]
        for first in same[:1]:
            second = [
                each.name for each in _named(project, _SECOND) if each.described.form == last.described.form
            ]
            more = f"[ {{{second[0]}}}]" if second else ""
            rule = Rule(
                "patient_name",
                level=Level.RECORD,
                transforms=f"template {{{last.name}}}{more}^{{{first.name}}}",
            )
            fields = (last.name, *second[:1], first.name)
            reasons = (f"{last.name} and {first.name} are family name and given name",)
            yield of_rules((rule,), reasons, min(last.score, first.score), fields)


def _whole_names(making: Making, project: Project) -> Iterator[RuleCandidate]:
    for each in _named(project, _WHOLE):
        reasons = (*each.reasons, "“Doe, Jane” is read as Doe^Jane")
        yield making.candidate("patient_name", replace(each, points=each.points - 6, reasons=reasons))


def _named(project: Project, pattern: re.Pattern[str]) -> list[Scored]:
    """Return text fields whose name is the pattern's, or whose label is it alone."""
    found = []
    for each in project.saying(_NAME_KEYS, lambda each: each.is_free_text):
        name, label = (words.without(text, project.who, words.NEUTRAL) for text in (each.name, each.label))
        score = 86 if pattern.fullmatch(each.name) else 80 if pattern.fullmatch(name) else 0
        score = score or (66 if pattern.fullmatch(label) else 0)
        if score and not _is_somebody_elses_name(project, each):
            reasons = (
                (f"its name is {each.field.name}",) if score > 66 else (f"its label is “{each.field.label}”",)
            )
            left = words.beyond(each.label, (*_SAID_OF_NAMES, project.who)) if "name" in each.label else []
            is_doubtful = bool(left) or _OF_A_STUDY.search(each.label) is not None
            found.append(scoring.own_or_doubtful(Scored(each, score, reasons, is_doubtful), project))
    return sorted(found, key=lambda each: -each.score)


def _is_somebody_elses_name(project: Project, each: Described) -> bool:
    is_of_two = _OWN_NAME.search(each.name) or _OWN_NAME.search(each.label)
    return not is_of_two and project.is_another_persons(each)


_BORN_ON = (
    r"dob",
    r"birth ?date",
    r"date ?(?:of ?)?birth",
    r"birth ?day",
    r"b ?date",
    r"bi?rth?d(?:a?te?|tc)",
    r"born on|(?:were|was|are) \w+ born",
    r"geb(?:oren)? am",
    r"(?:ne e|nee?) le",
    r"nacid[oa] el",
    r"geburts ?datum",
    r"geb(?:urts)? ?(?:dat|datum|tag)",
    r"geburtstag",
    r"ddn",
    r"date ?(?:de ?)?naissance",
    r"naissance date",
    r"f(?:echa)? ?(?:de ?)?nac(?:imiento)?",
    r"fnac",
    r"fdn",
    r"nacimiento fecha",
)
_BORN_IN = (
    r"yob",
    r"birth ?year",
    r"year ?(?:of ?)?birth",
    r"(?:dob|birth) (?:y|yr|year|yyyy)",
    r"geburts ?jahr",
    r"annee ?(?:de ?)?naissance",
    r"an[io]+o ?(?:de ?)?nac(?:imiento)?",
    r"ano ?(?:de ?)?nac(?:imiento)?",
)
_YEAR = any_of(*_BORN_IN, "year", "yob")
_NOT_BORN = any_of(
    *("age", "alter", "edad", "weight", "poids", "gewicht", "peso", "order", "country", "place", "due"),
    *("expected", "estimated", "edd", "time", "defects?", "control", "gestational", "entwurf", "prevue"),
    *("lieu", "lugar", "ort", "land", "pays", "pais", "verified", "confirmed", "consent"),
)
BORN = Concept(
    re.compile(
        r".*birth.*|bi?rthd.*|born|nee?|nacid[oa]|b?date|[dy]ob|ddn|fdn|f?nac|nacimiento|geb.*|.*naissance"
    ),
    any_of(*_BORN_IN, *_BORN_ON),
    _NOT_BORN,
    known=(words.BIRTH, words.DATE, any_of("original", "certificate", "full", "subject")),
    fits=lambda each: each.is_date or each.is_free_text or (each.is_number and each.is_text),
)


def births(making: Making) -> list[RuleCandidate]:
    """Return birth dates; a year alone becomes no date, but says that there is one."""

    def more(each: Scored) -> Scored:
        if each.described.is_date:
            each = with_points(each, scoring.TYPE_FITS, "the source checks it as a date")
            each = with_points(each, -4) if each.described.has_time else each
        elif is_year(each.described):
            each = with_points(each, 5, "it seems to be only a year, of which no birth date is made")
        elif each.described.is_number:
            each = scoring.doubtful(each, "the source checks it as a number")
        return scoring.own_or_doubtful(each, making.project)

    found = _one_for_all(making.project, scoring.find(making.project, BORN, more))
    dates = any(not is_year(each.described) for each in found)
    return [_birth(making, each, dates=dates) for each in found]


def _birth(making: Making, each: Scored, *, dates: bool) -> RuleCandidate:
    if not is_year(each.described):
        return making.candidate(targets.BIRTH_DATE, each)
    return making.candidate(targets.BIRTH_DATE, with_points(each, -20 if dates else 0), "year only empty")


def is_year(each: Described) -> bool:
    return not each.is_date and _YEAR.search(each.said) is not None


_SEX_WORDS = any_of(
    *("sex", "gender", "birth sex", "sex birth", "sex (?:assigned )?at birth", "geschlecht", "sexe"),
    "sexo",
    *("genre", "genero", "geschlechtsidentitaet", "geschlechtsidentitat"),
)
_AT_BIRTH = any_of(
    *("birth", "assigned", "biological", "geburt", "biol\\w*", "naissance", "nacer"),
    *("zugewiesene?s?", "eingetragene?s?", "assignee?", "attribuee?", "asignad[oa]"),
)
_GENDER = any_of("gender", "genre", "genero")
_IDENTITY = any_of(
    *("identity", "identify", "describe", "identitat", "identitaet", "identite", "identidad"),
    "expression",
    *("preferred", "pronouns?", "geschlechtsidentitaet", "geschlechtsidentitat"),
)
_NOT_SEX = any_of(
    *("sexual", "sexually", "orientation", "hormones?", "steroid", "active", "drive", "attracted"),
    "roles?",
    *("dysphoria", "stereotypes?", "legal", "passport"),
)
_SAID_OF_SEX = (
    *(_AT_BIRTH, _GENDER, words.BIRTH, _IDENTITY),
    any_of(
        "original", "certificate", "registered", "male", "female", "demographic", "biologique", "biologico"
    ),
)
SEX = Concept(_SEX_WORDS, _SEX_WORDS, _NOT_SEX, known=_SAID_OF_SEX, fits=lambda each: each.is_choice)


def sexes(making: Making) -> list[RuleCandidate]:
    """Return choices whose labels hold male and female, what was said at birth before gender."""
    found = scoring.find(making.project, SEX, lambda each: _sexed(making, each))
    return [_sex(making, each) for each in _one_for_all(making.project, _birth_first(found))]


def _birth_first(found: list[Scored]) -> list[Scored]:
    """Put the gender behind the sex at birth, where both are asked for."""
    if not any(_AT_BIRTH.search(each.described.said) and not each.is_doubtful for each in found):
        return found
    return [each if _AT_BIRTH.search(each.described.said) else with_points(each, -15) for each in found]


def _one_for_all(project: Project, found: list[Scored]) -> list[Scored]:
    """Doubt a field that only one arm has where another arm asks for the same in another field."""
    return [_in_one_arm(project, each, found) for each in found]


def _in_one_arm(project: Project, each: Scored, found: list[Scored]) -> Scored:
    arms = project.arms(each.described.field)
    for other in found:
        others = project.arms(other.described.field)
        if arms and others and arms.isdisjoint(others) and not other.is_doubtful:
            return scoring.doubtful(each, f"another arm has {other.name}: `else {other.name}` takes both")
    return each


def _sexed(making: Making, each: Scored) -> Scored:
    said = each.described.said
    table, _ = codes.codes_by_label(targets.SEX, each.described.field.choices)
    if not {"M", "F"} <= set(table.values()):
        return with_points(each, -100)
    each = with_points(each, scoring.TYPE_FITS, "its labels hold male and female")
    if _AT_BIRTH.search(said):
        each = with_points(each, 12, "it is the sex at birth")
    elif _GENDER.search(each.described.name):
        each = with_points(each, -8)
    if _IDENTITY.search(said):
        each = scoring.doubtful(each, "it asks for the gender identity")
    return scoring.own_or_doubtful(each, making.project)


def _sex(making: Making, each: Scored) -> RuleCandidate:
    table, _ = codes.codes_by_label(targets.SEX, each.described.field.choices)
    return making.candidate(targets.SEX, each, f"codes {codes.write(table)}")


_WEIGHT_WORDS = any_of(
    *("(?:body ?)?weight", "wt", "wgt", "weigh", "(?:korper|koerper)?gewicht", "poids", "peso"),
    "weightkg",
    *("weightlbs?", "pesas"),
)
_NOT_WEIGHT = any_of(
    *("loss", "lost", "lose", "losing", "gain", "gained", "changes?", "changed", "goals?", "targets?"),
    *("ideal", "desired", "dream", "wish", "birth", "born", "z", "zscore", "percentiles?", "pct", "perc"),
    *("category", "cat", "class", "concerns?", "worr(?:y|ied|ies)", "perception", "satisf\\w+", "units?"),
    *("source", "date", "time", "method", "cast", "lift(?:ed|ing)?", "carry", "bearing", "surveys?"),
    *("sampling", "samples?", "weighted", "weighting", "placental?", "brain", "organs?", "foods?"),
    "meals?",
    *("bags?", "lean", "fat", "muscle", "bone", "mass", "bmi", "index", "m 2", "training", "watchers"),
    *("control", "management", "highest", "lowest", "max(?:imum)?", "min(?:imum)?", "overweight"),
    "percent",
    *("per", "dose", "mg", "ratio", "factor", "propensity", "diff(?:erence)?", "delta", "at age", "kg m"),
    *("verlust", "verloren", "zunahme", "abnahme", "geburt\\w*", "gewichts\\w+", "ziel\\w*"),
    "wunsch\\w*",
    *("ideal\\w*", "perte", "perdu", "prise", "pris", "variation", "naissance", "objectif", "souhaite"),
    *("nacer", "nacimiento", "perdid[oa]", "perder", "ganancia", "ganado", "aumento", "objetivo"),
    "deseado",
    *(r"at \d+ (?:months?|mo|weeks?|wk|years?|yr)", r"\d+ (?:months?|weeks?|years?) (?:ago|old)"),
    *("height", "grams?", "ounces?", "oz", "gramm", "grammes?", "gramos?", "stones?", "average of"),
)
_MEASURED = any_of("measured?", "meas", "scale", "gemessen", "gemessenes", "mesuree?", "medid[oa]")
_REPORTED_WEIGHT = any_of(
    *("reported", "report", "estimated?", "usual", "recall(?:ed)?", "before", "pre", "prepregnancy"),
    "ago",
    *("previous", "prior", "past", "dry", "geschatzt(?:es)?", "geschaetzt(?:es)?", "berichtet(?:es)?"),
    *("ubliches", "vor", "estimee?", "declaree?", "habituel", "avant", "referid[oa]", "estimad[oa]"),
    *("habitual", "antes", "lowest", "highest", "follow ?up", "discharge"),
)
_SAID_OF_WEIGHT = (
    *(units.KILOGRAMS, units.POUNDS, _MEASURED, _REPORTED_WEIGHT, words.MRI, words.SCAN, words.APPOINTMENT),
    *(words.VISIT, words.EXAMINATION, words.DATE),
    any_of("n(?:u|ue)chtern", "fasting", "fasted", "jeun", "ayunas"),
    any_of("prueba", "measurement", "assessment", "weighing"),
    any_of(
        "vs", "vitals?", "average", "mean", "avg", "arrival", "anthro\\w*", "morning", "clothes", "clothing"
    ),
    any_of(
        "without", "shoes", "nearest", "messtag", "groesse", "grosse", "signs", "body", "korper", "calc\\w*"
    ),
)
WEIGHT = Concept(
    _WEIGHT_WORDS,
    _WEIGHT_WORDS,
    _NOT_WEIGHT,
    known=_SAID_OF_WEIGHT,
    fits=lambda each: each.is_number or each.is_free_text,
)


def weights(making: Making, form: str) -> list[RuleCandidate]:
    """Return numbers that are a weight, once for each possible unit; `form` is the appointment's."""
    found = scoring.find(making.project, WEIGHT, lambda each: _weighed(making, each, form))
    return [candidate for each in found for candidate in _weights(making, each)]


def _weighed(making: Making, each: Scored, form: str) -> Scored:
    described = each.described
    if units.is_other(described.field):
        return with_points(each, -100)
    if described.is_number and described.is_text:
        each = with_points(each, scoring.TYPE_FITS, "the source checks it as a number")
    elif described.is_number:
        each = with_points(each, 10, "the source calculates it")
    if described.field.form == form:
        each = with_points(each, 20, "it is on the form of the appointment")
    if _REPORTED_WEIGHT.search(described.said):
        each = with_points(each, -15)
    elif _MEASURED.search(described.said):
        each = with_points(each, 6, "it is measured")
    return scoring.own_or_doubtful(each, making.project)


def _weights(making: Making, each: Scored) -> Iterator[RuleCandidate]:
    unit = units.unit_of(each.described.field)
    stem = words.without(each.described.name, units.KILOGRAMS, units.POUNDS)
    if not unit:
        each = scoring.doubtful(each, "nothing says in which unit")
    for target, name in ((targets.KILOGRAMS, "kg"), (targets.POUNDS, "lb")):
        if unit in ("", name):
            known = with_points(each, 0, f"its unit is {name}") if unit else each
            yield making.candidate(target, known, stem=stem)
