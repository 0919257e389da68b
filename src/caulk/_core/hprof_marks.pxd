from caulk._core.growing cimport Column
from caulk._core.hprof_addresses cimport Addresses
from caulk._core.hprof_cursor cimport Cursor
