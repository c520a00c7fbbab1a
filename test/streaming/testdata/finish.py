# What came of it: labels in the output queue, the output, and notices.
import json, sys, time, boto3

first = sys.argv[1]
sns, sqs, sm, s3 = (boto3.client(n) for n in ("sns", "sqs", "sagemaker", "s3"))


def received(queue, n, within=30):
    url, got, end = sqs.get_queue_url(QueueName=queue)["QueueUrl"], [], time.time() + within
    while len(got) < n and time.time() < end:
        for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", []):
            got.append(json.loads(m["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    assert len(got) == n, (queue, got)
    return got


lines = sorted((json.loads(m["Message"]) for m in received("results", 2)), key=lambda l: l["source"])
a, b = lines
assert (a["source"], a["animal"], a["animal-metadata"]["class-name"]) == ("by message id", 0, "cat"), a
assert a["dataset-objectid-attribute-name"] == "$animal-object-id" and a["$animal-object-id"] == first, a
assert (b["source"], b["dataset-objectid-attribute-name"], b["byo-key"]) == ("own key", "byo-key", "UniqueId") and "$animal-object-id" not in b, b
d = sm.describe_labeling_job(LabelingJobName="Stream-1")
assert d["LabelingJobStatus"] == "InProgress" and d["LabelCounters"]["HumanLabeled"] == 2, d
note = received("team", 1)[0]
assert "Stream-1" in note["Message"] and "Which animal" in note["Message"], note
sm.stop_labeling_job(LabelingJobName="Stream-1")
for _ in range(120):
    d = sm.describe_labeling_job(LabelingJobName="Stream-1")
    if d["LabelingJobStatus"] == "Stopped":
        break
    time.sleep(0.25)
assert d["LabelingJobStatus"] == "Stopped", d
body = s3.get_object(Bucket="output", Key="Stream-1/manifests/output/output.manifest")["Body"].read().decode().splitlines()
assert [json.loads(l)["source"] for l in body] == ["by message id", "own key"], body
assert not sns.list_subscriptions_by_topic(TopicArn="arn:aws:sns:us-east-1:000000000000:objects")["Subscriptions"]
sqs.get_queue_url(QueueName="GroundTruth-stream-1")  # the queue stays
states = {e["resources"][0].rsplit("/", 1)[1]: e for e in (json.loads(m["Message"]) for m in received("events", 2))}
assert states["denied"]["detail"] == {"LabelingJobStatus": "Failed"} and states["stream-1"]["detail"] == {"LabelingJobStatus": "Stopped"}, states
assert states["stream-1"]["detail-type"] == "SageMaker Ground Truth Labeling Job State Change" and states["stream-1"]["source"] == "aws.sagemaker"
