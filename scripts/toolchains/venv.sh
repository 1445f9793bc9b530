# For the scripts of this folder: a venv with pinned packages, below $INTAGLIO_TOOLCHAINS or the folder for temporary files.
#   run_in_venv NAME PYTHON SCRIPT PACKAGES... -- ARGUMENTS...
# NAME: of the venv. PYTHON: the interpreter that the packages want, such as python3.10. +PACKAGE goes in without what it asks for.
run_in_venv() {
  local name=$1 python=$2 script=$3 packages=() alone=()
  shift 3
  while [[ $1 != -- ]]; do
    if [[ $1 == +* ]]; then alone+=("${1#+}"); else packages+=("$1"); fi
    shift
  done
  shift
  local here venv
  here=$(dirname "${BASH_SOURCE[0]}")
  venv=${INTAGLIO_TOOLCHAINS:-${TMPDIR:-/tmp}/intaglio-toolchains}/$name
  command -v "$python" >/dev/null || { echo "$name: needs $python in the path" >&2; exit 4; }
  [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
  local pip=("$venv/bin/pip" install --quiet --disable-pip-version-check)
  "${pip[@]}" "${packages[@]}"
  [[ ${#alone[@]} == 0 ]] || "${pip[@]}" --no-deps "${alone[@]}"
  OMP_NUM_THREADS=1 exec "$venv/bin/python" "$here/$script" "$@"
}
