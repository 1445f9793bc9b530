# For the scripts of this folder: a venv with pinned packages, below $INTAGLIO_TOOLCHAINS or the folder for temporary files.
#   run_in_venv NAME PYTHON SCRIPT PACKAGES... -- ARGUMENTS...
# NAME: of the venv. PYTHON: the interpreter that the packages want, such as python3.10.
run_in_venv() {
  local name=$1 python=$2 script=$3 packages=()
  shift 3
  while [[ $1 != -- ]]; do packages+=("$1"); shift; done
  shift
  local here venv
  here=$(dirname "${BASH_SOURCE[0]}")
  venv=${INTAGLIO_TOOLCHAINS:-${TMPDIR:-/tmp}/intaglio-toolchains}/$name
  command -v "$python" >/dev/null || { echo "$name: needs $python in the path" >&2; exit 4; }
  [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  OMP_NUM_THREADS=1 exec "$venv/bin/python" "$here/$script" "$@"
}
