// Compile the Python files of folders: node compile_bytecode.mjs FOLDER...
// The bytes depend on the files and on Pyodide alone, so that every machine deploys the same (docs/decisions/0016).
import { loadPyodide } from "pyodide";

const COMPILE = `
from compileall import compile_dir
from py_compile import PycInvalidationMode

compile_dir("/var/task", maxlevels=100, quiet=1, force=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
`;

const pyodide = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
for (const folder of process.argv.slice(2)) {
  pyodide.mountNodeFS("/var/task", folder); // where AWS Lambda has it: tracebacks name the files there
  if (!pyodide.runPython(COMPILE)) process.exitCode = 1;
  pyodide.FS.unmount("/var/task");
}
