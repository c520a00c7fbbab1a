# Topics and queues as boto3 speaks them: what works, and what is refused with
# which code.
import json, boto3
from botocore.exceptions import ClientError

sns, sqs, iam = (boto3.client(n) for n in ("sns", "sqs", "iam"))


def refused(code, call, *args, **kw):
    try:
        call(*args, **kw)
    except ClientError as e:
        got = e.response["Error"]
        assert got["Code"] == code, "%s: want %s, got %s" % (call.__name__, code, got)
        return got["Message"]
    raise AssertionError("%s %s was not refused" % (call.__name__, kw))


topic = sns.create_topic(Name="news", Attributes={"DisplayName": "News"})["TopicArn"]
assert topic == "arn:aws:sns:us-east-1:000000000000:news", topic
assert sns.create_topic(Name="news")["TopicArn"] == topic
url = sqs.create_queue(QueueName="inbox", Attributes={"VisibilityTimeout": "30", "MessageRetentionPeriod": "3600"})["QueueUrl"]
assert sqs.get_queue_url(QueueName="inbox")["QueueUrl"] == url
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
assert arn == "arn:aws:sqs:us-east-1:000000000000:inbox", arn
raw = sqs.create_queue(QueueName="raw")["QueueUrl"]
rawarn = sqs.get_queue_attributes(QueueUrl=raw, AttributeNames=["All"])["Attributes"]["QueueArn"]

# A queue whose policy does not let the topic gets nothing; with one it does.
sub = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
assert sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"] == sub
sns.publish(TopicArn=topic, Message="before the policy")
assert "Messages" not in sqs.receive_message(QueueUrl=url)


def let(url, arn):
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
         "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]})})


let(url, arn)
let(raw, rawarn)
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=rawarn, Attributes={"RawMessageDelivery": "true"})
attributes = {"kind": {"DataType": "String", "StringValue": "a"}, "n": {"DataType": "Number", "StringValue": "1.5"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
mid = sns.publish(TopicArn=topic, Subject="Hello", Message='{"source": "text & <more> é"}', MessageAttributes=attributes)["MessageId"]
m = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=5)["Messages"][0]
e = json.loads(m["Body"])
assert (e["Type"], e["MessageId"], e["TopicArn"], e["Subject"], e["Message"]) == ("Notification", mid, topic, "Hello", '{"source": "text & <more> é"}'), e
assert e["MessageAttributes"]["kind"] == {"Type": "String", "Value": "a"} and e["MessageAttributes"]["b"]["Value"] == "AAE=", e
assert m["Attributes"]["ApproximateReceiveCount"] == "1" and m["Attributes"]["SenderId"] == topic, m
r = sqs.receive_message(QueueUrl=raw, MessageAttributeNames=["All"])["Messages"][0]
assert r["Body"] == '{"source": "text & <more> é"}' and r["MessageAttributes"]["b"]["BinaryValue"] == b"\x00\x01", r
assert set(r["MessageAttributes"]) == {"kind", "n", "b"}
only = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])["Attributes"]
assert only == {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1"}, only
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"], VisibilityTimeout=0)
again = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
assert again["MessageId"] == m["MessageId"] and again["Attributes"]["ApproximateReceiveCount"] == "2"
sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])  # an old receipt: somebody else has the message
assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
refused("AWS.SimpleQueueService.MessageNotInflight", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=5)

