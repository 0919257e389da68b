"""The hot loops: one module a job, one source for two forms.

Each module is plain Python with Cython's types. Where a C compiler was at hand at install they are compiled and run
at C speed without the GIL; else the same sources run uncompiled, some 100 times slower, with the same answers.

| module | job |
| --- | --- |
| `stacks` | stacks as a prefix tree: build, merge, fold, total |
| `protobuf` | the columns of a pprof profile |
| `pickles` | the values of a pickle, without running what a pickle can ask for |
| `snapshots` | the traces of a tracemalloc snapshot among those values |
| `json` | a tape of JSON tokens, for documents too deep or too large for a JSON library |

A class that several kernels use has its C declaration in a `.pxd` beside it, where C code of other kernels finds it;
kernels import one another by relative names, so that the uncompiled form of one gets the uncompiled form of the other.
Calls between kernels are not inlined: what is called for every reference of a heap stands in the kernel that calls it,
or takes many at once. `Column` stands in `growing`, and in the older kernels once more.

Arguments and results are columns (`caulk.model.column`). Everything that reads input checks its bounds and raises
`ValueError` with a byte position.
"""

from caulk._core import stacks

#: Whether the kernels run as C; the CLI says so once where they do not and the input is large.
COMPILED: bool = stacks.COMPILED
