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
    while "> >" in name:
        name = name.replace("> >", ">>")
    return _ALIASES.sub(lambda found: f"std::{'w' if found[2] == 'wchar_t' else ''}{found[1]}", name)


def _without(name: str, argument: str) -> str:
    """The name without each argument that begins so and ends its list; inner ones first."""
    at = name.rfind(argument)
    while at >= 0:
        rest = name[_closed(name, at + len(argument)) :].lstrip(" ")
        if rest.startswith(">"):
            name = name[:at] + rest
        at = name.rfind(argument, 0, at)
    return name


def _closed(name: str, at: int) -> int:
    """Behind the bracket that closes the list which `at` lies in; the end of the name where none does."""
    depth = 1
    for i in range(at, len(name)):
        depth += (name[i] == "<") - (name[i] == ">")
        if not depth:
            return i + 1
    return len(name)
