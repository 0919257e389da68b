"""Names are shortened to what a person calls the function, and no further."""

import pytest

from caulk.symbols.names import demangled, rust, short
from caulk.symbols.standard import plain

TEXT = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"
PAIR = f"std::pair<{TEXT} const, int>"
OF_KEYS = f"std::hash<{TEXT} >, std::equal_to<{TEXT} >"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("void shop::fill<shop::Cart>(shop::Cart&)", "shop::fill<shop::Cart>"),
        ("shop::Cart::add(int)", "shop::Cart::add"),
        ("operator new(unsigned long)", "operator new"),
        ("Functor::operator()(int) const", "Functor::operator()"),
        ("Flag::operator bool() const", "Flag::operator bool"),
        ("std::ostream& operator<< <char>(std::ostream&, char)", "operator<< <char>"),
        ("(anonymous namespace)::load(int)", "(anonymous namespace)::load"),
        ("main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"),
        ("std::function<void (int)>::operator()(int) const &", "std::function<void (int)>::operator()"),
        ("shop::fill(shop::Cart&) [clone .constprop.0]", "shop::fill"),
        ("shop::fill(shop::Cart&) (.part.3)", "shop::fill"),
        ("malloc@@GLIBC_2.2.5", "malloc"),
        ("plain_c_name", "plain_c_name"),
        ("operator()", "operator()"),
        ("()", "()"),
        ("", ""),
    ],
)
def test_a_name_of_cpp_loses_arguments_and_return_type(name, said):
    assert short(name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{TEXT}::_M_mutate(unsigned long)", "std::string::_M_mutate"),
        (f"void std::vector<{TEXT}, std::allocator<{TEXT} > >::push_back(int)", "std::vector<std::string>::push_back"),
        (
            f"std::unordered_map<{TEXT}, int, {OF_KEYS}, std::allocator<{PAIR} > >::at",
            "std::unordered_map<std::string, int>::at",
        ),
        ("std::map<int, A, std::less<int>, std::allocator<std::pair<int const, A>>>::at", "std::map<int, A>::at"),
        ("std::__1::basic_ostream<wchar_t, std::__1::char_traits<wchar_t>>::write", "std::wostream::write"),
        ("std::unique_ptr<A, std::default_delete<A> >::reset", "std::unique_ptr<A>::reset"),
        ("std::vector<int, pool::Allocator<int> >::reserve", "std::vector<int, pool::Allocator<int>>::reserve"),
        ("std::__push_heap<int*, std::less<int> >", "std::__push_heap<int*, std::less<int>>"),
        ("std::vector<int, std::allocator<int", "std::vector<int, std::allocator<int"),
    ],
)
def test_the_standard_library_is_written_as_people_write_it(name, said):
    assert short(name) == said


def test_a_name_of_a_million_letters_is_read_once_and_not_for_each_of_its_brackets():
    deep = 40_000
    assert (
        plain("std::vector<" * deep + "int" + ", std::allocator<int> >" * deep)
        == "std::vector<" * deep + "int" + ">" * deep
    )
    open_ended = "std::" + ", std::allocator<" * deep
    assert plain(open_ended) == open_ended


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leak::cart::fill::h0123456789abcdef", "leak::cart::fill"),
        ("leak[1a2b3c4d]::cart::fill::<u64>", "leak::cart::fill::<u64>"),
        (
            "_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..Drop$GT$::drop::h0123456789abcdef",
            "<alloc::vec::Vec<T> as core::ops::Drop>::drop",
        ),
        ("std::rt::lang_start::_$u7b$$u7b$closure$u7d$$u7d$::h71acb6ed29efb28b", "std::rt::lang_start::{{closure}}"),
        (
            "<leak::Pool as leak::Keep<fn(u8) -> (u8, u8)>>::keep",
            "<leak::Pool as leak::Keep<fn(u8) -> (u8, u8)>>::keep",
        ),
    ],
)
def test_a_name_of_rust_loses_its_hashes_and_escapes(name, said):
    assert rust(name) == said


def test_symbols_of_every_mangling_are_demangled(require):
    require("c++filt")
    said = demangled(
        ["_ZN4shop4fillINS_4CartEEEvRT_", "_ZN3foo3bar17h0123456789abcdefE", "_Znwm", "main", "_ZN3foo3barEv.cold"]
    )
    assert list(said.values()) == ["shop::fill<shop::Cart>", "foo::bar", "operator new", "main", "foo::bar"]


@pytest.mark.parametrize(
    "unit",
    [
        ", std::allocator<",
        "> >std::",
        "(",
        ")",
        "&",
        " &",
        "@a",
        ".cold",
        "<",
        "operator",
        "::",
        "_$u7b$",
        " const",
        "[a]::",
    ],
)
def test_a_hostile_name_is_cut_and_none_makes_a_pattern_backtrack(unit):
    # A pattern that backtracks would not come back from the second and third of these.
    for name in (unit * 50_000, ")" + unit * 50_000, unit * 50_000 + "x"):
        assert len(short(name)) <= 4096
        assert len(rust(name)) <= 4096
