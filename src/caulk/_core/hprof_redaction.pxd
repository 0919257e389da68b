from caulk._core.hprof_cursor cimport Cursor
