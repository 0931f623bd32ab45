"""What names and labels say, in English, German, French and Spanish: patterns of whole words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sources.mapping.wording import any_of


def without(text: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        text = pattern.sub(" ", text)
    return " ".join(text.split())


def beyond(text: str, known: Iterable[re.Pattern[str]]) -> list[str]:
    """Return the words that none of the patterns knows: `liver` of `liver_weight`, beside the weight's."""
    return without(text, *known, NEUTRAL).split()


# Whose words are these? A relative's field is never the participant's own.
MOTHER = any_of(
    *("mothers?", "maternal", "mom", "moms", "mum", "mums", "mutter", "mutters", "muetter"),
    "kindsmutter",
    *("mere", "meres", "maternel", "maternelle", "madres?", "materna", "materno"),
)
CHILD = any_of(
    *("child", "childs", "children", "kids?", "kind", "kindes", "kinder", "kinds"),
    *("enfants?", "ninos?", "ninas?"),
)
INFANT = any_of(
    *("infants?", "baby", "babys", "babies", "newborns?", "neonates?", "neonatal", "toddlers?"),
    *("saugling", "sauglings", "saeugling"),
    "saeuglings",
    *("neugeborenen?s?", "nourrissons?", "bebes?", "nouveau ne", "lactantes?", "recien nacidos?"),
)
# It is scanned in its mother, who is the patient.
FETUS = any_of(
    *("fetus", "fetal", "fetuses", "foetus", "foetal", "foetale?s?", "foetaux", "feto", "fetos", "fetales?"),
    *("unborn", "fotal\\w*", "foetal\\w*", "fotus", "ungeborene?[ns]?"),
)
RELATIVE = any_of(
    *("parents?", "parental", "fathers?", "paternal", "dads?", "partners?", "spouses?", "husbands?"),
    *("wife", "wives", "siblings?", "sibs?", "brothers?", "sisters?", "twins?", "cotwins?", "guardians?"),
    *("caregivers?", "caretakers?", "carers?", "grand(?:mothers?|fathers?|parents?)", "aunts?"),
    "uncles?",
    *("cousins?", "sons?", "daughters?", "offspring", "relatives?", "family member", "household"),
    "proxy",
    *("informants?", "respondents?", "friends?", "peers?", "boyfriends?", "girlfriends?", "stepparents?"),
    *("stepmothers?", "stepfathers?", "emergency", "next of kin", "nok", "donors?", "companions?"),
    *("vater", "vaters", "eltern", "elternteil", "elternteils", "partners?", "partnerin", "ehemann"),
    *("ehemanns", "ehefrau", "ehepartners?", "ehepartnerin", "bruders?", "schwester", "geschwister"),
    *("zwillings?", "sohn", "sohnes", "tochter", "betreuer", "betreuerin", "erziehungsberechtigten?r?"),
    *("grossmutter", "grossvater", "grosseltern", "oma", "opa", "angehorigen?r?", "angehoerigen?r?"),
    *("vormund", "vormunds", "bezugsperson", "notfallkontakt"),
    *("peres?", "paternel", "conjointe?s?", "epoux", "epouse", "mari", "freres?", "soeurs?", "fils"),
    *("filles?", "tuteurs?", "tutrices?", "aidante?s?", "accompagnante?s?", "jumeaux?", "jumelles?"),
    *("proches?", "compagnon", "compagne", "grand(?:s)? (?:mere|pere|parents)"),
    *("padres?", "paterno", "paterna", "parejas?", "conyuges?", "espos[oa]s?", "herman[oa]s?"),
    "hij[oa]s?",
    *("tutor", "tutora", "cuidador", "cuidadora", "abuel[oa]s?", "acompanantes?", "familiar"),
    "gemel[oa]s?",
    "maridos?",
)
# Not the participant either: who works at the study.
STAFF = any_of(
    *("staff", "raters?", "examiners?", "interviewers?", "coordinators?", "providers?", "physicians?"),
    *("callers?", "operators?", "doctors?", "nurses?", "technicians?", "technologists?"),
    *("investigators?", "teachers?", "gp"),
    *("arzt", "arztin", "aerztin", "arztes", "untersuchers?", "medecins?", "infirmiere?s?", "medicos?"),
    *("enfermer[oa]s?", "contact", "kontakt", "contacto", "school", "schule", "ecole", "escuela"),
)
# Who told it, not whom it is about: "as reported by the parent", a form "Demographics (parent report)".
REPORTED = re.compile(
    r"\b(?:(?:as )?(?:reported|completed|answered|filled (?:in|out)|rated|given) by (?:the |a |your )?\w+"
    r"|(?:parent|caregiver|mother|guardian|child|self) (?:reported|reports?|ratings?|rated))\b"
)
# Who is sure to be the participant, on whatever form.
PARTICIPANT = any_of(
    *("participants?", "subjects?", "probands?", "patients?", "youths?", "adolescents?", "teens?"),
    *("teenagers?", "probanden?", "probandin", "patienten", "patientin", "participante?s?", "patientes?"),
    *("veterans?", "athletes?", "players?", "survivors?", "soldiers?", "sportlers?", "sportlerin"),
    *("veteran[oa]s?", "deportistas?", "sportifs?"),
    *("pacientes?", "sujets?", "sujetos?", "volunteers?", "volontaires?", "voluntari[oa]s?"),
    *("jugendlichen?[rs]?", "(?:studien)?teilnehmer(?:s|in)?", "versuchspersone?n?", "adolescente?s?"),
)
# A study of minors asks their parents: "your child" is who is scanned.
MINORS = any_of(
    *("youths?", "adolescents?", "adolescence", "teens?", "teenagers?", "p(?:a?e)diatric", "juveniles?"),
    *("jugend\\w*", "schulkinder", "padiatri\\w*", "paediatri\\w*", "adolescente?s?", "adolescencia"),
    *("pediatri\\w*", "jovenes", "escolares"),
)
RETIRED = any_of(
    *("deprecated", "do not use", "dont use", "not in use", "no longer used", "retired", "obsolete"),
    *("replaced by", "veraltet", "nicht (?:mehr )?verwenden", "ne plus utiliser", "obsolete", "obsoleto"),
    *("no usar", "no utilizar"),
)
# Words that say nothing of what a field is about.
NEUTRAL = any_of(
    *("participants?", "subjects?", "subj", "sub", "patients?", "pat", "pt", "ppt", "persons?"),
    "probands?",
    *("youths?", "adolescents?", "teens?", "teenagers?", "volunteers?", "individuals?", "respondent"),
    *("demo", "demog", "demographics?", "dem", "scr", "screen", "screening", "bl", "base", "baseline"),
    *("enrol(?:l?ment)?", "intake", "registration", "study", "own", "self", "current", "currently"),
    "today",
    *("fu", "follow ?up", "pre", "post", "initial", "final", "mo", "months?", "wk", "weeks?", "yr"),
    "years?",
    *("dd", "mm", "yy", "yyyy", "d", "m", "y", "s", "jjjj", "tt", "aaaa", "jj", "hh", "min", r"\d+"),
    *("v", "t", "q", "number", "value", "field", "redcap", "format", "e g", "g", "n", "optional"),
    "required",
    *("the", "of", "for", "a", "an", "at", "on", "in", "to", "and", "or", "if", "as", "by", "from"),
    "with",
    *("is", "was", "were", "are", "be", "been", "do", "does", "did", "has", "have", "will", "should"),
    "can",
    *("what", "which", "when", "how", "much", "your", "you", "yours", "his", "her", "hers", "their"),
    "its",
    *("my", "i", "he", "she", "they", "it", "this", "that", "please", "enter", "specify", "provide"),
    "select",
    *("choose", "indicate", "record", "recorded", "write", "exact", "actual", "using", "assigned"),
    "answer",
    *("probanden?", "probandin", "patienten", "patientin", "studie", "person", "der", "die", "das"),
    *("des", "um"),
    *("dem", "den", "ein", "eine", "ihr", "ihre", "ihres", "sie", "von", "vom", "am", "bei", "im", "zur"),
    *("zum", "und", "oder", "wie", "ist", "sind", "wann", "was", "welches?", "bitte", "angeben", "viel"),
    *("participantes?", "estudio", "etude", "actualmente", "actuellement", "momentan", "gegenwartig"),
    "serait",
    *("jour", "dia", "tag", "tages", "derzeit", "derzeitiges", "presently", "now", "right now"),
    *("listed", "stated", "noted", "shown", "given", "geben", "gib", "an", "sich", "ihren", "ihrem"),
    "eingeben",
    *("versuchspersone?n?", "vp", "saisir", "renseigner", "preciser", "introduzca", "escriba"),
    "seleccione",
    *("aktuell", "aktuelle[sr]?", "heutige[sr]?", "momentane[sr]?", "biologisches"),
    *("le", "la", "les", "l", "du", "de", "d", "et", "ou", "un", "une", "au", "aux", "votre", "vous"),
    "quel",
    *("quelle", "est", "a", "sont", "veuillez", "indiquer", "actuel", "actuelle", "actuels?"),
    "aujourd hui",
    *("veterans?", "athletes?", "players?", "survivors?", "soldiers?", "sportlers?", "sportlerin"),
    *("veteran[oa]s?", "deportistas?", "sportifs?"),
    *("patientes?", "sujets?", "personne", "combien", "volontaires?", "voluntari[oa]s?"),
    *("jugendlichen?[rs]?", "(?:studien)?teilnehmer(?:s|in)?", "adolescente?s?"),
    *("el", "los", "las", "del", "al", "su", "sus", "cual", "es", "son", "y", "en", "por", "favor"),
    "datos",
    *("paciente", "sujeto", "persona", "hoy", "usted", "indique", "cuanto", "cuando"),
)
BIRTH = any_of("birth", "born", "geburt", "geboren", "nee?", "nacid[oa]", "naissance", "nacimiento", "nacer")

