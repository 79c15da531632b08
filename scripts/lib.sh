# Functions and variables that the scripts here share. It is sourced, not run.

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
pgrx_version=0.18.1
rust_needed=1.95
majors_supported="15 16 17 18"
# scripts/setup writes this file. Every other script, and the Rust harness, reads it.
env_file="$checkout/target/booking.env"

# The directory of rustup, for shells that do not read its profile lines (CI, sudo, cron).
[[ -d ${HOME:-/nonexistent}/.cargo/bin ]] && PATH="$PATH:$HOME/.cargo/bin"
export PATH="$checkout/.tools/bin:$PATH"

if [[ -t 1 && -z ${CI:-} && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' green='' red='' dim='' plain=''
fi

say() { printf '%s\n' "$*"; }

die() {
    printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Returns whether what a release is built from is what the last commit has.
is_committed() { [[ -z $(git status --porcelain -- Cargo.toml Cargo.lock booking.control src sql META.json) ]]; }

# Prints the version of the extension.
crate_version() { sed -nE '0,/^version/s/^version = "(.*)"/\1/p' "$checkout/Cargo.toml"; }

is_root() { [[ $EUID -eq 0 ]]; }

# Prints the user that runs the servers: PostgreSQL refuses to start as root.
server_user() {
    local user
    is_root || { id -un; return; }
    for user in postgres nobody; do
        id -u "$user" >/dev/null 2>&1 && { echo "$user"; return; }
    done
    die "root runs the servers as the user postgres or nobody, and neither exists: create one of them"
}

# Prints the directory of the private copy of PostgreSQL. It is in the checkout, but not for root: the unprivileged
# user that then runs the servers has no access to a checkout below /root.
state_dir() { # major
    if is_root; then
        echo "/var/tmp/booking-$(printf %s "$checkout" | sha256sum | cut -c1-12)/postgresql-$1"
    else
        echo "$checkout/target/postgresql-$1"
    fi
}

# Creates that directory. Its name in /var/tmp can be guessed, so another user may have created it before.
make_state_dir() { # dir
    mkdir -p "$1"
    is_root || return 0
    local part
    for part in "$1" "$(dirname "$1")"; do
        [[ -O $part && ! -L $part ]] || die "$part belongs to another user: remove it and try again"
        chmod go-w "$part"
    done
}

load_env() {
    [[ -r $env_file ]] || die "nothing is set up yet: run make setup"
    # shellcheck disable=SC1090
    . "$env_file"
}
