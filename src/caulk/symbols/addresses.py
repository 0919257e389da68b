"""From an address in a process to one in a file, and from where a call returns to where it was made."""

from caulk.model.tree import Mapping
from caulk.symbols.binaries import Module
from caulk.symbols.elf import Elf

_PAGE = 4096
_X86, _X86_64, _AARCH64 = 3, 62, 183
_LONGEST_CALL = 7


def virtual_address(module: Module, mapping: Mapping, address: int) -> int | None:
    """The address as the binary's own tables count; None where the binary has no code there."""
    elf = module.binary or module.debug
    assert elf
    if elf.is_fixed or not mapping.limit:
        # Linked to run where it was linked for; or a producer that wrote such addresses, without a mapping's bounds.
        return address if elf.has_code_at(address) else None
    offset = address - mapping.start + mapping.offset
    found = elf.address_of(offset) if module.binary else _without_contents(elf, mapping, address)
    return found if found is not None and found >= 0 else None


def _without_contents(elf: Elf, mapping: Mapping, address: int) -> int | None:
    """The same by a debug file alone, whose segments have lost their offsets: its one code segment was mapped whole."""
    code = [s for s in elf.segments if s.is_code]
    for segment in code:
        start = segment.vaddr // _PAGE * _PAGE
        pages = -(-(segment.vaddr + segment.memory_size) // _PAGE) * _PAGE - start
        if mapping.limit - mapping.start == pages:
            return address - mapping.start + start
    guess = address - mapping.start + mapping.offset
    return guess if elf.has_code_at(guess) else None


def asked_address(binary: Elf | None, address: int, *, is_start: bool) -> int:
    """What to look up for an address of a stack: a byte of the call, not what comes after it.

    Go and the readers of text profiles have stepped back from the return address already, tcmalloc and Envoy have not.
    Where the machine code before it is a call, it is a return address. Without the code it is taken for one: one byte
    back from within a call is still the same call. Where a function starts (`is_start`), no call has returned to.
    """
    if is_start:
        return address
    before = binary.bytes_before(address, _LONGEST_CALL) if binary else b""
    if before and binary and binary.machine in (_X86, _X86_64, _AARCH64):
        return address - 1 if _is_call(before, binary.machine) else address
    return address - 1


def _is_call(code: bytes, machine: int) -> bool:
    """Whether the code ends with a call instruction."""
    if machine == _AARCH64:
        word = int.from_bytes(code[-4:], "little")
        return word & 0xFC000000 == 0x94000000 or word & 0xFFFFFC1F == 0xD63F0000  # BL, BLR
    if code[-5] == 0xE8:
        return True
    # FF /2, a call through a register or memory, with the lengths that its operand can have.
    return any(code[-n] == 0xFF and code[1 - n] >> 3 & 7 == 2 for n in (2, 3, 4, 6, 7))
