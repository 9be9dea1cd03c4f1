# Sourced by quickstart and test, from the repository root. `prepare EXTRAS [OTHER]` sees to it that .venv holds
# this package with EXTRAS; a finished one that was made with the extras OTHER will do as well.

say() { printf '==> %s\n' "$*" >&2; }

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

prepare() {
    trap 'exit 130' INT # pip ends with 1 after Ctrl-C
    (
        flock --nonblock 9 || {
            say "another process is making .venv; waiting for it"
            flock 9
        }
        make_or_use "$@"
    ) 9<tools/venv.sh
    trap - INT
}

make_or_use() {
    local stamp=.venv/edgefashion-stamp extras
    for extras in "$@"; do
        if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint "$extras")" ] && whole; then
            say "using .venv as it is"
            return
        fi
    done
    if [ -f "$stamp" ] && whole && updatable; then
        say "bringing .venv up to date"
        rm "$stamp"
    else
        make_venv
    fi
    say "installing edgefashion[$1]; the first time this downloads about a gigabyte"
    install -c constraints.txt -e ".[$1]"
    whole || fail "pip installed edgefashion, and .venv/bin/python cannot import it: rm -rf .venv, and again"
    fingerprint "$1" >"$stamp" # last: without it the next run starts over
}

fingerprint() { printf '%s %s\n' "$1" "$(cat pyproject.toml constraints.txt | cksum)"; }

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

whole() { # .venv has this checkout's edgefashion, and what every part of it needs; one that was moved has not
    supported .venv/bin/python && .venv/bin/python -I -c 'import os.path, sys
import click, numpy, edgefashion
sys.exit(not os.path.samefile(os.path.dirname(edgefashion.__file__), "edgefashion"))' 2>/dev/null
}

updatable() { # uv leaves pip out of what it makes
    command -v uv >/dev/null || .venv/bin/python -c 'import pip' 2>/dev/null
}

make_venv() {
    local python
    python=$(find_python) || fail "edgefashion needs Python 3.11, 3.12 or 3.13 (TensorFlow has no other)" \
        "and none is on the PATH: sudo apt install python3.13-venv, or python3.12-venv or python3.11-venv"
    say "making .venv with $("$python" --version)"
    if command -v uv >/dev/null; then
        rm -rf .venv
        uv venv --quiet --python "$(command -v "$python")" .venv
    elif "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        "$python" -m venv --clear .venv
    else
        fail "Python cannot make virtual environments here:" \
            "sudo apt install $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
}

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if supported "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

install() {
    if command -v uv >/dev/null; then
        uv pip install --python .venv/bin/python "$@"
    else
        .venv/bin/python -m pip install "$@"
    fi
}
