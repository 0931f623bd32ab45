#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Packages  Orthanc 1.10.1 (Debian's orthanc), asked by findscu of DCMTK 3.6.7 (Debian's dcmtk)
Done      Two images in UTF-8 (ISO_IR 192) are stored, of Wałęsa^Łukasz and of 山田^太郎.
          C-FIND asks for their names at the level STUDY, the question declaring ISO_IR 192.
Expected  The names as they are stored, in ISO_IR 192. Or an answer that says that something is missing.
Seen      The answer is in ISO_IR 100, Orthanc's DefaultEncoding, and letters that it does not hold are gone:
          Wasa^ukasz, and nothing but the caret. Each is a plain match (Pending), then Success.
          Whoever compares names takes the images for another person's.
          With "DefaultEncoding": "Utf8" both come back whole.

TEXT

for needed in orthanc=1.10.1 dcmtk=3.6.7; do
    package=${needed%=*}
    version=$(dpkg-query --showformat='${Version}' --show "$package") || { echo "$package is not installed."; exit 2; }
    [[ $version == "${needed#*=}"[+-]* ]] || { echo "This is about $needed; installed is $version."; exit 2; }
done

work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2

cat >"$work/recorded" <<'RECORDED'
Latin1: ISO_IR 100, Wasa^ukasz, Success
Latin1: ISO_IR 100, ^, Success
Utf8: ISO_IR 192, Wałęsa^Łukasz, Success
Utf8: ISO_IR 192, 山田^太郎, Success
RECORDED

cat >"$work/make.py" <<'PYTHON'
from __future__ import annotations

import sys

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

for number, name in enumerate(("Wałęsa^Łukasz", "山田^太郎"), 1):
    image = Dataset()
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, f"2.25.{number}.1.1"
    image.StudyInstanceUID, image.SeriesInstanceUID = f"2.25.{number}", f"2.25.{number}.1"
    image.PatientID, image.PatientName, image.Modality = f"P{number}", name, "MR"
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = MRImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.save_as(f"{sys.argv[1]}/{number}.dcm", enforce_file_format=True)
PYTHON
"$work/venv/bin/python" "$work/make.py" "$work"

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

ask() {
    local said
    said=$(findscu -d -S -aec ORTHANC -k QueryRetrieveLevel=STUDY -k "SpecificCharacterSet=ISO_IR 192" \
        -k PatientName -k "StudyInstanceUID=2.25.$2" 127.0.0.1 "$dicom" 2>&1 | tr -d '\0')
    said=$(sed -n '/Received Find Response 1/,$p' <<<"$said")
    echo "$1: $(sed -n 's/.*(0008,0005) CS \[\([^]]*[^] ]\) *\].*/\1/p' <<<"$said" | head -1), $(
        sed -n 's/.*(0010,0010) PN \[\([^]]*[^] ]\) *\].*/\1/p' <<<"$said" | head -1
    ), $(sed -n 's/.*DIMSE Status *: 0x0000: \([A-Za-z]*\):.*/\1/p' <<<"$said" | head -1)"
}

for encoding in Latin1 Utf8; do
    dicom=$(free_port) http=$(free_port)
    mkdir "$work/$encoding"
    cat >"$work/$encoding.json" <<JSON
{
  "StorageDirectory": "$work/$encoding", "IndexDirectory": "$work/$encoding", "DefaultEncoding": "$encoding",
  "DicomPort": $dicom, "HttpPort": $http, "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
  "DicomAlwaysAllowFind": true, "Plugins": []
}
JSON
    PATH="$PATH:/usr/sbin" Orthanc "$work/$encoding.json" >"$work/log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        if curl -s "http://127.0.0.1:$http/system" >"$work/system"; then break; fi
        sleep 0.1
    done
    for number in 1 2; do
        curl -s --data-binary "@$work/$number.dcm" "http://127.0.0.1:$http/instances" >"$work/stored"
        ask "$encoding" "$number" >>"$work/seen"
    done
    kill "$server"
    wait "$server" || true
    server=
done

cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
