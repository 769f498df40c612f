#!/bin/sh
# An environment with attnlab, JoeyNMT 2.3.0 and OpenNMT-py 3.5.1 beside each other on one torch:
#   sh benchmarks/peers/setup.sh [folder, default .venv-peers]
# Python 3.11, as pyonmttok and fasttext have wheels for it. On Linux install torch first where a CPU build is wanted.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$root/.venv-peers}
"${PYTHON:-python3.11}" -m venv "$folder"
# JoeyNMT imports pkg_resources, which today's setuptools has no longer: requirements.txt asks for an older one.
grep -v '^setuptools==' "$root/constraints.txt" > "$folder/constraints.txt"
"$folder/bin/pip" install -q -c "$folder/constraints.txt" torch
"$folder/bin/pip" install -q -c "$folder/constraints.txt" -e "$root" -r "$root/benchmarks/peers/requirements.txt"
"$folder/bin/pip" install -q --no-deps joeynmt==2.3.0 OpenNMT-py==3.5.1
"$folder/bin/python" -c 'import joeynmt.training, onmt.bin.train' && echo "ready: $folder/bin/python"
