# Sourced by tests that drive a browser: the page's packages for development, in studio/node_modules. Not 0: there are none.
studio_packages() {
    command -v npm >/dev/null 2>&1 || return 1
    (
        cd studio
        [ -e node_modules/vitest ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] ||
            npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1
    )
}
