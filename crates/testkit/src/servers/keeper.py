# Runs `module:function arguments…`, or with `program:name` the program beside this Python, and ends it when stdin closes: the test process holds the other end, so the
# server cannot outlive it, however the test process ends.
import importlib
import os
import subprocess
import sys
import threading


child = None


def end_with_stdin():
    while os.read(0, 4096):
        pass
    if child:
        child.kill()
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
module, function = sys.argv[1].split(":")
sys.argv = sys.argv[1:]
if module == "program":
    program = os.path.join(os.path.dirname(sys.executable), function)
    child = subprocess.Popen([program, *sys.argv[1:]], stdin=subprocess.DEVNULL)
    sys.exit(child.wait())
getattr(importlib.import_module(module), function)()
