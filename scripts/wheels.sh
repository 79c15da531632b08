# Packages of PyPI, each pinned by its hash. It is sourced, not run; $cache is the folder that keeps what is downloaded.

has_hash() { [[ -r $1 && $(sha256sum <"$1") == "$2  -" ]]; }

# Runs a program of a virtual environment in $cache.
python() {
    if [[ ! -x $cache/venv/bin/pip ]]; then
        python3 -c 'import ensurepip, venv' 2>/dev/null || die "python3 with venv is missing (Debian: python3-venv)"
        python3 -m venv --clear "$cache/venv"
    fi
    "$cache/venv/bin/$1" "${@:2}"
}

# Prints the path of a wheel. The tags are those of its file name, since it need not suit the Python that is here.
wheel() { # project, version, file, hash
    local file=$cache/$3 abi platform
    if ! has_hash "$file" "$4"; then
        IFS=- read -r _ _ _ abi platform <<<"${3%.whl}"
        python pip download --quiet --disable-pip-version-check --no-deps --dest "$cache" --only-binary :all: \
            --python-version 3.11 --abi "$abi" --platform "${platform%%.*}" "$1==$2" >&2 ||
            die "PyPI does not serve $1 $2"
        has_hash "$file" "$4" || die "$3 is not the file that is known here: its hash differs"
    fi
    echo "$file"
}
