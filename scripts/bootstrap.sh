#!/usr/bin/env bash
# Makes the virtual environment. Says what it does to the system; needs no root unless Python's venv is missing.
# With "train" behind its folder, it adds what learns to one that is there.
set -euo pipefail
venv=${1:-.venv}
here=$(cd "$(dirname "$0")/.." && pwd)

install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$here/constraints.txt" "$@"; }

if [ "${2:-}" = train ]; then
  echo "setup: torch and what learns with it -> $venv"
  # first, and by its version alone: asked for by another package, it would come with gigabytes of CUDA
  install "$(grep '^torch==' "$here/constraints.txt")"
  install -e "$here[train]"
  echo "setup: done"
  exit
fi

usable() { "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for name in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
  if [ -n "$name" ] && command -v "$name" >/dev/null && usable "$name"; then python=$name; break; fi
done
if [ -z "$python" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "setup: installing Debian's python3-venv (Python 3.11 or later with venv was not found)"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv
  python=python3
fi
if [ -z "$python" ] || ! usable "$python"; then
  echo "setup: needs Python 3.11 or later with venv (Debian: apt-get install python3-venv)" >&2
  exit 1
fi

echo "setup: $("$python" --version) -> $venv"
"$python" -m venv "$venv"
install -e "$here[lab,postgresql,ray,chat,cli,dev]"
echo "setup: done; commands are in $venv/bin (secloop, ansible-playbook, ...)"