# Of an appointment at the scanner.
MRI = any_of(
    *("magnetic", "magnetique", "magnetica", "cmr"),
    *("f?s?mris?", "mri?", "mrt", "fmrt", "irmf?", "rmn?f?", "rmi", "kernspin", "kernspintomographie"),
    *("magnetresonanztomographie", "resonanci?as?", "resonance", "mridate", "mritime", "mridat"),
    *("mritim", "mridtc", "mrtdatum"),
    "mrttermin",
)
# What is scanned.
BODY = any_of(
    *("brain", "head", "cardiac", "heart", "knee", "spine", "spinal", "liver", "breast", "prostate"),
    "body",
    *("cerebral", "abdominal", "pelvic", "kopf", "hirn", "knie", "herz", "cerveau", "cerebrale"),
    "cardiaque",
    *("cardiaca", "rodilla", "columna"),
)
SCAN = any_of(
    *("scans?", "scanning", "scanners?", "scandate", "scantime", "scandat", "scantim", "img", "imaging"),
    *("neuroimaging", "imagery"),
    *("radiology", "radiologie", "radiologia", "bildgebung", "scandatum", "scantermin", "imagerie"),
    *("imagen", "imagenes", "escaneo", "escaner"),
    *("neuroimagen", "magnet"),
)
APPOINTMENT = any_of(
    *("appointments?", "appts?", "slot", "apt", "booking", "booked", "sched", "schedule", "scheduled"),
    "planned",
    *("termin", "termins", "terminen", "geplant", "geplanter", "geplantes", "geplante", "rdv"),
    *("rendez vous", "prevue?", "planifiee?", "programmee?", "citas?", "programad[oa]", "previst[oa]"),
    *("apptdate", "appttime"),
)
VISIT = any_of(
    *("visits?", "sessions?", "visitdate", "sessiondate", "visite", "visiten", "sitzung", "seances?"),
    *("visitas?", "sesion", "sesiones", "mess", "messung", "messungen", "messtermin", "messtag"),
)
# On a form of the scanner it is a scan; elsewhere it may be one of a school.
EXAMINATION = any_of(
    *("exams?", "examinations?", "untersuchung", "untersuchungen", "untersuchungs", "examens?"),
    "exploracion",
    "estudio",
)
# German writes in one word what is measured and when: Messdatum, Scanbeginn.
_MEASURING = "(?:mess|scan|mrt?|termin|sitzungs|untersuchungs|aufnahme)"
DATE = any_of(
    *("dat", "dtc", "mridat", "mridtc", "scandat", "dates?", "datetime", "dt", "dtm", "day", "datum"),
    *("tag", "jour", "fechas?", "dia", "scandate"),
    *("mridate", "visitdate", "sessiondate", "apptdate", "mrtdatum", "scandatum", "f"),
    rf"{_MEASURING}datum",
)
TIME = any_of(
    *("tim", "mritim", "scantim", "times?", "tm", "hours?", "clock", "uhrzeit", "zeit", "heures?"),
    *("horas?", "scantime", "mritime", rf"{_MEASURING}(?:uhr)?zeit"),
    "appttime",
)
START = any_of(
    *("start", "starts", "started", "starting", "begin", "begins", "began", "beginning", "beginn"),
    "anfang",
    *("startzeit", "debut", "commencement", "inicio", "comienzo", "empieza"),
    rf"{_MEASURING}(?:beginn|start|anfang)",
)
END = any_of(
    *("end", "ends", "ended", "ending", "endtime", "stop", "stops", "stopped", "finish", "finished"),
    *("finishing", "out", "ende", "endzeit", "schluss", "fin", "final", "finaliza", "termino", "salida"),
    *("sortie", "terminated", rf"{_MEASURING}(?:ende|stopp?|schluss)"),
)
# What else a date or time of the scan's form may be about.
ELSEWHERE = any_of(
    *("last", "previous", "prior", "past", "history", "most recent", "first ever", "consent"),
    "consented",
    *("assent", "entry", "entered", "uploads?", "uploaded", "read", "reading", "reports?", "reported"),
    *("reviews?", "reviewed", "qc", "qa", "quality", "analysis", "analy[sz]ed", "received", "sent"),
    *("requests?", "requested", "orders?", "ordered", "referrals?", "referred", "cancel(?:l?ed|lation)?"),
    *("created", "modified", "calls?", "called", "contact", "contacted", "reminders?", "due", "window"),
    *("earliest", "latest", "target", "expir(?:y|es|ation)", "results?", "processed", "processing"),
    *("transfer(?:red)?", "lab", "labs", "blood", "injection", "contrast", "signed", "signature"),
    *("verified", "verification", "approved", "approval", "payments?", "paid", "safety", "form"),
    "survey",
    *("questionnaires?", "completed", "completion", "complete", "pregnancy", "preg", "test", "menstrual"),
    *("lmp", "period", "made", "withdrawn", "withdrawal", "surgery", "diagnosis", "onset", "death"),
    *("birth", "dob", "born", "feed", "fed", "meal", "eaten", "sleep", "sedation", "medication", "dose"),
    *("time in (?:the )?(?:scanner|magnet)", "duration", "arrived", "deadline", "archived?", "exported"),
    *("downloaded", "data"),
    *("aufklarung", "aufklaerung", "einwilligung", "befund", "befundes", "befunds", "letzte[rsnm]?"),
    "vorige",
    *("auswertung", "eingang", "eingabe", "ubermittlung", "uberweisung", "absage", "absagedatum"),
    "anruf",
    *("geburtsdatum", "geburt", "blutentnahme", "dauer", "eingegeben", "fragebogen"),
    *("consentement", "compte rendu", "resultats?", "derniere?s?", "precedente?s?", "prelevement"),
    *("saisie", "saisi", "demande", "annulation", "appel", "naissance", "duree", "envoi", "lecture"),
    *("consentimiento", "informe", "resultados?", "ultim[oa]s?", "previ[oa]", "anterior", "solicitud"),
    *("cancelacion", "llamada", "nacimiento", "duracion", "envio", "registro", "extraccion", "lectura"),
)
OTHER_MODALITY = any_of(
    *("pet", "ct", "cat scan", "eeg", "meg", "dexa", "dxa", "oct", "ultrasound", "x ray", "xray"),
    "spect",
    *("bone", "barcode", "qr", "badge", "passport", "document", "receipt", "maintenance", "echo", "ecg"),
    *("ekg", "fnirs", "nirs", "tms", "retinal", "mammogra(?:m|phy)", "tep", "tdm", "tac"),
    *("rontgen", "roentgen", "ultraschall", "echographie", "ecografia", "iris"),
)
STATUS = any_of(
    *("status", "state", "outcome", "zustand", "statut", "etat", "estado", "estatus", "situacion"),
)
