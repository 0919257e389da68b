"""C++'s standard library as people write it: `std::vector<std::string>`, without what it fills in by itself.

Compilers spell out each argument that nobody gave: `std::vector<std::__cxx11::basic_string<char,
std::char_traits<char>, std::allocator<char> >, std::allocator<…> >`. Only what ends a list is left out.
"""

import re

#: Namespaces that tell versions of its binary interface apart: of libstdc++, libc++, and Android's.
_VERSIONS = re.compile(r"\bstd::(?:__cxx11|__1|__ndk1)::")
#: What is filled in, the last first; and of what alone that is sure, where others take the same by choice.
_DEFAULTS = (
    (", std::allocator<", ""),
    (", std::char_traits<", ""),
    (", std::default_delete<", ""),
    (", std::equal_to<", "std::unordered_"),
    (", std::hash<", "std::unordered_"),
    (", std::less<", "std::map<"),
    (", std::less<", "std::set<"),
)
_BRACKETS, _GAPS = re.compile("[<>]"), re.compile("(?<=>) (?=>)")
_ALIASES = re.compile(
    r"\bstd::basic_(string|string_view|[io]?stringstream|[io]?fstream|[io]{1,2}stream|streambuf)<(char|wchar_t)>"
)


def plain(name: str) -> str:
    """A name without the defaults of `std`; any other as it is."""
    if "std::" not in name:
        return name
    name = _VERSIONS.sub("std::", name)
    for default, of in _DEFAULTS:
        if of in name:
            name = _without(name, default)
    name = _GAPS.sub("", name)
    return _ALIASES.sub(lambda found: f"std::{'w' if found[2] == 'wchar_t' else ''}{found[1]}", name)


def _without(name: str, argument: str) -> str:
    """The name without each argument that begins so and ends its list; linear, as names are of anybody."""
    closed = _closed(name)
    left_out: dict[int, int] = {}
    at = name.rfind(argument)
    while at >= 0:
        end = closed.get(at + len(argument) - 1, len(name) - 1) + 1
        while end < len(name) and (name[end] == " " or end in left_out):
            end = left_out.get(end, end + 1)
        if name.startswith(">", end):
            left_out[at] = end
        at = name.rfind(argument, 0, at)
    parts, at = [], 0
    for begin in sorted(left_out):
        # What lies within another is left out with it.
        if begin >= at:
            parts.append(name[at:begin])
            at = left_out[begin]
    return "".join(parts) + name[at:]


def _closed(name: str) -> dict[int, int]:
    """Where each bracket that is opened is closed."""
    opened: list[int] = []
    closed: dict[int, int] = {}
    for found in _BRACKETS.finditer(name):
        if found[0] == "<":
            opened.append(found.start())
        elif opened:
            closed[opened.pop()] = found.start()
    return closed
