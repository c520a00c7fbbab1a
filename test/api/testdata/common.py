# What the programs of this folder share.
import json, sys, time, datetime, boto3, botocore
from botocore.config import Config
from botocore.exceptions import ClientError

# The server is to find what is wrong, not the client.
loose = Config(parameter_validation=False, retries={"max_attempts": 1})
sm, idp, iam, s3, sts = (boto3.client(n, config=loose) for n in ("sagemaker", "cognito-idp", "iam", "s3", "sts"))
account = sts.get_caller_identity()["Account"]
region = s3.meta.region_name
bad = []


def check(what, ok, *more):
    if not ok:
        bad.append(what)
        print("FAILED:", what, *more, file=sys.stderr)


def equal(what, got, want):
    check(what, got == want, "got", got, "want", want)


def fails(what, code, text, call, **kw):
    try:
        out = call(**kw)
    except ClientError as e:
        got = e.response["Error"]
        check(what, got["Code"] == code and text in got["Message"], got)
        check(what + " (request id)", e.response["ResponseMetadata"].get("RequestId"))
        return
    check(what, False, "was not refused:", out)


def raises(what, cls, call, **kw):
    try:
        call(**kw)
    except cls:
        return
    except Exception as e:
        check(what, False, repr(e))
        return
    check(what, False, "was not refused")


def finish():
    if bad:
        sys.exit("%d checks failed" % len(bad))
    print("ok")
