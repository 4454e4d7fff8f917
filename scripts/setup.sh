#!/usr/bin/env bash
# Makes this clone ready for work: the Python environment .venv with every pinned package of
# pyproject.toml, and the Debian packages that the simulators need. Run it as often as you like:
# when nothing is to do it says nothing and takes a few milliseconds.
#
# Debian packages are installed as root or through a sudo that asks for no password. Anybody else
# is told which ones are missing, and gets everything that needs no rights.
#
# `scripts/setup.sh tests` brings as well what only the tests need: Wireshark's tshark and a browser.
#
# PYTHON=/path/to/python3 chooses the Python that .venv is made with.
set -euo pipefail
cd "$(dirname "$0")/.."

groups="sim,synth,formal,dev"            # the groups of pyproject.toml to install
python_stamp=.venv/python-stamp   # fingerprint of what .venv was made from
purpose=${1:-}                    # empty, or `tests`
stamp=.venv/setup-stamp$purpose   # the same, once the Debian packages are there too

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The path belongs to the fingerprint because the scripts in .venv/bin carry it.
fingerprint() { { pwd; cat pyproject.toml scripts/setup.sh; } | sha256sum; }
stamped() { [[ -e $1 && $(<"$1") == "$fingerprint" ]]; }

fingerprint=$(fingerprint)
stamped $stamp && exit 0

# Two set-ups of one clone at a time would trip over each other; the second waits here.
exec 9<scripts
flock 9
stamped $stamp && exit 0
mkdir -p build
log=build/setup.log
: >$log

# --- Debian packages ---------------------------------------------------------------------------

# Whether packages can be installed, and through what.
as_root=()
can_install() {
  command -v apt-get >/dev/null || return 1
  [[ $(id -u) == 0 ]] && return 0
  as_root=(sudo -n)
  sudo -n true 2>/dev/null
}

apt_install() {
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes
    --no-install-recommends -o DPkg::Lock::Timeout=300)
  say "installing Debian packages: $*"
  "${install[@]}" "$@" >>$log 2>&1 && return 0
  say "updating the list of Debian packages"
  "${as_root[@]}" apt-get update >>$log 2>&1 || true
  "${install[@]}" "$@" >>$log 2>&1
}

has() { command -v "$1" >/dev/null; }
has_header() { g++ -E -x c++ - <<<"#include <$1>" >/dev/null 2>&1; }

# Names each Debian package whose file does not answer. What is there by another way is left alone.
missing_packages() {
  has iverilog && has vvp || echo iverilog
  has g++ || echo g++
  has make || echo make
  has ccache || echo ccache # rebuilds a simulation in a second instead of twelve
  has_header zlib.h || echo zlib1g-dev # waveforms (FST)
  has_header lz4.h || echo liblz4-dev  # the same
  perl -MPod::Usage -e 1 2>/dev/null || echo perl # Verilator's front end
  # cocotb loads Python as a shared library into the simulator.
  [[ ! -x .venv/bin/python || -n $(.venv/bin/python -m find_libpython 2>/dev/null) ]] ||
    echo "libpython$(python_version)"
  [[ $purpose == tests ]] || return 0
  has tshark || echo tshark
  has chromium || echo chromium
}

# --- Python environment ------------------------------------------------------------------------

python_version() { "$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

choose_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    python=$(command -v "$candidate") || continue
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
  done
  fail "needs Python 3.11 or newer: install it (on Debian: apt-get install python3)," \
    "or name it: PYTHON=/path/to/python3 make setup"
}

# pip as Debian ships it for making environments; downloading a package needs no rights.
pip_from_debian() {
  local folder
  folder=$PWD/build/pip-from-debian
  rm -rf "$folder"
  mkdir -p "$folder"
  (cd "$folder" && apt-get download python3-pip-whl && dpkg-deb -x ./*.deb .) >>$log 2>&1 &&
    pip=$(compgen -G "$folder/usr/share/python-wheels/pip-*.whl")
}

# Debian splits off the part of Python that puts pip into a new environment.
make_environment() {
  local venv_package
  venv_package=python$(python_version)-venv
  say "making .venv with Python $(python_version)"
  if ! "$python" -c 'import ensurepip' 2>/dev/null && can_install; then
    apt_install "$venv_package" || say "could not install $venv_package (see $log)"
  fi
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv --clear .venv >>$log 2>&1
  elif "$python" -m pip --version >>$log 2>&1; then
    "$python" -m venv --clear --without-pip .venv >>$log 2>&1 &&
      "$python" -m pip --python .venv/bin/python install pip >>$log 2>&1
  elif has apt-get && pip_from_debian; then
    "$python" -m venv --clear --without-pip .venv >>$log 2>&1 &&
      .venv/bin/python "$pip/pip" install pip >>$log 2>&1
  else
    fail "this Python cannot make an environment with pip; as root:" \
      "apt-get install $venv_package $(missing_packages | tr '\n' ' ')"
  fi || fail "could not make .venv (see $log)"
}

# An environment that was moved with its folder, or whose Python is gone, is made anew.
environment_works() {
  grep -qsF "$PWD/.venv" .venv/bin/activate && .venv/bin/python -m pip --version >>$log 2>&1
}

install_python_packages() {
  environment_works || make_environment
  say "installing the Python packages of pyproject.toml"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --editable ".[$groups]" >>$log 2>&1 || {
    tail -n 15 $log >&2
    fail "pip could not install the packages (all of it: $log)"
  }
  printf '%s\n' "$fingerprint" >$python_stamp
}

# --- What to do ----------------------------------------------------------------------------------

choose_python
stamped $python_stamp || install_python_packages

missing=$(missing_packages | tr '\n' ' ')
if [[ -n $missing ]] && can_install; then
  # shellcheck disable=SC2086  # one word a package
  apt_install $missing || { tail -n 5 $log >&2; say "apt-get failed (all of it: $log)"; }
  missing=$(missing_packages | tr '\n' ' ')
fi
if [[ -n $missing ]]; then
  say "MISSING Debian packages; as root: apt-get install ${missing% }"
  say "everything else is ready; what needs them will fail and say so"
else
  printf '%s\n' "$fingerprint" >$stamp
  say "ready"
fi
