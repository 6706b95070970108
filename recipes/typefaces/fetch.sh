#!/bin/sh
# Makes FONTS/PACKAGE/..., the TrueType and OpenType files of the Debian packages below (Debian 12). 630 MB are downloaded,
# 510 of them texlive-fonts-extra, and 470 stay. Nothing is installed, and nothing of it becomes part of Trine. Behind each
# package stands the kind of its fonts' licence, as its copyright file says ("+FE": with the exception for documents that
# embed the font); all of them are in Debian's main section. Packages that are there already are not fetched again.
# Usage: recipes/typefaces/fetch.sh FONTS
# Then: recipes/typefaces/glyphs.py FONTS OUT
set -eu

packages() {
    sed 's/ .*//' <<'LIST'
fonts-3270 BSD-3-clause/OFL-1.1
fonts-adf-berenis GPL-2+FE
fonts-adf-gillius GPL-2+FE
fonts-adf-ikarius GPL-2+FE
fonts-adf-libris GPL-2+FE
fonts-adf-romande GPL-2+FE
fonts-adf-solothurn GPL-2+FE
fonts-adf-switzera GPL-2+FE
fonts-adf-universalis GPL-2+FE
fonts-aenigma permission-with-attribution
fonts-agave MIT
fonts-allerta OFL-1.1
fonts-amiga OFL-1.1
fonts-anonymous-pro OFL-1.1
fonts-apropal OFL-1.1
fonts-arapey OFL-1.1
fonts-averia-gwf OFL-1.1
fonts-averia-sans-gwf OFL-1.1
fonts-averia-serif-gwf OFL-1.1
fonts-b612 OFL-1.1
fonts-bebas-neue OFL-1.1
fonts-beteckna GPL-3
fonts-blankenburg OFL-1.1
fonts-breip OFL-1.0
fonts-bwht OFL-1.1
fonts-cabin OFL-1.1
fonts-cantarell OFL-1.1
fonts-cardo OFL-1.1
fonts-cegui OFL-1.1
fonts-century-catalogue OFL-1.1
fonts-cherrybomb OFL-1.1
fonts-clear-sans Apache-2.0
fonts-cmu OFL-1.1
fonts-comfortaa OFL-1.1
fonts-comic-neue OFL-1.1
fonts-compagnon OFL-1.1
fonts-courier-prime OFL-1.1
fonts-crosextra-caladea OFL-1.1
fonts-crosextra-carlito OFL-1.1
fonts-dancingscript OFL-1.1
fonts-dejavu-core Bitstream-Vera
fonts-dosis OFL-1.1
fonts-dustin GPL-2
fonts-ebgaramond-extra OFL-1.1
fonts-ecolier-court OFL-1.1
fonts-engadget LGPL-2
fonts-essays1743 OFL-1.1/LGPL-2.1
fonts-eurofurence OFL-1.1
fonts-f500 Artistic
fonts-fantasma CC0-1.0
fonts-fantasque-sans OFL-1.1
fonts-fanwood MIT
fonts-femkeklaver CC-BY-SA-3
fonts-ferrite-core OFL-1.1
fonts-gamaliel OFL-1.1
fonts-gemunu-libre OFL-1.1
fonts-georgewilliams OFL-1.1/BSD-3-clause
fonts-gfs-artemisia OFL-1.1
fonts-gfs-didot OFL-1.1
fonts-gfs-neohellenic OFL-1.1
fonts-glasstty Unlicense
fonts-go BSD-3-clause
fonts-gotico-antiqua OFL-1.1
fonts-goudybookletter public-domain
fonts-havana OFL-1.1
fonts-hermit OFL-1.1
fonts-inconsolata OFL-1.1
fonts-inter-variable OFL-1.1
fonts-isabella LGPL-2+
fonts-jetbrains-mono Apache-2.0
fonts-junction OFL-1.1
fonts-junicode OFL-1.1
fonts-jura OFL-1.1
fonts-karla OFL-1.1
fonts-kaushanscript OFL-1.1
fonts-klaudia-berenika OFL-1.1
fonts-lato OFL-1.1
fonts-league-mono OFL-1.1
fonts-league-spartan OFL-1.1
fonts-leckerli-one OFL-1.1
fonts-lemonada OFL-1.1
fonts-liberation GPL-2+FE
fonts-lindenhill MIT
fonts-linuxlibertine GPL-2+FE/OFL-1.1
fonts-lmodern GUST
fonts-lobstertwo OFL-1.1
fonts-manrope OFL-1.1
fonts-millimetre OFL-1.1
fonts-monofur OFL-1.1
fonts-monoid MIT/OFL-1.1
fonts-mononoki OFL-1.1
fonts-ocr-a public-domain
fonts-ocr-b public-domain/permissive
fonts-okolaks OFL-1.1
fonts-open-sans Apache-2.0
fonts-osifont GPL+FE/LGPL+FE
fonts-oxygen GPL-3+FE/OFL-1.1
fonts-paratype ParaType-Free
fonts-play OFL-1.1
fonts-prociono public-domain
fonts-proggy MIT
fonts-quattrocento OFL-1.1
fonts-quicksand OFL-1.1
fonts-radisnoir OFL-1.1
fonts-roadgeek MIT
fonts-roboto-fontface Apache-2.0
fonts-roboto-slab Apache-2.0
fonts-roboto-unhinted Apache-2.0
fonts-routed-gothic OFL-1.1
fonts-rufscript GPL-3+FE
fonts-sil-andika OFL-1.1
fonts-sil-charis OFL-1.1
fonts-sil-doulos OFL-1.1
fonts-sil-gentium OFL-1.1
fonts-sixtyfour OFL-1.1
fonts-sjfonts GPL
fonts-smc-chilanka OFL-1.1
fonts-smc-gayathri OFL-1.1
fonts-smc-manjari OFL-1.1
fonts-solide-mirage OFL-1.1
fonts-sora OFL-1.1
fonts-spleen BSD-2-clause
fonts-staypuft LGPL-2
fonts-summersby GPL-2+
fonts-terminus OFL-1.1
fonts-texgyre GUST
fonts-tiresias GPL-3+FE
fonts-triod-postnaja OFL-1.1
fonts-tuffy public-domain
fonts-urw-base35 AGPL-3+FE
fonts-vollkorn OFL-1.1
fonts-yanone-kaffeesatz OFL-1.1
fonts-yrsa-rasa OFL-1.1
texlive-fonts-extra each-its-own
LIST
}

fail() {
    echo "fetch.sh: $*" >&2
    exit 1
}

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: fetch.sh FONTS" >&2
    exit 2
fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "apt-get and dpkg-deb are needed: Debian or one of its kind"
mkdir -p "$1"
partial=$(mktemp -d "$1/.fetch.XXXXXX")
trap 'rm -rf "$partial"' EXIT
trap 'exit 1' HUP INT TERM

missing=
for package in $(packages); do
    [ -d "$1/$package" ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    (cd "$partial" && apt-get download -qq -o APT::Sandbox::User=root $missing) ||
        fail "apt-get could not fetch all packages (apt-get update first?)"
fi
for package in $missing; do
    mkdir "$partial/$package"
    dpkg-deb --fsys-tarfile "$partial/$package"_*.deb |
        tar -x -C "$partial/$package" --wildcards --no-anchored '*.[to]tf' '*.[TO]TF' 2>"$partial/tar.log" ||
        ls "$partial/$package"/* >/dev/null 2>&1 || fail "$package has no fonts: $(cat "$partial/tar.log")"
    mv "$partial/$package" "$1/"
done
echo "$1: $(packages | wc -l) packages, $(find "$1" -type f -iname '*.[to]tf' | wc -l) fonts"