# Batches: what is right goes, what is wrong is named.
b = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": "1", "Message": "one"}, {"Id": "2", "Message": "bad\x01"}, {"Id": "3", "Message": "three", "Subject": "s"}])
assert [x["Id"] for x in b["Successful"]] == ["1", "3"] and b["Failed"][0]["Id"] == "2" and b["Failed"][0]["SenderFault"], b
got = sqs.receive_message(QueueUrl=raw, MaxNumberOfMessages=10)["Messages"]
assert sorted(x["Body"] for x in got) == ["one", "three"], got
d = sqs.delete_message_batch(QueueUrl=raw, Entries=[{"Id": str(i), "ReceiptHandle": x["ReceiptHandle"]} for i, x in enumerate(got)] + [{"Id": "x", "ReceiptHandle": "nonsense"}])
assert len(d["Successful"]) == 2 and d["Failed"][0]["Code"] == "ReceiptHandleIsInvalid", d
s = sqs.send_message_batch(QueueUrl=raw, Entries=[{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "y", "DelaySeconds": 900}])
assert len(s["Successful"]) == 2
n = sqs.get_queue_attributes(QueueUrl=raw, AttributeNames=["All"])["Attributes"]
assert (n["ApproximateNumberOfMessages"], n["ApproximateNumberOfMessagesDelayed"]) == ("1", "1"), n
sqs.purge_queue(QueueUrl=raw)
assert sqs.send_message(QueueUrl=raw, MessageBody="z", MessageAttributes=attributes)["MD5OfMessageAttributes"]
assert sqs.receive_message(QueueUrl=raw)["Messages"][0]["Body"] == "z"

# Lists, and attributes of subscriptions.
assert topic in [t["TopicArn"] for t in sns.list_topics()["Topics"]]
subs = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
assert sorted(x["Endpoint"] for x in subs) == sorted([arn, rawarn]) and len(sns.list_subscriptions()["Subscriptions"]) == 2, subs
assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "2"
sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="RawMessageDelivery", AttributeValue="true")
assert sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]["RawMessageDelivery"] == "true"
sns.unsubscribe(SubscriptionArn=sub)
refused("NotFound", sns.get_subscription_attributes, SubscriptionArn=sub)
assert sorted(u.rsplit("/", 1)[1] for u in sqs.list_queues(QueueNamePrefix="r")["QueueUrls"]) == ["raw"]
assert [u.rsplit("/", 1)[1] for p in sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1}) for u in p.get("QueueUrls", [])][:2] == ["inbox", "raw"]

