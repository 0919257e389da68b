from caulk._core.hprof_addresses cimport Addresses
from caulk._core.hprof_classes cimport ClassTable
from caulk._core.hprof_cursor cimport Cursor
from caulk._core.hprof_distances cimport Distances
