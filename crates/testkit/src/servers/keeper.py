# Runs `module:function arguments…` and ends it when stdin closes: the test process holds the other end, so the
# server cannot outlive it, however the test process ends.
import importlib
import os
import sys
import threading


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
module, function = sys.argv[1].split(":")
sys.argv = sys.argv[1:]
getattr(importlib.import_module(module), function)()
