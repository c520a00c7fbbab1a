# Event notification configurations that must be refused, each for its reason; and who
# may set and see one.
import json, boto3
from botocore.exceptions import ClientError

s3, sns, sqs, iam = (boto3.client(n) for n in ("s3", "sns", "sqs", "iam"))
s3.create_bucket(Bucket="refused")
topic, queue = "arn:aws:sns:us-east-1:000000000000:", "arn:aws:sqs:us-east-1:000000000000:"
statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic + "open",
             "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:refused"}, "StringEquals": {"aws:SourceAccount": "000000000000"}}}
sns.create_topic(Name="open", Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})})
sns.create_topic(Name="shut")
sqs.create_queue(QueueName="shut")
other = dict(statement, Resource=topic + "others", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::another"}})
sns.create_topic(Name="others", Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [other]})})


def put(*topics, client=s3, **more):
    return client.put_bucket_notification_configuration(Bucket="refused", NotificationConfiguration={"TopicConfigurations": list(topics), **more})


def refused(says, *topics, code="InvalidArgument", **more):
    try:
        put(*topics, **more)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code and says in e.response["Error"]["Message"], (says, e.response["Error"])
        status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == (403 if code == "AccessDenied" else 400), status
    else:
        raise AssertionError("taken: " + says)


def t(name="open", events=("s3:ObjectCreated:*",), rules=(), **more):
    f = {"Filter": {"Key": {"FilterRules": [{"Name": n, "Value": v} for n, v in rules]}}} if rules else {}
    return {"TopicArn": topic + name, "Events": list(events), **f, **more}


put(t(Id="kept"))
refused("not supported for notifications", t(events=["s3:ObjectTouched:*"]))
refused("not supported for notifications", t(events=["s3:ObjectRestore:Completed"]))
refused("Unable to validate the following destination configurations", t("none"))
refused("Unable to validate the following destination configurations", t("shut"))
refused("Unable to validate the following destination configurations", t("others"))
refused("Unable to validate the following destination configurations", QueueConfigurations=[{"QueueArn": queue + "none", "Events": ["s3:ObjectCreated:*"]}])
refused("Unable to validate the following destination configurations", QueueConfigurations=[{"QueueArn": queue + "shut", "Events": ["s3:ObjectCreated:*"]}])
refused("Unable to validate the following destination configurations", {"TopicArn": "arn:aws:sns:eu-west-1:000000000000:open", "Events": ["s3:ObjectCreated:*"]})
refused("not well formed", {"TopicArn": "open", "Events": ["s3:ObjectCreated:*"]})
refused("not well formed", {"TopicArn": queue + "shut", "Events": ["s3:ObjectCreated:*"]})
refused("ambiguously defined", t(), t())
refused("ambiguously defined", t(rules=[("prefix", "a/")]), t(events=["s3:ObjectCreated:Put"], rules=[("prefix", "a/b/"), ("suffix", ".jpg")]))
refused("IDs must be unique", t(Id="x", events=["s3:ObjectCreated:Put"]), t(Id="x", events=["s3:ObjectCreated:Copy"]))
refused("at most 100", *[t(rules=[("prefix", "%d/" % (1000 + i))]) for i in range(101)])
refused("more than one prefix", t(rules=[("prefix", "a"), ("prefix", "b")]))
refused("more than one suffix", t(rules=[("suffix", "a"), ("suffix", "b")]))
refused("1024", t(rules=[("prefix", "k" * 1025)]))
refused("too big", t(rules=[("prefix", "k" * 600000)]), code="MaxMessageLengthExceeded")
refused("CloudFunctionConfiguration is not supported", LambdaFunctionConfigurations=[{"LambdaFunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "Events": ["s3:ObjectCreated:*"]}])
refused("EventBridgeConfiguration is not supported", EventBridgeConfiguration={})

# What was there stays, and 100 are taken.
got = s3.get_bucket_notification_configuration(Bucket="refused")
assert [c["Id"] for c in got["TopicConfigurations"]] == ["kept"], got
put(*[t(rules=[("prefix", "%d/" % (1000 + i))]) for i in range(100)])
got = s3.get_bucket_notification_configuration(Bucket="refused")["TopicConfigurations"]
assert len(got) == 100 and len({c["Id"] for c in got}) == 100, got

# Whoever skips the validation may name a destination that is not there.
s3.put_bucket_notification_configuration(Bucket="refused", SkipDestinationValidation=True, NotificationConfiguration={"TopicConfigurations": [t("none")]})
put()
got = s3.get_bucket_notification_configuration(Bucket="refused")
assert not {"TopicConfigurations", "QueueConfigurations"} & set(got), got

# A right for each, and no other one.
def user(name, *actions):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:s3:::refused"}]}))
    k = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client("s3", aws_access_key_id=k["AccessKeyId"], aws_secret_access_key=k["SecretAccessKey"])


writer, reader = user("writer", "s3:PutBucketNotification"), user("reader", "s3:GetBucketNotification")
put(t(), client=writer)
reader.get_bucket_notification_configuration(Bucket="refused")
refused("", t(), client=reader, code="AccessDenied")
try:
    writer.get_bucket_notification_configuration(Bucket="refused")
except ClientError as e:
    assert e.response["Error"]["Code"] == "AccessDenied", e
else:
    raise AssertionError("a right to set is none to see")
