# A streaming labeling job with topics and an output queue, for the team that is there.
import json, boto3, time

sns, sqs, iam, sm, s3 = (boto3.client(n) for n in ("sns", "sqs", "iam", "sagemaker", "s3"))
inp = sns.create_topic(Name="objects")["TopicArn"]
out = sns.create_topic(Name="labels")["TopicArn"]
team_topic = sns.create_topic(Name="team")["TopicArn"]
url = {}
for name, topic in (("results", out), ("team", team_topic), ("events", sns.create_topic(Name="events")["TopicArn"])):
    url[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:" + name
    sqs.set_queue_attributes(QueueUrl=url[name], Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
workteam = sm.describe_workteam(WorkteamName="team")["Workteam"]["WorkteamArn"]
sns.set_topic_attributes(TopicArn=team_topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sns:Publish", "Resource": team_topic,
     "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/*"}, "StringEquals": {"aws:SourceAccount": "000000000000"}}}]}))
sns.set_topic_attributes(TopicArn="arn:aws:sns:us-east-1:000000000000:events", AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*"}]}))
sm.update_workteam(WorkteamName="team", NotificationConfiguration={"NotificationTopicArn": team_topic})
s3.put_object(Bucket="input", Key="labels.json", Body=json.dumps({"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}))
s3.put_object(Bucket="input", Key="t.html", Body='<crowd-form><crowd-classifier name="c" categories="{{ task.input.labels | to_json | escape }}" header="h"><classification-target>{{ task.input.taskObject }}</classification-target></crowd-classifier></crowd-form>')


def job(name, wait):
    f = "arn:aws:lambda:us-east-1:432418664414:function:"
    sm.create_labeling_job(LabelingJobName=name, LabelAttributeName="animal",
        InputConfig={"DataSource": {"SnsDataSource": {"SnsTopicArn": inp}}},
        OutputConfig={"S3OutputPath": "s3://output/", "SnsTopicArn": out}, RoleArn="arn:aws:iam::000000000000:role/GroundTruthExecution",
        LabelCategoryConfigS3Uri="s3://input/labels.json", StoppingConditions={"MaxHumanLabeledObjectCount": 1},
        HumanTaskConfig={"WorkteamArn": workteam, "UiConfig": {"UiTemplateS3Uri": "s3://input/t.html"}, "PreHumanTaskLambdaArn": f + "PRE-TextMultiClass",
                         "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f + "ACS-TextMultiClass"}, "TaskTitle": "Which animal", "TaskDescription": "d",
                         "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 300, "MaxConcurrentTaskCount": 2})
    for _ in range(120):
        d = sm.describe_labeling_job(LabelingJobName=name)
        if d["LabelingJobStatus"] != "Initializing":
            break
        time.sleep(0.25)
    assert d["LabelingJobStatus"] == wait, (d["LabelingJobStatus"], d.get("FailureReason"))
    return d


d = job("denied", "Failed")
assert "sns:Subscribe" in d["FailureReason"] or "sqs:CreateQueue" in d["FailureReason"], d["FailureReason"]
iam.put_role_policy(RoleName="GroundTruthExecution", PolicyName="topics", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:ReceiveMessage"], "Resource": "arn:aws:sqs:*:*:GroundTruth-*"},
    {"Effect": "Allow", "Action": ["sns:Subscribe", "sns:Unsubscribe"], "Resource": inp, "Condition": {}},
    {"Effect": "Allow", "Action": "sns:Publish", "Resource": out}]}))
d = job("Stream-1", "InProgress")
assert d["InputConfig"]["DataSource"]["SnsDataSource"]["SnsTopicArn"] == inp and d["OutputConfig"]["SnsTopicArn"] == out
q = sqs.get_queue_url(QueueName="GroundTruth-stream-1")["QueueUrl"]
assert sqs.get_queue_attributes(QueueUrl=q, AttributeNames=["MessageRetentionPeriod"])["Attributes"]["MessageRetentionPeriod"] == "1209600"
# Objects: by the message's id, by an own key twice, one that is none.
first = sns.publish(TopicArn=inp, Message='{"source": "by message id"}')["MessageId"]
own = '{"source":"own key","dataset-objectid-attribute-name":"byo-key","byo-key":"UniqueId"}'
sns.publish(TopicArn=inp, Message=own)
sns.publish(TopicArn=inp, Message=own)
sns.publish(TopicArn=inp, Message="no data object")
sns.publish(TopicArn=inp, Message='{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"input"},"object":{"key":"x.jpg","sequencer":"1"}}}]}')
print(first)
