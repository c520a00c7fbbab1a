# A streaming job of one server with topics that another keeps, which stands for SNS
# and SQS of AWS. The other's address is the argument.
import json, sys, time, boto3

far = {n: boto3.client(n, endpoint_url=sys.argv[1]) for n in ("sns", "sqs")}
sm, iam, s3 = (boto3.client(n) for n in ("sagemaker", "iam", "s3"))
inp = far["sns"].create_topic(Name="far-objects")["TopicArn"]
s3.put_object(Bucket="input", Key="labels.json", Body=json.dumps({"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}))
s3.put_object(Bucket="input", Key="t.html", Body="<crowd-form></crowd-form>")
team = sm.describe_workteam(WorkteamName="team")["Workteam"]["WorkteamArn"]


def job(name):
    f = "arn:aws:lambda:us-east-1:432418664414:function:"
    sm.create_labeling_job(LabelingJobName=name, LabelAttributeName="animal", InputConfig={"DataSource": {"SnsDataSource": {"SnsTopicArn": inp}}},
        OutputConfig={"S3OutputPath": "s3://output/"}, RoleArn="arn:aws:iam::000000000000:role/GroundTruthExecution", LabelCategoryConfigS3Uri="s3://input/labels.json",
        HumanTaskConfig={"WorkteamArn": team, "UiConfig": {"UiTemplateS3Uri": "s3://input/t.html"}, "PreHumanTaskLambdaArn": f + "PRE-TextMultiClass",
                         "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f + "ACS-TextMultiClass"}, "TaskTitle": "t", "TaskDescription": "d",
                         "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 300})


def until(name, ok):
    for _ in range(120):
        d = sm.describe_labeling_job(LabelingJobName=name)
        if ok(d):
            return d
        time.sleep(0.25)
    raise AssertionError(d)


# The server's own credentials would let it; the role's policies do not.
job("far-denied")
d = until("far-denied", lambda d: d["LabelingJobStatus"] != "Initializing")
assert d["LabelingJobStatus"] == "Failed" and "may not" in d["FailureReason"], d
iam.put_role_policy(RoleName="GroundTruthExecution", PolicyName="topics", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["sqs:*", "sns:*"], "Resource": "*"}]}))
job("far")
until("far", lambda d: d["LabelingJobStatus"] == "InProgress")
far["sns"].publish(TopicArn=inp, Message='{"source": "from afar"}')
d = until("far", lambda d: d["LabelCounters"]["Unlabeled"] == 1)
q = far["sqs"].get_queue_url(QueueName="GroundTruth-far")["QueueUrl"]
n = far["sqs"].get_queue_attributes(QueueUrl=q, AttributeNames=["All"])["Attributes"]
assert n["ApproximateNumberOfMessages"] == "0" and n["MessageRetentionPeriod"] == "1209600", n
sm.stop_labeling_job(LabelingJobName="far")
until("far", lambda d: d["LabelingJobStatus"] == "Stopped")
assert not far["sns"].list_subscriptions_by_topic(TopicArn=inp)["Subscriptions"]
# Event notifications go there likewise, for whoever may publish there: the server's own
# credentials are nobody's who may not.
events = {"TopicConfigurations": [{"TopicArn": inp, "Events": ["s3:ObjectCreated:*"]}]}
u = far["sqs"].create_queue(QueueName="far-events")["QueueUrl"]
far["sqs"].set_queue_attributes(QueueUrl=u, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}]})})
far["sns"].subscribe(TopicArn=inp, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:far-events", Attributes={"RawMessageDelivery": "true"})
iam.create_user(UserName="far-user")
k = iam.create_access_key(UserName="far-user")["AccessKey"]
user = boto3.client("s3", aws_access_key_id=k["AccessKeyId"], aws_secret_access_key=k["SecretAccessKey"])
for actions, may in ((["s3:PutBucketNotification"], False), (["s3:PutBucketNotification", "sns:Publish"], True)):
    iam.put_user_policy(UserName="far-user", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
    for skip in (True, False):
        try:
            user.put_bucket_notification_configuration(Bucket="input", NotificationConfiguration=events, SkipDestinationValidation=skip)
            assert may, "a user without sns:Publish makes the server publish"
        except user.exceptions.ClientError as e:
            assert not may and e.response["Error"]["Code"] == "InvalidArgument" and "may not sns:Publish" in e.response["Error"]["Message"], e
s3.put_object(Bucket="input", Key="seen from afar", Body=b"x")
got, end = [], time.time() + 30
while len(got) < 2 and time.time() < end:
    got += [json.loads(m["Body"]) for m in far["sqs"].receive_message(QueueUrl=u, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])]
assert [m["Event"] for m in got if "Event" in m] == ["s3:TestEvent"], got
assert [m["Records"][0]["s3"]["object"]["key"] for m in got if "Records" in m] == ["seen+from+afar"], got
