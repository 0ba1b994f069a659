# Sourced by the other scripts: `prepare` makes .venv and installs Hebbar in it when that is out of date.

die() {
    echo "$*" >&2
    exit 3
}

find_python() {
    local name
    for name in python3 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    die "Hebbar needs Python 3.11 or later, and python3, python3.12 and python3.11 are missing or older:" \
        "install it (Debian 12 or later: apt-get install -y python3 python3-venv)."
}

check_programs() {
    local name missing=""
    for name in g++ make perl; do
        command -v "$name" >/dev/null || missing="$missing $name"
    done
    [ -z "$missing" ] || die "Hebbar compiles its hardware for simulation and needs$missing:" \
        "install it (Debian: apt-get install -y$missing)."
}

# A process that takes long must not look hung: a dot every two seconds until it ends.
with_dots() {
    local status=0 child
    "$@" &
    child=$!
    trap 'kill "$child" 2>/dev/null || true' EXIT
    while kill -0 "$child" 2>/dev/null; do
        sleep 2
        printf '.'
    done
    echo
    wait "$child" || status=$?
    trap - EXIT
    return "$status"
}

install() {
    .venv/bin/python -m pip install --disable-pip-version-check -e '.[test,docs,dev]' >.venv/install.log 2>&1
}

prepare() {
    local python stamp
    python=$(find_python)
    check_programs
    stamp=$(cat pyproject.toml hebbar/__init__.py |  # what is needed, and the version
        "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
    if .venv/bin/python -c '' 2>/dev/null && [ "$(cat .venv/stamp 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    printf 'installing Hebbar and what it needs in .venv (about a minute) '
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear .venv >/dev/null || die "Python cannot make a virtual environment:" \
            "install its venv module (Debian: apt-get install -y python3-venv)."
    fi
    if ! with_dots install; then
        tail -n 15 .venv/install.log >&2
        die "pip could not install Hebbar's packages; its words are above and in .venv/install.log:" \
            "check the network connection and run this again."
    fi
    echo "$stamp" >.venv/stamp
}
