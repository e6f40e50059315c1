"""
Import the app of an unpacked package, as the host of Azure does, and print how that went as JSON.

Run as `python -I -S start.py FOLDER`, so that there are no libraries but those of the package.
"""

import json
import sys
import time


def main(folder: str) -> None:
    """Print the CPU time in seconds, the number of modules, and what of the package had to be compiled."""
    compiled: list[str] = []

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "compile" and str(arguments[1]).startswith(folder):
            compiled.append(str(arguments[1]))

    sys.path[:0] = [folder, f"{folder}/.python_packages/lib/site-packages"]
    sys.addaudithook(note)
    began = time.process_time()
    __import__("function_app")
    seconds = time.process_time() - began
    files = {name: getattr(module, "__cached__", None) for name, module in sys.modules.items()}
    ours = {name: file for name, file in files.items() if file and file.startswith(folder)}
    print(json.dumps({"seconds": seconds, "modules": len(sys.modules), "compiled": compiled, "cached": ours}))


if __name__ == "__main__":
    main(sys.argv[1])
