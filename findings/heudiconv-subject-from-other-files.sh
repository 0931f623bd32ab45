#!/usr/bin/env bash
set -euo pipefail

cat <<'TEXT'
Packages  heudiconv 1.5.1 with dcm2niix 1.0.20260724
Done      Two participants, AB-1_2 (voxels of 1) and AB1-2 (voxels of 2), are converted to BIDS one after
          the other into one folder, the second with --overwrite; then AB1-2 alone into a folder of its own.
Expected  Two subjects; or, as BIDS labels are alphanumeric and both become AB12, the second participant's
          images, as --files names them and --overwrite asks.
Seen      Both are sub-AB12, and the second run ends well without converting the files that it was given:
          it converts those of the first run, whose list it finds in the folder's .heudiconv,
          and sub-AB12 holds the first participant again.
          In one folder, patient IDs that differ in punctuation alone are one subject.

TEXT

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  heudiconv==1.5.1 dcm2niix==1.0.20260724 nipype==1.11.0 dcmstack==0.9.0 pydicom==3.0.2

cat >"$work/recorded" <<'RECORDED'
AB-1_2 into the study: exit status 0, sub-AB12 has voxels of 1
AB1-2 into the study: exit status 0, sub-AB12 has voxels of 1, log: Reloading existing filegroup.json
AB1-2 alone: exit status 0, sub-AB12 has voxels of 2
RECORDED

cat >"$work/heuristic.py" <<'PYTHON'
from __future__ import annotations

T1W = ("sub-{subject}/anat/sub-{subject}_T1w", ("nii.gz",), None)


def infotodict(seqinfo: list) -> dict:
    return {T1W: [series.series_id for series in seqinfo]}
PYTHON

cat >"$work/make.py" <<'PYTHON'
from __future__ import annotations

import struct
import sys
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

SIDE = 8
SLICES = 4


def write_series(folder: Path, patient_id: str, voxel: int) -> None:
    folder.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for number in range(SLICES):
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PatientID = ds.PatientName = patient_id
        ds.Modality, ds.Manufacturer, ds.PatientPosition = "MR", "Example", "HFS"
        ds.StudyDescription, ds.StudyID = "Study", "1"
        ds.SeriesDescription = ds.ProtocolName = ds.SequenceName = "T1w"
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20260105"
        ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "100000"
        ds.ImageType = ["ORIGINAL", "PRIMARY"]
        ds.MRAcquisitionType, ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "3D", "GR", "NONE", ""
        ds.EchoTime, ds.RepetitionTime, ds.SeriesNumber, ds.InstanceNumber = 2, 3, 1, number + 1
        ds.PixelSpacing, ds.SliceThickness, ds.SpacingBetweenSlices = [1, 1], 1, 1
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number]
        ds.Rows = ds.Columns = SIDE
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.PixelData = struct.pack("<H", voxel) * SIDE * SIDE
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.save_as(folder / f"{number}.dcm", enforce_file_format=True)


dicom = Path(sys.argv[1])
write_series(dicom / "AB-1_2", "AB-1_2", 1)
write_series(dicom / "AB1-2", "AB1-2", 2)
PYTHON

cat >"$work/voxels.py" <<'PYTHON'
from __future__ import annotations

import sys
from pathlib import Path

import nibabel

for image in sorted(Path(sys.argv[1]).glob("sub-*/anat/*.nii.gz")):
    values = sorted(set(nibabel.load(image).get_fdata().astype(int).ravel().tolist()))
    print(f"{image.parts[-3]} has voxels of {', '.join(map(str, values))}")
PYTHON

export PATH="$work/venv/bin:$PATH" NO_ET=1

convert() { # what is said of it, patient ID, BIDS folder, further options
  local said=$1 patient_id=$2 bids=$3 status=0 reloading
  shift 3
  heudiconv --files "$work/dicom/$patient_id" --subjects "$patient_id" --heuristic "$work/heuristic.py" \
    --converter dcm2niix --bids --outdir "$bids" "$@" >"$work/log" 2>&1 || status=$?
  reloading=$(grep --only-matching --max-count=1 'Reloading existing filegroup.json' "$work/log" || true)
  echo "$patient_id $said: exit status $status," \
    "$(python "$work/voxels.py" "$bids")${reloading:+, log: $reloading}"
}

python "$work/make.py" "$work/dicom"
{
  convert "into the study" AB-1_2 "$work/study"
  convert "into the study" AB1-2 "$work/study" --overwrite
  convert "alone" AB1-2 "$work/alone"
} >"$work/seen"
cat "$work/seen"
diff "$work/recorded" "$work/seen" || { echo "The behaviour is no longer the one recorded."; exit 1; }
