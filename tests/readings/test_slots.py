"""Slots: who comes in place of one that went goes on where that one ended."""

from caulk.readings.slots import Slots


def test_who_comes_gets_the_place_that_was_left():
    slots = Slots()
    slots.settle("w", ["a", "b", "c"], 0)
    taken = slots.settle("w", ["a", "d", "c"], 15)

    assert taken.of == {"a": "0", "d": "1", "c": "2"}
    assert taken.heirs == {"d"}
    assert taken.newcomers == {"d"}
    assert taken.gone == ()


def test_a_place_that_nobody_took_is_gone_once_and_taken_later():
    slots = Slots()
    slots.settle("w", ["a", "b"], 0)

    assert slots.settle("w", ["b"], 15).gone == ("0",)
    assert slots.settle("w", ["b"], 30).gone == ()
    assert slots.settle("w", ["b", "c"], 45).of == {"b": "1", "c": "0"}


def test_the_first_in_a_place_is_nobodys_heir():
    taken = Slots().settle("w", ["a"], 0)
    assert taken.newcomers == {"a"}
    assert not taken.heirs


def test_slots_outlive_their_program():
    slots = Slots()
    slots.settle("w", ["a", "b"], 0)
    taken = Slots.restored(slots.state()).settle("w", ["b", "c"], 15)
    assert taken.of == {"b": "1", "c": "0"}
    assert taken.newcomers == {"c"}


def test_a_place_that_is_empty_for_a_day_is_forgotten():
    slots = Slots()
    slots.settle("w", ["a", "b"], 0)
    slots.settle("w", ["a"], 15)
    slots.settle("w", ["a"], 15 + 86401)
    assert slots.state() == {"w": [("a", None)]}
