# SPDX-License-Identifier: Apache-2.0
# Sourced by experiments/quickstart.sh and tests/run.sh: makes sure the Debian packages named are there.
# As root or with passwordless sudo it installs what is missing; otherwise it says exactly what to type.

# What a build needs.
mr_packages_build="gcc libc6-dev cmake ninja-build pkg-config git ca-certificates libsimgrid-dev libhdf5-dev libxml2-dev zlib1g-dev libopenmpi-dev"
# What the tests need on top of that. libclang-rt holds the sanitizers of clang.
mr_packages_test="libcmocka-dev clang-14 libclang-rt-14-dev llvm-14 clang-format-14 clang-tidy-14 cppcheck libxml2-utils man-db groff-base \
python3-h5py python3-xarray python3-netcdf4 python3-h5netcdf hdf5-tools netcdf-bin slurm-wlm munge"

mr_packages_missing() {
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
        ii*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# mr_packages_ensure PACKAGE...: returns 0 when all are installed.
mr_packages_ensure() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "this is not a Debian system: make sure you have the equivalents of: $*" >&2
        return 0
    fi
    missing=$(mr_packages_missing "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo"
    else
        echo "packages are missing and this user may not install them. Type, as root:" >&2
        echo "    apt-get update && apt-get install -y --no-install-recommends $missing" >&2
        return 5
    fi
    echo "installing: $missing" >&2
    # shellcheck disable=SC2086 # the lists are words
    if ! $as_root apt-get update >&2 ||
        ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            $missing >&2; then
        echo "apt-get could not install: $missing" >&2
        return 5
    fi
}
