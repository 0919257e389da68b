"""Functions of a snapshot get types and names of their own, and their scopes other labels: both forms of the kernel."""

from array import array

import pytest

from caulk._core import heap_functions, uncompiled

KERNELS = pytest.mark.parametrize(
    "kernel", [heap_functions, uncompiled.load("heap_functions")], ids=["compiled", "uncompiled"]
)
CONTEXT, OUTER, VARIABLE, OTHER = 0, 1, 2, 3
WEAK = 2 << 30


def ints(*numbers: int) -> array:
    return array("i", numbers)


@KERNELS
def test_a_function_is_a_type_at_a_place_in_a_script(kernel):
    types = ints(0, 7, 7, 7, 7)
    objects, numbers, keys, places, scripts = kernel.functions(
        types, ints(4, 1, 2, 3), ints(9, 9, 9, 9), ints(5, 5, 6, 5), ints(1, 1, 1, 2)
    )
    assert list(objects) == [1, 2, 3, 4]
    assert numbers[0] == numbers[3], "one type, script, line and column"
    assert len({numbers[0], numbers[1], numbers[2]}) == len(keys) == 3
    at = [keys[number] & 0xFFFFFFFF for number in numbers]
    assert [keys[number] >> 32 for number in numbers] == [7] * 4
    assert [(places[place] >> 32, places[place] & 0xFFFFFFFF, scripts[place]) for place in at] == [
        (9, 5, 1), (9, 6, 1), (9, 5, 2), (9, 5, 1)
    ]  # fmt: skip


@KERNELS
def test_objects_get_the_type_and_the_name_of_their_function(kernel):
    types, objects, numbers = ints(0, 1, 1, 1), ints(1, 2, 3), ints(0, 1, 2)
    assert list(kernel.those(objects, numbers, bytes([1, 0, 1]))) == [1, 3]
    kernel.retype(types, objects, numbers, ints(5, -1, 6), ints(0, 4, -1))
    assert list(types) == [0, 5, 1, 6]
    assert (list(objects), list(numbers)) == ([1, 2], [0, 4])


@KERNELS
def test_only_scopes_of_marked_functions_get_other_labels(kernel):
    # 0 and 3 are closures; 1 is the scope of 0, within 2, which is within itself; 4 is the scope of 3.
    edges = [[(1, CONTEXT)], [(5, VARIABLE), (2, OUTER)], [(2, OUTER), (5, VARIABLE | WEAK)], [(4, CONTEXT)],
             [(5, VARIABLE)], []]  # fmt: skip
    first, target, what = array("I", [0]), ints(), array("I")
    for node in edges:
        target.extend(to for to, _ in node)
        what.extend(word for _, word in node)
        first.append(len(target))
    marks = bytearray(6)
    kernel.mark_scopes(first, target, what, ints(0), (CONTEXT, OUTER), marks, 7)
    assert list(marks) == [0, 7, 7, 0, 0, 0]
    kernel.relabel(first, what, marks, 7, ints(CONTEXT, OUTER, 9, OTHER))
    assert list(what) == [CONTEXT, 9, OUTER, OUTER, 9 | WEAK, CONTEXT, VARIABLE]
