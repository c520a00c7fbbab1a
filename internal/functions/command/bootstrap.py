# Calls a function of a Python file the way Lambda's Python runtime does.
# Arguments: file.function, the deadline in milliseconds since 1970.
import importlib, json, os, sys, time, traceback, uuid

answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # what the handler prints is no part of the answer
sys.path.insert(0, os.getcwd())


class Context:
    function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    function_version = "$LATEST"
    invoked_function_arn = os.environ["FIDUCIAL_FUNCTION_ARN"]
    memory_limit_in_mb = "128"
    aws_request_id = str(uuid.uuid4())
    log_group_name = "/aws/lambda/" + function_name
    log_stream_name = aws_request_id
    identity = None
    client_context = None

    def get_remaining_time_in_millis(self):
        return max(0, int(sys.argv[2]) - int(time.time() * 1000))


def call():
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    return json.dumps(handler(json.load(sys.stdin), Context()))


try:
    text, status = call(), 0
except BaseException as e:
    text, status = json.dumps({"errorMessage": str(e), "errorType": type(e).__name__, "stackTrace": traceback.format_tb(e.__traceback__)}), 1
sys.stdout.flush()
answer.write(text)
answer.flush()
os._exit(status)
