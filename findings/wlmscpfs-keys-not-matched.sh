#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Packages  DCMTK 3.6.7 (Debian's dcmtk 3.6.7-9~deb12u4): findscu asks wlmscpfs
Done      Two worklist files, of two patients, lie in the server's folder.
          A query gives the value of one key at a time, and it is a value that one of the two has.
Expected  One answer each time: the item that has the value. Or a warning that the key is not supported (FF01).
Seen      Patient ID, Accession Number and Requested Procedure ID select. Study Instance UID and
          Scheduled Procedure Step ID do not: both patients are answered, each as plain Pending (FF00).
          Whoever asks for one study takes the first answer for it, and has another patient.

TEXT

work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# Into the folder, not into the system: whatever DCMTK that has stays as it is.
version=3.6.7-9~deb12u4
(
    cd "$work"
    apt-get download "dcmtk=$version" "libdcmtk17=$version" >apt.log 2>&1
    for package in ./*.deb; do dpkg -x "$package" root; done
) || { echo "Debian 12's dcmtk $version cannot be downloaded."; exit 2; }
libraries=$(dirname "$(find "$work/root" -name libdcmnet.so.17)")
export PATH="$work/root/usr/bin:$PATH" LD_LIBRARY_PATH="$libraries"
export DCMDICTPATH="$work/root/usr/share/libdcmtk17/dicom.dic"
wlmscpfs --version >/dev/null || { echo "A library that dcmtk needs is not installed."; exit 2; }

cat >"$work/recorded" <<'RECORDED'
PatientID: P2, pending FF00
AccessionNumber: P2, pending FF00
StudyInstanceUID: P1 P2, pending FF00
RequestedProcedureID: P2, pending FF00
(0040,0100)[0].ScheduledProcedureStepID: P1 P2, pending FF00
RECORDED

mkdir -p "$work/worklists/WORKLIST"
touch "$work/worklists/WORKLIST/lockfile"
for number in 1 2; do
    cat >"$work/$number.dump" <<DUMP
(0008,0050) SH [A$number]
(0010,0010) PN [Doe^Number$number]
(0010,0020) LO [P$number]
(0020,000d) UI [1.2.3.$number]
(0032,1060) LO [Brain]
(0040,0100) SQ
(fffe,e000) -
(0008,0060) CS [MR]
(0040,0001) AE [MR1]
(0040,0002) DA [20260110]
(0040,0003) TM [0930]
(0040,0006) PN [Roe^Jane]
(0040,0007) LO [Brain]
(0040,0009) SH [S$number]
(fffe,e00d) -
(fffe,e0dd) -
(0040,1001) SH [R$number]
(0040,1003) SH [LOW]
DUMP
    dump2dcm "$work/$number.dump" "$work/worklists/WORKLIST/$number.wl" 2>/dev/null
done

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
wlmscpfs -dfp "$work/worklists" "$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    sleep 0.1
done

ask() {
    local said
    said=$(findscu -v -W -aec WORKLIST -k PatientID -k "$1=$2" 127.0.0.1 "$port" 2>&1 | tr -d '\0')
    echo "$1: $(sed -n 's/^[WI]: .*(0010,0020) LO \[\(P[0-9]\).*/\1/p' <<<"$said" | sort -u | paste -sd' '), pending $(
        grep -q '(Pending)' <<<"$said" && echo FF00
    )"
}
{
    ask PatientID P2
    ask AccessionNumber A2
    ask StudyInstanceUID 1.2.3.2
    ask RequestedProcedureID R2
    ask "(0040,0100)[0].ScheduledProcedureStepID" S2
} >"$work/seen"

cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
