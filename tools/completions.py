#!/usr/bin/env python3
"""Completions of the command line for bash, zsh and fish, made from what the program says of itself: `trine --help` lists
the commands, `trine COMMAND --help` their verbs, options and arguments. Whatever stands in a help text is completed, and
nothing else.

Usage: completions.py [--check] PROGRAM DIRECTORY

writes trine.bash, _trine (zsh) and trine.fish; with --check it only says which of them are not what would be written.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

# After an option, one space apart: FILE, [FILE], S=N, [SLOT=]MIX, SLOT=FROM..TO:STEP, MODEL.gguf, exact|kelly.
PLACEHOLDER = r"\[[A-Z]+=\][A-Z]+|\[[A-Z]+\]|[A-Z]+(?:[=.:]+[A-Za-z]+)*|[a-z-]+(?:\|[a-z-]+)+"
OPTION = re.compile(rf"(--[a-z][a-z0-9-]*)(?: ({PLACEHOLDER}))?(?=[\s,;\])]|$)")
FILES = {"FILE", "PATH", "MODEL", "CHECKPOINT", "BASE", "SECRET", "FROM", "PREFIX", "M", "G"}
DIRECTORIES = {"DIR", "CORPUS"}
LONGEST = 72  # characters of a description
NOTE = "Made by tools/completions.py from the program's own help."


@dataclasses.dataclass
class Option:
    name: str
    placeholder: str = ""  # what its argument is called; none: it takes none
    description: str = ""
    choices: tuple = ()

    @property
    def is_optional(self):
        return self.placeholder.startswith("[") and self.placeholder.endswith("]")

    @property
    def kind(self):
        """Of the argument: "", files, directories, choices or words (that nobody can guess)."""
        if not self.placeholder:
            return ""
        if self.choices:
            return "choices"
        return kind_of(self.placeholder) or "words"


@dataclasses.dataclass
class Command:
    name: str
    summary: str
    verbs: list
    options: list  # sorted by name
    operands: str  # "", files or directories


def kind_of(placeholder):
    name = re.sub(r"\[[A-Z]+=\]", "", placeholder).strip("[]")
    if name in FILES or re.search(r"\.[a-z]+$", name):
        return "files"
    return "directories" if name in DIRECTORIES else ""


def say(program, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRINE_")}
    result = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    if result.returncode != 0 or not result.stdout:
        sys.exit(f"completions.py: {' '.join([program, *arguments])} exits {result.returncode}: {result.stderr}")
    return result.stdout


def usages(text):
    """The lines of "usage:", each with those that go on with it."""
    found = []
    for line in text.split("\n\n")[0].splitlines():
        line = line.removeprefix("usage:").strip()
        if line.startswith("trine "):
            found.append(line)
        else:
            found[-1] += " " + line
    return found


def option_paragraphs(text):
    """(what stands about one option, whether among the settings of a recipe): a line and those that go on with it."""
    body, are_settings = None, False
    for line in text.splitlines() + [""]:
        if line.startswith("  --"):
            if body is not None:
                yield body, are_settings
            body = line[2:]
        elif body is not None and line.startswith(" " * 10):
            body += " " + line.strip()
        else:
            if body is not None:
                yield body, are_settings
            body = None
            are_settings = line.startswith("settings") or (are_settings and line.startswith("  "))


def defined(body):
    """The options that a paragraph defines: the first, those in further columns, and those named beside with an argument."""
    found = []
    for match in OPTION.finditer(body):
        before = body[: match.start()]
        if before == "" or before.endswith("  ") or (before.endswith(("; ", ", ")) and match[2]):
            found.append(match)
    description = ""
    for match, following in reversed(list(zip(found, found[1:] + [None]))):
        text = " ".join(body[match.end() : following.start() if following else None].split()).strip(",; ")
        description = text or description  # of "--high FILE, --low FILE" that of the last
        yield match[1], match[2] or "", description


def enumerated(text):
    """The words of "this, that (the default) or those" where a description has nothing else between : and ;"""
    text = re.sub(r"\([^)]*\)", "", text)
    for clause in re.split(r"[;:]|\. ", text):
        words = re.split(r",? or |, ", clause.strip())
        if len(words) > 1 and all(re.fullmatch(r" *[a-z][a-z0-9_-]* *", word) for word in words):
            return tuple(word.strip() for word in words)
    return ()


def shortened(name, text):
    if name == "--threads":  # the default is the machine's
        text = re.sub(r" \(\d+\)$", "", text)
    first = re.split(r"; (?![^(]*\))", text)[0]
    text = first if len(first) >= 12 else text
    if len(text) > LONGEST:
        text = text[: LONGEST - 3].rsplit(" ", 1)[0]
        text = re.sub(r" \([^)]*$", "", text).rstrip(",;:") + "..."
    return text.rstrip(":,")


def options_of(text):
    tables = {}  # "KIND is one of" and its table
    for match in re.finditer(r"\b([A-Z]+) is one of\n((?:  [a-z].*\n)+)", text):
        tables[match[1]] = tuple(re.findall(r"^  ([a-z0-9-]+)  ", match[2], re.M))
    found = {}

    def add(name, placeholder, description):
        option = found.setdefault(name, Option(name))
        option.placeholder = option.placeholder or placeholder
        option.description = option.description or shortened(name, description) or placeholder.strip("[]")
        choices = tables.get(placeholder, ())
        if "|" in placeholder:
            choices = tuple(placeholder.split("|"))
        elif placeholder and not kind_of(placeholder) and placeholder != "N":
            choices = choices or enumerated(description)
        option.choices = option.choices or choices

    for body, are_settings in option_paragraphs(text):
        for name, placeholder, description in defined(body):
            is_switch = not are_settings or placeholder or description.endswith("(no)")
            add(name, placeholder if is_switch else "N", description)
    for usage in usages(text):
        for match in OPTION.finditer(usage):
            add(match[1], match[2] or "", "")
    add("--help", "", "tells about this command")
    return sorted(found.values(), key=lambda option: option.name)


def verbs_and_operands(name, text):
    verbs, kinds = [], set()
    for usage in usages(text):
        rest = usage.removeprefix(f"trine {name}").strip()
        match = re.match(r"([a-z]+(?:\|[a-z]+)*)(?: |$)", rest)
        if match:
            verbs += [verb for verb in match[1].split("|") if verb not in verbs]
            rest = rest[match.end() :]
        for word in re.sub(r"--[a-z-]+ ?(?:\[?[^ -][^ ]*)?", "", rest).split():
            kinds.add(kind_of(re.split(r"[|:]|\.\.\.", word.strip("[]()"))[0]))
    return verbs, "files" if "files" in kinds else "directories" if "directories" in kinds else ""


def read_commands(program):
    commands = []
    for name, summary in re.findall(r"^  ([a-z]+) +(\S.*)$", say(program, "--help"), re.M):
        text = say(program, name, "--help")
        verbs, operands = verbs_and_operands(name, text)
        commands.append(Command(name, summary, verbs, options_of(text), operands))
    if not commands:
        sys.exit(f"completions.py: {program} --help lists no commands")
    return commands


BASH = """# bash completion of trine. %(note)s
_trine_among() { # WORD LIST
    local one
    for one in $2; do
        [[ $one == "$1" ]] && return
    done
    return 1
}

