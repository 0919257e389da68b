"""Whose code a frame is: the file's path first, the name where no path tells; an allocator is never a suspect."""

import pytest

from caulk.model.origin import is_runtime_library, origin_of

RUST = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library"


@pytest.mark.parametrize(
    "function",
    [
        "malloc",
        "calloc",
        "realloc",
        "posix_memalign",
        "strdup",
        "__libc_malloc",
        "__libc_calloc",
        "_int_malloc",
        "operator new",
        "operator new(unsigned long)",
        "operator new[]",
        "operator new[](unsigned long, std::align_val_t)",
        "tc_malloc",
        "tc_newarray",
        "tcmalloc::allocate_full_cpp_throw_oom",
        "void* tcmalloc::do_allocate_full(unsigned long)",
        "(anonymous namespace)::do_malloc",
        "do_malloc_pages",
        "je_malloc",
        "je_prof_backtrace",
        "prof_backtrace_impl",
        "mallocx",
        "mi_malloc",
        "__rust_alloc",
        "__rust_realloc",
        "__rdl_alloc",
    ],
)
@pytest.mark.parametrize("file", ["", "/build/allocator/src/impl.cc"])
def test_an_allocator_is_runtime_wherever_it_was_compiled(function, file):
    assert origin_of(function, file, "/srv/app", "native") == "runtime"


@pytest.mark.parametrize(
    ("function", "file"),
    [
        ("std::vector<int>::push_back", "/usr/include/c++/12/bits/stl_vector.h"),
        ("anything", "/usr/lib/llvm-14/bin/../include/c++/v1/vector"),
        ("std::string::_M_create", "/build/gcc-12-abc/src/libstdc++-v3/include/bits/basic_string.tcc"),
        ("alloc::sync::Arc<T>::new", f"{RUST}/alloc/src/sync.rs"),
        ("main", f"{RUST}/std/src/rt.rs"),
        ("__libc_start_call_main", "../sysdeps/nptl/libc_start_call_main.h"),
        ("getline", "./libio/iogetdelim.c"),
        ("std::vector<int>::_M_realloc_insert", ""),
        ("__gnu_cxx::new_allocator<int>::allocate", ""),
        ("std::__new_allocator<int>::allocate", ""),
        ("alloc::raw_vec::finish_grow", ""),
        ("<alloc::sync::Arc<shop::Cart> as core::clone::Clone>::clone", ""),
        ("core::ops::function::FnOnce::call_once", ""),
        ("__libc_start_main", ""),
        ("_start", ""),
    ],
)
def test_standard_libraries_and_start_up_are_runtime(function, file):
    assert origin_of(function, file, "", "native") == "runtime"


def test_a_crate_from_the_registry_is_a_library():
    file = "/home/ci/.cargo/registry/src/index.crates.io-6f17d22bba15001f/serde-1.0.1/src/lib.rs"
    assert origin_of("serde::de::load", file, "", "native") == "library"


@pytest.mark.parametrize(
    ("function", "file"),
    [
        ("shop::fill<std::vector<int> >", ""),
        ("<shop::Cart as core::ops::drop::Drop>::drop", ""),
        ("std::hash<Ticket>::operator()", "/srv/app/src/ticket.cc"),
        ("core::feed::Poller::poll", "/srv/app/core/feed.cc"),
        ("alloc_ticket", ""),
        ("malloc_stats_of_shop", ""),
        ("freeze", ""),
        ("standard::load", ""),
        ("core::Book::open", ""),
        ("main", "/srv/app/malloc/main.c"),
    ],
)
def test_the_application_is_what_its_file_says_and_names_that_only_look_alike_are_its_own(function, file):
    assert origin_of(function, file, "/srv/app/server", "native") == "application"


@pytest.mark.parametrize("function", ["libjemalloc.so.2+0x22044", "libc.so.6+0x2724a", "libplugin.so+0x10"])
def test_an_address_in_a_library_is_the_librarys(function):
    assert origin_of(function, "", "", "native") == "library"


def test_an_address_in_the_program_is_the_applications():
    assert origin_of("server+0x22044", "", "/srv/app/server", "native") == "application"


def test_only_what_every_program_has_is_a_runtime_library():
    assert all(map(is_runtime_library, ["/lib/ld-linux-x86-64.so.2", "libc.so.6", "/x/libstdc++.so.6.0.30"]))
    assert not any(map(is_runtime_library, ["/lib/libcart.so", "/srv/libmarket.so.1", "/srv/server", ""]))
