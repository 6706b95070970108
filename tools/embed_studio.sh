#!/bin/sh
# Prints the header by which src/serve/studio_files.c takes in the files of a built page.
#   tools/embed_studio.sh DIRECTORY
set -eu
directory=${1%/}
files=$(cd "$directory" && find . -type f | sed 's|^\./||' | LC_ALL=C sort)
[ -f "$directory/index.html" ] || { echo "embed_studio.sh: $directory has no index.html" >&2; exit 1; }

echo "/* Made by tools/embed_studio.sh. */"
number=0
entries=""
for file in $files; do
    # Names end up in C and in assembly.
    case $file in
    *[!A-Za-z0-9._/-]*) echo "embed_studio.sh: a file's name may not have this: $file" >&2; exit 1 ;;
    *.html) type="text/html; charset=utf-8" ;;
    *.js) type="text/javascript; charset=utf-8" ;;
    *.css) type="text/css; charset=utf-8" ;;
    *.svg) type="image/svg+xml" ;;
    *.woff2) type="font/woff2" ;;
    *.txt) type="text/plain; charset=utf-8" ;;
    *) echo "embed_studio.sh: of what type is $file?" >&2; exit 1 ;;
    esac
    tag=$(sha256sum "$directory/$file" | cut -c 1-32)
    echo "STUDIO_EMBED($number, \"$directory/$file\");"
    entries="$entries    {\"/$file\", studio_file_$number, studio_file_end_$number, \"$type\", \"\\\\\"$tag\\\\\"\"}, \\\\\\n"
    number=$((number + 1))
done
printf '#define STUDIO_ENTRIES \\\n'
printf '%b' "$entries"
echo