_trine() {
    local IFS=$' \t\n'
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-}
    local verbs='' options='' files='' directories='' words='' optional='' choices='' operands='' kind=''
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W '%(commands)s --help --version' -- "$current"))
        return
    fi
    case $command in
%(cases)s
    *) return ;;
    esac
    if [[ $current == = ]]; then # "--option=value" comes as three words
        current=''
    elif [[ $before == = ]] && ((COMP_CWORD > 3)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case "$command $before" in
%(choices)s
    esac
    if [[ -n $choices ]]; then
        COMPREPLY=($(compgen -W "$choices" -- "$current"))
        return
    elif _trine_among "$before" "$words"; then
        return
    elif _trine_among "$before" "$directories"; then
        kind=directories
    elif _trine_among "$before" "$files" || { _trine_among "$before" "$optional" && [[ $current != -* ]]; }; then
        kind=files
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    elif [[ -n $verbs ]] && ((COMP_CWORD == 2)); then
        COMPREPLY=($(compgen -W "$verbs" -- "$current"))
        return
    elif [[ -z $operands ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    else
        kind=$operands
    fi
    compopt -o filenames
    if [[ $kind == directories ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _trine trine
"""


def wrapped(label, names, indent):
    """label='NAMES', over several lines of at most 120 characters."""
    lines, line = [], f"{indent}{label}='"
    for i, name in enumerate(names):
        piece = name + (" " if i + 1 < len(names) else "'")
        if len(line) + len(piece) > 118:
            lines.append(line.rstrip(" "))
            line = indent + "    "
        line += piece
    return "\n".join(lines + [line])


def bash(commands):
    cases, choices = [], []
    for command in commands:
        lines = [f"    {command.name})"]
        groups = {"verbs": command.verbs, "options": [option.name for option in command.options], "optional": []}
        for option in command.options:
            if option.kind == "choices":
                choices.append(f"    '{command.name} {option.name}') choices='{' '.join(option.choices)}' ;;")
            elif option.kind:
                groups.setdefault("optional" if option.is_optional else option.kind, []).append(option.name)
        groups["operands"] = [command.operands] if command.operands else []
        lines += [wrapped(label, names, "        ") for label, names in groups.items() if names]
        cases.append("\n".join(lines + ["        ;;"]))
    names = " ".join(command.name for command in commands)
    return BASH % {"note": NOTE, "commands": names, "cases": "\n".join(cases), "choices": "\n".join(choices)}


ZSH = """#compdef trine
# zsh completion of trine. %(note)s
_trine() {
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C '(- *)--help[tells about trine]' '(- *)--version[prints the version]' '1: :->command' '*:: :->arguments'
    case $state in
    command)
        local -a commands=(
%(commands)s
        )
        _describe command commands
        ;;
    arguments)
        curcontext=${curcontext%%:*:*}:trine-$words[1]:
        case $words[1] in
%(cases)s
        esac
        ;;
    esac
}
_trine "$@"
"""

ZSH_ACTIONS = {"files": "_files", "directories": "_files -/", "words": " "}


def zsh_quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_option(option):
    description = re.sub(r"([\[\]\\:])", r"\\\1", option.description)
    if not option.kind:
        return zsh_quoted(f"{option.name}[{description}]")
    action = "(" + " ".join(option.choices) + ")" if option.choices else ZSH_ACTIONS[option.kind]
    message = re.sub(r"([\[\]\\:])", r"\\\1", option.placeholder)
    colons = "::" if option.is_optional else ":"
    return zsh_quoted(f"*{option.name}=[{description}]{colons}{message}:{action}")


def zsh(commands):
    cases = []
    for command in commands:
        specs = [zsh_option(option) for option in command.options]
        if command.verbs:
            specs.append(zsh_quoted("1:verb:(" + " ".join(command.verbs) + ")"))
        if command.operands:
            specs.append(zsh_quoted(f"*:{command.operands}:{ZSH_ACTIONS[command.operands]}"))
        lines = " \\\n".join(f"                {spec}" for spec in specs)
        cases.append(f"        {command.name})\n            _arguments \\\n{lines}\n            ;;")
    names = [" " * 12 + zsh_quoted(f"{command.name}:{command.summary}".replace(": ", "\\: ")) for command in commands]
    return ZSH % {"note": NOTE, "commands": "\n".join(names), "cases": "\n".join(cases)}


FISH = """# fish completion of trine. %(note)s
function __trine_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]
end

function __trine_lacks_command
    test (count (commandline -opc)) -eq 1
end

function __trine_lacks_verb
    test (count (commandline -opc)) -eq 2; and __trine_is $argv[1]
end

function __trine_has_verb
    test (count (commandline -opc)) -gt 2; and __trine_is $argv[1]
end

function __trine_after
    set -l words (commandline -opc)
    test "$words[-1]" = $argv[2]; and __trine_is $argv[1]
end

complete -c trine -f
complete -c trine -n __trine_lacks_command -l help -d 'tells about trine'
complete -c trine -n __trine_lacks_command -l version -d 'prints the version'
%(lines)s
"""

FISH_WORDS = {"files": " -F", "directories": " -a '(__fish_complete_directories)'", "words": ""}


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(commands):
    lines = []
    for command in commands:
        name = command.name
        lines.append(f"\ncomplete -c trine -n __trine_lacks_command -a {name} -d {fish_quoted(command.summary)}")
        for verb in command.verbs:
            lines.append(f"complete -c trine -n '__trine_lacks_verb {name}' -a {verb}")
        if command.operands:
            place = f"{'__trine_has_verb' if command.verbs else '__trine_is'} {name}"
            lines.append(f"complete -c trine -n '{place}'{FISH_WORDS[command.operands]}")
        for option in command.options:
            line = f"complete -c trine -n '__trine_is {name}' -l {option.name[2:]}"
            if option.choices:
                line += f" -x -a {fish_quoted(' '.join(option.choices))}"
            elif option.kind and not option.is_optional:
                line += (" -r" if option.kind == "files" else " -x") + FISH_WORDS[option.kind]
            lines.append(line + f" -d {fish_quoted(option.description)}")
            if option.is_optional:
                lines.append(f"complete -c trine -n '__trine_after {name} {option.name}' -F")
    return FISH % {"note": NOTE, "lines": "\n".join(lines).strip("\n")}


def main(arguments):
    is_check = arguments[:1] == ["--check"]
    if len(arguments) != 2 + is_check:
        sys.exit(__doc__)
    program, directory = arguments[-2], pathlib.Path(arguments[-1])
    if not is_check:
        directory.mkdir(parents=True, exist_ok=True)
    commands = read_commands(program)
    stale = []
    for name, text in {"trine.bash": bash(commands), "_trine": zsh(commands), "trine.fish": fish(commands)}.items():
        path = directory / name
        if not is_check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path))
    if stale:
        sys.exit(f"not what the program's help says: {', '.join(stale)}")


if __name__ == "__main__":
    main(sys.argv[1:])
