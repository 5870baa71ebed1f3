"""Serves moto on a free port of 127.0.0.1 until its standard input is closed.

That is what moto_server does, but for three things. The port is chosen by the
system, so that nobody else can take it first. The server ends with the process that
started it, however that ends. And calls of DynamoDB and SQS are handled one by one:
moto serves each connection in a thread of its own, but checks a condition and then
writes, or copies the messages of a queue and then replaces them, without a lock
(https://github.com/getmoto/moto/pull/7166). Two conditional writes could both
succeed, and a message that is sent while another is deleted could be lost.
"""

import os
import sys
import threading
import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.models import Queue
from werkzeug.serving import make_server

one_by_one = threading.Lock()


class Application(DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith(("DynamoDB", "AmazonSQS")):
            return super().__call__(environ, start_response)
        with one_by_one:
            return super().__call__(environ, start_response)


def wait_for_messages(queue, timeout):
    """Lets others call while a ReceiveMessage waits, and looks again after 50 ms."""
    one_by_one.release()
    time.sleep(0.05)
    one_by_one.acquire()


Queue.wait_for_messages = wait_for_messages


class Handler(MotoRequestHandler):
    def log_request(self, code="-", size="-"):
        pass


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


server = make_server("127.0.0.1", 0, Application(create_backend_app), threaded=True, request_handler=Handler)
os.environ["MOTO_PORT"] = str(server.port)
threading.Thread(target=end_with_parent, daemon=True).start()
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
