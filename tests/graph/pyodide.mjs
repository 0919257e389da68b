// Imports `leak` in CPython as WebAssembly: node pyodide.mjs FOLDER-OF-PYODIDE DUMP, as `python -c "import leak" DUMP`.
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, dump] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
const python = await loadPyodide({ env: { HOME: "/" } });
const folders = process.env.PYTHONPATH.split(path.delimiter);
for (const each of folders) python.mountNodeFS(each, each);
python.globals.set("folders", python.toPy(folders));
python.globals.set("dump", dump);
python.runPython("import sys; sys.path[:0] = folders; sys.argv = ['-c', dump]; import leak");