# Refusals, each with the code of its service.
other = "arn:aws:sns:us-east-1:111111111111:news"
big = "x" * 262145
for code, call, kw in [
    ("InvalidParameter", sns.create_topic, {"Name": "news.fifo", "Attributes": {"FifoTopic": "true"}}),
    ("InvalidParameter", sns.create_topic, {"Name": "a b"}),
    ("InvalidParameter", sns.create_topic, {"Name": "t", "Attributes": {"KmsMasterKeyId": "x"}}),
    ("InvalidParameter", sns.set_topic_attributes, {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": "{"}),
    ("NotFound", sns.publish, {"TopicArn": topic + "x", "Message": "m"}),
    ("AuthorizationError", sns.publish, {"TopicArn": other, "Message": "m"}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": big}),
    ("InvalidMessageContents", sns.publish, {"TopicArn": topic, "Message": "nul \x00"}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": "m", "Subject": "two\nlines"}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": "m", "MessageAttributes": {"AWS.x": {"DataType": "String", "StringValue": "v"}}}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": "m", "MessageAttributes": {"x": {"DataType": "Object", "StringValue": "v"}}}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": "m", "MessageAttributes": {"x": {"DataType": "Number", "StringValue": "v"}}}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": "m", "MessageAttributes": {"k%d" % i: {"DataType": "String", "StringValue": "v"} for i in range(11)}}),
    ("InvalidParameter", sns.publish, {"TopicArn": topic, "Message": "m", "MessageGroupId": "g"}),
    ("InvalidParameter", sns.subscribe, {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.org"}),
    ("InvalidParameter", sns.subscribe, {"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:111111111111:q"}),
    ("InvalidParameter", sns.subscribe, {"TopicArn": topic, "Protocol": "http", "Endpoint": "http://169.254.169.254/latest"}),
    ("InvalidParameter", sns.subscribe, {"TopicArn": topic, "Protocol": "http", "Endpoint": "http://127.0.0.1@evil.example/"}),
    ("InvalidParameter", sns.confirm_subscription, {"TopicArn": topic, "Token": "guess"}),
    ("TooManyEntriesInBatchRequest", sns.publish_batch, {"TopicArn": topic, "PublishBatchRequestEntries": [{"Id": str(i), "Message": "m"} for i in range(11)]}),
    ("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, {"QueueName": "none"}),
    ("AWS.SimpleQueueService.NonExistentQueue", sqs.receive_message, {"QueueUrl": url + "x"}),
    ("AccessDenied", sqs.receive_message, {"QueueUrl": url.replace("000000000000", "111111111111")}),
    ("QueueAlreadyExists", sqs.create_queue, {"QueueName": "inbox", "Attributes": {"VisibilityTimeout": "31"}}),
    ("InvalidParameterValue", sqs.create_queue, {"QueueName": "inbox.fifo", "Attributes": {"FifoQueue": "true"}}),
    ("InvalidAttributeValue", sqs.set_queue_attributes, {"QueueUrl": url, "Attributes": {"VisibilityTimeout": "43201"}}),
    ("InvalidAttributeName", sqs.set_queue_attributes, {"QueueUrl": url, "Attributes": {"RedrivePolicy": "{}"}}),
    ("InvalidParameterValue", sqs.send_message, {"QueueUrl": url, "MessageBody": big}),
    ("InvalidParameterValue", sqs.receive_message, {"QueueUrl": url, "MaxNumberOfMessages": 11}),
    ("ReceiptHandleIsInvalid", sqs.delete_message, {"QueueUrl": url, "ReceiptHandle": "nonsense"}),
    ("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, {"QueueUrl": url, "Entries": [{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "y"}]}),
]:
    refused(code, call, **kw)

# Who may: a user's policies, and the policies of topic and queue.
iam.create_user(UserName="eve")
k = iam.create_access_key(UserName="eve")["AccessKey"]
hers = dict(aws_access_key_id=k["AccessKeyId"], aws_secret_access_key=k["SecretAccessKey"])
esns, esqs = boto3.client("sns", **hers), boto3.client("sqs", **hers)
for call, kw in [(esns.publish, {"TopicArn": topic, "Message": "m"}), (esns.publish, {"TopicArn": topic + "x", "Message": "m"}), (esns.list_topics, {}),
                 (esns.create_topic, {"Name": "hers"}), (esns.delete_topic, {"TopicArn": topic}), (esns.subscribe, {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn})]:
    refused("AuthorizationError", call, **kw)
for call, kw in [(esqs.receive_message, {"QueueUrl": url}), (esqs.send_message, {"QueueUrl": url, "MessageBody": "m"}), (esqs.list_queues, {}), (esqs.purge_queue, {"QueueUrl": url}),
                 (esqs.get_queue_url, {"QueueName": "none"}), (esqs.delete_queue, {"QueueUrl": url})]:
    refused("AccessDenied", call, **kw)
sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/eve"}, "Action": "sns:Publish", "Resource": topic},
    {"Effect": "Deny", "Principal": "*", "Action": "sns:Subscribe", "Resource": topic, "Condition": {"StringNotEquals": {"sns:Protocol": "sqs"}}}]}))
esns.publish(TopicArn=topic, Message="hers")
refused("AuthorizationError", esns.set_topic_attributes, TopicArn=topic, AttributeName="DisplayName", AttributeValue="x")
refused("AuthorizationError", sns.subscribe, TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1/")  # a Deny is for root too

sns.delete_topic(TopicArn=topic)
sns.delete_topic(TopicArn=topic)
assert not sns.list_subscriptions()["Subscriptions"]
sqs.delete_queue(QueueUrl=url)
refused("AWS.SimpleQueueService.NonExistentQueue", sqs.send_message, QueueUrl=url, MessageBody="m")
sqs.delete_queue(QueueUrl=raw)
